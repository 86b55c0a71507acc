//! Usage of containers and nodes, as the kubelets reported it.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::{Family, Label, Out, float, nanos};
use crate::cluster::{Binding, Bindings, Cluster, GonePods, PodKey, Pods, Uid};
use crate::store::{NodeCell, Point};

/// The last sample of a container.
#[derive(Debug, Clone)]
pub(crate) struct ContainerSample {
    pub(crate) node: Arc<str>,
    pub(crate) pod: PodKey,
    pub(crate) container: Arc<str>,
    /// The image in the pod's spec; empty if the pod is unknown.
    pub(crate) image: Arc<str>,
    pub(crate) point: Point,
}

/// The last sample of a node.
#[derive(Debug, Clone)]
pub(crate) struct NodeSample {
    pub(crate) node: Arc<str>,
    pub(crate) point: Point,
}

pub(crate) static CONTAINER_USAGE: &[Family<ContainerSample>] = &[
    Family::counter(
        "container_cpu_usage_seconds_total",
        "CPU time of the container since its start, in seconds",
        |it, out| it.write(out, nanos(it.point.cpu_ns)),
    ),
    Family::gauge(
        "container_memory_working_set_bytes",
        "Working set of the container, in bytes",
        |it, out| it.write(out, float(it.point.memory.0)),
    ),
    Family::gauge(
        "container_start_time_seconds",
        "Start of the container, in seconds since the Unix epoch",
        |it, out| {
            if it.point.start > Timestamp::default() {
                it.write(out, seconds(it.point.start));
            }
        },
    ),
];

pub(crate) static NODE_USAGE: &[Family<NodeSample>] = &[
    Family::counter(
        "node_cpu_usage_seconds_total",
        "CPU time of the node, in seconds",
        |it, out| out(&[("node", &it.node)], nanos(it.point.cpu_ns)),
    ),
    Family::gauge(
        "node_memory_working_set_bytes",
        "Working set of the node, in bytes",
        |it, out| out(&[("node", &it.node)], float(it.point.memory.0)),
    ),
];

impl ContainerSample {
    /// The labels of each of its series.
    pub(crate) fn labels(&self) -> [Label<'_>; 5] {
        [
            ("container", &*self.container),
            ("image", &*self.image),
            ("namespace", &*self.pod.namespace),
            ("node", &*self.node),
            ("pod", &*self.pod.name),
        ]
    }

    fn write(&self, out: &mut Out<'_>, value: f64) {
        out(&self.labels(), value);
    }
}

/// A time in seconds since the Unix epoch, to the millisecond.
#[expect(clippy::cast_precision_loss, reason = "53 bits hold milliseconds")]
pub(super) fn seconds(time: Timestamp) -> f64 {
    time.as_millis() as f64 / 1e3
}

/// Reads the last samples of nodes, with the pods of one moment.
#[derive(Debug, Default)]
pub(crate) struct Usages {
    bindings: Bindings,
    pods: Arc<Pods>,
    gone: Arc<GonePods>,
}

impl Usages {
    /// Reads with the present pods of the cluster.
    pub(crate) fn of(cluster: &Cluster) -> Self {
        Self {
            bindings: Bindings::of(cluster),
            pods: cluster.pods(),
            gone: cluster.gone_pods(),
        }
    }

    /// The last samples of a node and of its containers, by namespace, pod and container. Containers of pods that are
    /// bound to another node are left out, as in the history.
    pub(crate) fn read(
        &self,
        node: &Arc<str>,
        cell: &NodeCell,
    ) -> (Option<NodeSample>, Vec<ContainerSample>) {
        let no_image: Arc<str> = Arc::default();
        let series = cell.series();
        let (own, containers) = series.points();
        let own = own.map(|point| NodeSample {
            node: Arc::clone(node),
            point: *point,
        });
        let samples = containers.map(|(pod, container, point)| ContainerSample {
            node: Arc::clone(node),
            pod: pod.clone(),
            container: Arc::clone(container),
            image: Arc::clone(&no_image),
            point: *point,
        });
        let mut samples: Vec<ContainerSample> = samples.collect();
        // The scrape of the node must not wait for the lookups.
        drop(series);
        let mut last: Option<(PodKey, Binding)> = None;
        samples.retain_mut(|sample| {
            let known = last.take().filter(|(pod, _)| *pod == sample.pod);
            let look_up = || (sample.pod.clone(), self.bindings.of_name(&sample.pod, node));
            let (_, binding) = last.insert(known.unwrap_or_else(look_up));
            if let Binding::Here(uid) = binding {
                let image = self.image(&sample.pod, *uid, &sample.container);
                sample.image = image.unwrap_or_default();
            }
            !matches!(binding, Binding::Elsewhere)
        });
        (own, samples)
    }

    /// The image of a container of a pod, which may be deleted.
    pub(crate) fn image(&self, key: &PodKey, uid: Uid, container: &str) -> Option<Arc<str>> {
        let present = self.pods.get(key).filter(|pod| pod.uid == uid);
        let gone = || self.gone.get(&(key.clone(), uid)).map(|gone| &gone.pod);
        let (spec, _) = present.or_else(gone)?.container(container)?;
        Some(Arc::clone(&spec.image))
    }
}
