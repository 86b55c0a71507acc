//! Series of a node, a pod, a workload, a namespace or the cluster over a span.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::vitals::{API_VERSION, History, Meta, Point, Series, Span};

use super::estimate::Coverage;
use super::quantiles::quantiles;
use super::steps::{Aggregation, Steps, add};
use super::{reach, since};
use crate::cluster::{Bindings, Uid};
use crate::query::Query;
use crate::store::history::{Excerpt, NodeHistory, PodId};
use crate::store::ring::{Sample, Tick};
use crate::work::Cancel;

/// Of what a history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistorySubject<'a> {
    /// A node, as its kubelet tells it.
    Node(&'a str),
    /// A pod: all that had its name, and each container of each.
    Pod {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a Deployment, CronJob or the like, those that are gone and remembered included.
    Workload {
        /// Its namespace.
        namespace: &'a str,
        /// `Deployment`, …, as `PodVitals.workload` has it.
        kind: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// All pods of a namespace.
    Namespace(&'a str),
    /// The cluster: all its nodes, as their kubelets tell them.
    Cluster,
}

/// A sum of series that grows, and what its quantiles are made of.
struct Total {
    steps: Steps,
    fold: Aggregation,
    /// Steps of one resolution: quantiles of a sum are those of its values at aligned times.
    fine: Steps,
    points: Vec<Option<Point>>,
    sums: Vec<Option<Point>>,
    samples: u64,
    series: usize,
    /// The points of the only series, as long as there is but one.
    only: Vec<Sample>,
}

impl Query {
    /// The history of something over a span; nothing if nothing of it is remembered in that span. What is asked for
    /// need not exist any more.
    ///
    /// The total is the sum of the series that tell something in a step; of a node or the cluster, of what the kubelets
    /// say of the nodes. What a node remembers of pods that are bound to another one is left out. Quantiles of a single series are those of its points, quantiles of a sum those of its values at
    /// steps of one resolution. `marks` are not filled in: they are health's. Decodes some microseconds for a series, so
    /// of a namespace with thousands of pods this is work for a thread of its own. Nothing once it is cancelled, which is
    /// looked at for each node.
    pub fn history_over(
        &self,
        of: HistorySubject<'_>,
        steps: Steps,
        fold: Aggregation,
        cancel: &Cancel,
    ) -> Option<History> {
        let (since, until) = (steps.since(), steps.until());
        let mut total = Total::new(steps, fold, self.resolution);
        let mut containers = Vec::new();
        let workload = match of {
            HistorySubject::Workload {
                namespace,
                kind,
                name,
            } => self.pods_of(namespace, kind, name),
            _ => HashSet::new(),
        };
        let wanted = |pod: Option<&PodId>| match (of, pod) {
            (HistorySubject::Node(_) | HistorySubject::Cluster, None) => true,
            (HistorySubject::Pod { namespace, name }, Some(pod)) => {
                *pod.namespace == *namespace && *pod.name == *name
            }
            (HistorySubject::Namespace(namespace), Some(pod)) => *pod.namespace == *namespace,
            (HistorySubject::Workload { namespace, .. }, Some(pod)) => {
                *pod.namespace == *namespace && workload.contains(&(Arc::clone(&pod.name), pod.uid))
            }
            _ => false,
        };
        let nodes = self.cluster.nodes();
        let mut cover = Coverage::default();
        let bindings = Bindings::of(&self.cluster);
        let mut excerpt = Excerpt::default();
        let mut samples = Vec::new();
        for (node, history) in self.histories_of(of) {
            if cancel.is_set() {
                return None;
            }
            let counts = |pod: Option<&PodId>| {
                wanted(pod) && pod.is_none_or(|pod| bindings.counts(&pod.key(), pod.uid, &node))
            };
            let offset = history.offset(self.now(), self.wall());
            history.copy(
                &mut excerpt,
                counts,
                Tick::nearest(offset.theirs(since)),
                Tick::nearest(offset.theirs(until)),
            );
            for series in excerpt.series() {
                samples.clear();
                samples.extend(series.samples().map(|sample| offset.sample(sample)));
                let Some(own) = total.take(&samples, self.resolution) else {
                    continue;
                };
                if let (HistorySubject::Cluster, Some(node)) = (of, nodes.get(&node)) {
                    cover.told(&own.points, node.allocatable);
                }
                if let (HistorySubject::Pod { .. }, Some(pod), Some(container)) =
                    (of, series.pod, series.container)
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
        let estimate = match of {
            HistorySubject::Cluster => {
                let nodes = nodes.values();
                let nodes = nodes.map(|node| (node.created(), node.allocatable));
                cover.estimate(&total.points, &steps, nodes)
            }
            _ => Vec::new(),
        };
        Some(History {
            kind: "History".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: meta(of),
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

    /// The histories in which something may be found: a pod, too, may have been on any node.
    fn histories_of(&self, of: HistorySubject<'_>) -> Vec<(Arc<str>, Arc<NodeHistory>)> {
        let history = self.store.history();
        match of {
            HistorySubject::Node(name) => {
                let node = history.node(name);
                node.map(|node| (Arc::from(name), node))
                    .into_iter()
                    .collect()
            }
            _ => history.nodes(),
        }
    }

    /// The pods of a workload, those that are gone included, by name and UID.
    fn pods_of(&self, namespace: &str, kind: &str, name: &str) -> HashSet<(Arc<str>, Uid)> {
        let (pods, gone, jobs) = (
            self.cluster.pods(),
            self.cluster.gone_pods(),
            self.cluster.jobs(),
        );
        let all = pods.values().chain(gone.values().map(|gone| &gone.pod));
        all.filter(|pod| {
            *pod.key.namespace == *namespace
                && pod.workload(|job| jobs.get(job)) == Some((kind, name))
        })
        .map(|pod| (Arc::clone(&pod.key.name), pod.uid))
        .collect()
    }
}

impl Total {
    fn new(steps: Steps, fold: Aggregation, resolution: Duration) -> Self {
        let resolution = i64::try_from(resolution.as_nanos()).unwrap_or(i64::MAX);
        Self {
            steps,
            fold,
            fine: Steps::new(steps.since(), steps.until(), resolution),
            points: vec![None; steps.len()],
            sums: Vec::new(),
            samples: 0,
            series: 0,
            only: Vec::new(),
        }
    }

    /// Takes in a series, and tells it by itself; nothing if it has no point in the span.
    fn take(&mut self, samples: &[Sample], resolution: Duration) -> Option<Series> {
        let reach = reach(samples, resolution);
        let points = self.steps.fold(samples, reach, self.fold);
        let span = (self.steps.since(), self.steps.until());
        let mut before = None;
        let within: Vec<Sample> = samples
            .iter()
            .filter(|sample| {
                let from = since(before.replace(**sample).as_ref(), sample, reach);
                from < span.1 && sample.at > span.0
            })
            .copied()
            .collect();
        if within.is_empty() {
            return None;
        }
        add(&mut self.points, &points);
        self.series += 1;
        self.samples += within.len() as u64;
        add(
            &mut self.sums,
            &self.fine.fold(samples, reach, Aggregation::Mean),
        );
        let series = Series {
            points,
            samples: within.len() as u64,
            cpu: quantiles(within.iter().map(|sample| sample.cpu.0)),
            memory: quantiles(within.iter().map(|sample| sample.memory.0)),
            ..Series::default()
        };
        self.only = within;
        Some(series)
    }

    fn series(self) -> Series {
        let (cpu, memory) = if self.series == 1 {
            (
                quantiles(self.only.iter().map(|sample| sample.cpu.0)),
                quantiles(self.only.iter().map(|sample| sample.memory.0)),
            )
        } else {
            let sums = || self.sums.iter().flatten();
            (
                quantiles(sums().map(|sum| sum.cpu)),
                quantiles(sums().map(|sum| sum.memory)),
            )
        };
        Series {
            points: self.points,
            samples: self.samples,
            cpu,
            memory,
            ..Series::default()
        }
    }
}

/// The names of what a history is of; the rest of its metadata is the API's.
fn meta(of: HistorySubject<'_>) -> Meta {
    let (namespace, name) = match of {
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
