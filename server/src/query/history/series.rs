//! Series of a node, a pod, a workload, a namespace or the cluster over a span.

use std::collections::HashSet;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{API_VERSION, History, Series, Span};

use super::HistoryQuery;
use super::estimate::Coverage;
use super::older::Older;
use super::steps::{Aggregation, Steps};
use super::subject::{HistorySubject, histories_of, meta};
use super::total::Total;
use crate::cluster::{Bindings, Cluster};
use crate::store::history::{Excerpt, PodId};
use crate::store::ring::Tick;
use crate::work::Cancel;

impl HistoryQuery<'_> {
    /// The history of a subject by steps, with what the engine has of the time before the ring; `None` if there is no
    /// sample of it in the span, or `cancel` is set. The subject need not exist any more.
    ///
    /// The total is the sum over the series that have a value in a step; of a node or the cluster, the sum over the
    /// nodes' own series. Samples that a node has of pods bound to another node are left out. The quantiles of a single
    /// series are those of its samples; the quantiles of a sum are those of its values at steps of one resolution, and with
    /// older samples at steps of their distance.
    /// `marks` stay empty ([`Self::marks`]). Decoding takes some microseconds for a series, so a query for thousands of
    /// pods belongs on a thread of its own.
    pub fn over(
        self,
        subject: HistorySubject<'_>,
        steps: Steps,
        aggregation: Aggregation,
        older: Option<&Older>,
        cancel: &Cancel,
    ) -> Option<History> {
        let Self(sources) = self;
        let (since, until) = (steps.since(), steps.until());
        let fine = nanos(sources.resolution).max(older.map_or(0, Older::fine_step));
        let new = || Total::new(steps, aggregation, fine);
        let mut total = new();
        let mut containers = Containers::default();
        let workload = match subject {
            HistorySubject::Workload {
                namespace,
                kind,
                name,
            } => pods_of_workload(&sources.cluster, namespace, kind, name),
            _ => HashSet::new(),
        };
        let is_part = |pod: Option<&PodId>| match (subject, pod) {
            (HistorySubject::Node(_) | HistorySubject::Cluster, None) => true,
            (HistorySubject::Pod { namespace, name }, Some(pod)) => {
                *pod.key.namespace == *namespace && *pod.key.name == *name
            }
            (HistorySubject::Namespace(namespace), Some(pod)) => *pod.key.namespace == *namespace,
            (HistorySubject::Workload { .. }, Some(pod)) => workload.contains(pod),
            _ => false,
        };
        let nodes = sources.cluster.nodes();
        let mut coverage = Coverage::default();
        let bindings = Bindings::of(&sources.cluster);
        let mut excerpt = Excerpt::default();
        let mut samples = Vec::new();
        for (node, history) in histories_of(sources.history(), subject) {
            if cancel.is_set() {
                return None;
            }
            let counts = |pod: Option<&PodId>| {
                is_part(pod) && pod.is_none_or(|pod| bindings.is_bound(&pod.key, pod.uid, &node))
            };
            let offset = history.offset(sources.now(), sources.wall());
            history.copy(
                &mut excerpt,
                counts,
                Tick::nearest(offset.theirs(since)),
                Tick::nearest(offset.theirs(until)),
            );
            for series in excerpt.series() {
                samples.clear();
                samples.extend(series.samples().map(|sample| offset.sample(sample)));
                let Some(own) = total.add(&samples, sources.resolution) else {
                    continue;
                };
                if let (HistorySubject::Cluster, Some(node)) = (subject, nodes.get(&node)) {
                    coverage.add(&own.points, node.allocatable);
                }
                if let (HistorySubject::Pod { .. }, Some(pod), Some(container)) =
                    (subject, series.pod, series.container)
                {
                    let mut one = new();
                    one.add(&samples, sources.resolution);
                    containers
                        .0
                        .push((container.to_string(), Some(pod.clone()), one));
                }
            }
        }
        if let Some(older) = older {
            let mut sum = new();
            for (container, samples) in older.series() {
                sum.add(samples, older.resolution());
                if let HistorySubject::Pod { .. } = subject {
                    let mut one = new();
                    one.add(samples, older.resolution());
                    containers.join(container, one, older.seam(), &sources.cluster);
                }
            }
            total.join(sum, older.seam());
        }
        if total.len() == 0 {
            return None;
        }
        let total = total.series();
        let mut estimate = match subject {
            HistorySubject::Cluster => {
                let nodes = nodes.values();
                let nodes = nodes.map(|node| (node.created(), node.allocatable));
                coverage.estimate(&total.points, &steps, nodes)
            }
            _ => Vec::new(),
        };
        // The engine's sum does not say of how many nodes it is.
        let has_older = |n: usize| older.is_some_and(|older| steps.start(n) < older.seam());
        for (n, (estimate, total)) in estimate.iter_mut().zip(&total.points).enumerate() {
            if has_older(n) {
                *estimate = *total;
            }
        }
        Some(History {
            kind: "History".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: meta(subject),
            span: Span {
                since,
                until,
                step: GoDuration(steps.step()),
            },
            total,
            estimate,
            containers: containers.series(),
            marks: Vec::new(),
            sources: older.map(|older| older.sources(&steps)).unwrap_or_default(),
            absent: older.and_then(|older| older.absent().cloned()),
        })
    }
}

/// The sums of a pod's containers: by name, and by the pod among several of its name.
#[derive(Default)]
struct Containers(Vec<(String, Option<PodId>, Total)>);

impl Containers {
    /// Puts the series that the engine has of a container before that of the last pod that existed at `seam`. The engine
    /// does not say of which pod its series is.
    fn join(&mut self, name: &str, older: Total, seam: Timestamp, cluster: &Cluster) {
        let (pods, gone) = (cluster.pods(), cluster.gone_pods());
        let created = |id: &Option<PodId>| {
            let id = id.as_ref()?;
            let gone = || gone.get(&(id.key.clone(), id.uid)).map(|gone| &gone.pod);
            let pod = pods.get(&id.key).filter(|pod| pod.uid == id.uid);
            pod.or_else(gone).and_then(|pod| pod.created())
        };
        let of_name = self.0.iter_mut().filter(|(its, _, _)| its == name);
        let existed = of_name.filter(|(_, id, _)| created(id).is_none_or(|at| at < seam));
        match existed.max_by_key(|(_, id, _)| created(id)) {
            Some((_, _, newer)) => newer.join(older, seam),
            None => self.0.push((name.to_owned(), None, older)),
        }
    }

    fn series(self) -> Vec<Series> {
        let series = self.0.into_iter().filter(|(_, _, total)| total.len() > 0);
        let series = series.map(|(name, id, total)| Series {
            name,
            uid: id.map(|id| id.uid.to_string()).unwrap_or_default(),
            ..total.series()
        });
        let mut series: Vec<Series> = series.collect();
        series.sort_by(|a, b| a.name.cmp(&b.name));
        series
    }
}

/// The pods of a workload, deleted pods included.
fn pods_of_workload(cluster: &Cluster, namespace: &str, kind: &str, name: &str) -> HashSet<PodId> {
    let (pods, gone, jobs) = (cluster.pods(), cluster.gone_pods(), cluster.jobs());
    let all = pods.values().chain(gone.values().map(|gone| &gone.pod));
    all.filter(|pod| {
        *pod.key.namespace == *namespace && pod.workload(|job| jobs.get(job)) == Some((kind, name))
    })
    .map(|pod| PodId {
        key: pod.key.clone(),
        uid: pod.uid,
    })
    .collect()
}
