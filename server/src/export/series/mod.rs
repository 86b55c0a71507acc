//! The series of the cluster for other systems: usage, objects, probes, restarts, incidents.
//!
//! Names and labels are those of cAdvisor, the kubelet and kube-state-metrics where these have them, so that dashboards
//! and rules for them work. The others begin with `kubevitals_`. docs/series.md lists all of them.
//!
//! A [`Family`] is a name and a function that writes its samples of one subject: a container, a pod, a node, an
//! incident. Remote write visits each subject once, and the pull endpoint each family once, because a page has all
//! samples of a family together.

mod hpa;
mod incident;
mod node;
mod pod;
mod usage;
mod volume;
mod workload;

pub(crate) use hpa::{HPAS, Hpa};
pub(crate) use incident::{INCIDENTS, is_exported};
pub(crate) use node::NODES;
pub(crate) use pod::{POD_HEALTH, PODS, PodHealth, PodSubject};
pub(crate) use usage::{CONTAINER_USAGE, ContainerSample, NODE_USAGE, NodeSample, Usages};
pub(crate) use volume::VOLUMES;
pub(crate) use workload::WORKLOADS;

/// Whether the values of a family only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
}

impl Kind {
    /// The word in the text formats.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// A label's name and value.
pub(crate) type Label<'a> = (&'a str, &'a str);

/// Receives the samples of one subject: the labels without the name, in any order, and the value.
pub(crate) type Out<'a> = dyn FnMut(&[Label<'_>], f64) + 'a;

/// A family of series. `S` is the subject.
pub(crate) struct Family<S: ?Sized> {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: Kind,
    pub(crate) write: fn(&S, &mut Out<'_>),
}

impl<S: ?Sized> Family<S> {
    const fn gauge(name: &'static str, help: &'static str, write: fn(&S, &mut Out<'_>)) -> Self {
        Self {
            name,
            help,
            kind: Kind::Gauge,
            write,
        }
    }

    const fn counter(name: &'static str, help: &'static str, write: fn(&S, &mut Out<'_>)) -> Self {
        Self {
            name,
            help,
            kind: Kind::Counter,
            write,
        }
    }
}

/// The `job` labels of the scrapes that existing rules select: of the kubelet's cAdvisor for usage, of the kubelet itself
/// for volumes, and of kube-state-metrics for objects.
pub(crate) fn job_labels(family: &str) -> &'static [Label<'static>] {
    const CADVISOR: &[Label<'static>] =
        &[("job", "kubelet"), ("metrics_path", "/metrics/cadvisor")];
    const RESOURCE: &[Label<'static>] =
        &[("job", "kubelet"), ("metrics_path", "/metrics/resource")];
    const KUBELET: &[Label<'static>] = &[("job", "kubelet"), ("metrics_path", "/metrics")];
    if family.starts_with("kubelet_") {
        KUBELET
    } else if family.starts_with("container_") {
        CADVISOR
    } else if family.starts_with("node_") {
        RESOURCE
    } else if family.starts_with("kube_") {
        &[("job", "kube-state-metrics")]
    } else {
        &[("job", "vitals-server")]
    }
}

/// 1 or 0.
fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

#[expect(clippy::cast_precision_loss, reason = "samples are floats")]
fn float(number: u64) -> f64 {
    number as f64
}

/// Nanoseconds, nanocores and the like in their base unit.
fn nanos(number: u64) -> f64 {
    float(number) / 1e9
}
