//! Series of a node, a pod, a workload, a namespace or the cluster over a span.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::nanos;
use kubevitals_proto::vitals::{API_VERSION, History, Meta, Point, Series, Span};

use super::HistoryQuery;
use super::estimate::Coverage;
use super::quantiles::quantiles;
use super::reach::{covering, reach};
use super::steps::{Aggregation, MAX_STEPS, Steps, add};
use crate::cluster::{Bindings, Cluster};
use crate::store::Store;
use crate::store::history::{Excerpt, NodeHistory, PodId};
use crate::store::ring::{Sample, Tick};
use crate::work::Cancel;

/// The subject of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistorySubject<'a> {
    /// A node's own series.
    Node(&'a str),
    /// A pod: all pods that had this name, and each of their containers.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a Deployment, CronJob or the like, deleted pods in the history included.
    Workload {
        /// Its namespace.
        namespace: &'a str,
        /// `Deployment` or another kind of `PodVitals.workload`.
        kind: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a namespace.
    Namespace(&'a str),
    /// The cluster: the nodes' own series.
    Cluster,
}

/// A sum of series, and the values for its quantiles.
pub(super) struct Total {
    steps: Steps,
    aggregation: Aggregation,
    /// Steps of one resolution: the quantiles of a sum are those of its values at aligned times.
    fine: Steps,
    points: Vec<Option<Point>>,
    sums: Vec<Option<Point>>,
    samples: u64,
    series: usize,
    /// CPU and memory of the samples of the last series, for a sum of one.
    only: Vec<(u64, u64)>,
}

impl HistoryQuery<'_> {
    /// The history of a subject by steps; `None` if no sample of it is in the span, or `cancel` is set. The subject
    /// need not exist any more.
    ///
    /// The total is the sum over the series that have a value in a step; of a node or the cluster, the sum over the
    /// nodes' own series. Samples that a node has of pods bound to another node are left out. The quantiles of a single
    /// series are those of its samples; the quantiles of a sum are those of its values at steps of one resolution.
    /// `marks` stay empty ([`Self::marks`]). Decoding takes some microseconds for a series, so a query for thousands of
    /// pods belongs on a thread of its own.
    pub fn over(
        self,
        subject: HistorySubject<'_>,
        steps: Steps,
        aggregation: Aggregation,
        cancel: &Cancel,
    ) -> Option<History> {
        let Self(sources) = self;
        let (since, until) = (steps.since(), steps.until());
        let mut total = Total::new(steps, aggregation, sources.resolution);
        let mut containers = Vec::new();
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
        for (node, history) in histories_of(&sources.store, subject) {
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
                    containers.push(Series {
                        name: container.to_string(),
                        uid: pod.uid.to_string(),
                        ..own
                    });
                }
            }
        }
        if total.series == 0 {
            return None;
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        let total = total.series();
        let estimate = match subject {
            HistorySubject::Cluster => {
                let nodes = nodes.values();
                let nodes = nodes.map(|node| (node.created(), node.allocatable));
                coverage.estimate(&total.points, &steps, nodes)
            }
            _ => Vec::new(),
        };
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
            containers,
            marks: Vec::new(),
        })
    }
}

/// The nodes' histories that may contain the subject. A pod may have been on any node.
fn histories_of(store: &Store, subject: HistorySubject<'_>) -> Vec<(Arc<str>, Arc<NodeHistory>)> {
    let history = store.history();
    match subject {
        HistorySubject::Node(name) => {
            let node = history.node(name);
            node.map(|node| (Arc::from(name), node))
                .into_iter()
                .collect()
        }
        _ => history.nodes(),
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

impl Total {
    pub(super) fn new(steps: Steps, aggregation: Aggregation, resolution: Duration) -> Self {
        let (since, until) = (steps.since(), steps.until());
        // More steps than the most would lack the end of the span.
        let least = until.since(since) / i64::try_from(MAX_STEPS).unwrap_or(i64::MAX) + 1;
        Self {
            steps,
            aggregation,
            fine: Steps::new(since, until, nanos(resolution).max(least)),
            points: vec![None; steps.len()],
            sums: Vec::new(),
            samples: 0,
            series: 0,
            only: Vec::new(),
        }
    }

    /// Adds a series to the sum, and returns it; `None` if it has no sample in the span.
    pub(super) fn add(&mut self, samples: &[Sample], resolution: Duration) -> Option<Series> {
        let reach = reach(samples, resolution);
        let points = self.steps.aggregate(samples, reach, self.aggregation);
        let covering = covering(samples, reach, self.steps.since(), self.steps.until());
        let within: Vec<&Sample> = covering.map(|(_, sample)| sample).collect();
        if within.is_empty() {
            return None;
        }
        add(&mut self.points, &points);
        self.series += 1;
        self.samples += within.len() as u64;
        add(
            &mut self.sums,
            &self.fine.aggregate(samples, reach, Aggregation::Mean),
        );
        let samples = within.len() as u64;
        self.only = within.iter().map(|it| (it.cpu.0, it.memory.0)).collect();
        Some(series_of(points, samples, self.only.iter().copied()))
    }

    pub(super) fn series(self) -> Series {
        if self.series == 1 {
            return series_of(self.points, self.samples, self.only.into_iter());
        }
        let sums = self.sums.iter().flatten();
        series_of(
            self.points,
            self.samples,
            sums.map(|sum| (sum.cpu, sum.memory)),
        )
    }
}

/// A series with the quantiles of these values of CPU and memory.
fn series_of(
    points: Vec<Option<Point>>,
    samples: u64,
    values: impl Iterator<Item = (u64, u64)> + Clone,
) -> Series {
    Series {
        points,
        samples,
        cpu: quantiles(values.clone().map(|(cpu, _)| cpu)),
        memory: quantiles(values.map(|(_, memory)| memory)),
        ..Series::default()
    }
}

/// The name and namespace of the subject.
fn meta(subject: HistorySubject<'_>) -> Meta {
    let (namespace, name) = match subject {
        HistorySubject::Node(name) => ("", name),
        HistorySubject::Pod { namespace, name }
        | HistorySubject::Workload {
            namespace, name, ..
        } => (namespace, name),
        HistorySubject::Namespace(namespace) => ("", namespace),
        HistorySubject::Cluster => ("", "cluster"),
    };
    Meta {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        ..Meta::default()
    }
}
