//! Current usage of pods and nodes, for `metrics.k8s.io`.

pub(super) mod freshness;
mod lookup;
mod nodes;
mod pods;

use std::sync::Arc;

pub use lookup::MetricsLookup;
pub use nodes::NodeReading;
pub use pods::{PodCursor, PodList, PodReading};

use super::sources::Sources;
use crate::cluster::{Node, Phase, PodKey};
use crate::telemetry::Histogram;
use freshness::Ages;

/// Answers queries for current usage.
#[derive(Debug, Clone, Copy)]
pub struct MetricsQuery<'a> {
    sources: &'a Sources,
    freshness: &'a Histogram,
}

impl<'a> MetricsQuery<'a> {
    pub(super) fn new(sources: &'a Sources, freshness: &'a Histogram) -> Self {
        Self { sources, freshness }
    }

    /// The running pods as of now.
    pub fn pods(self) -> PodList {
        PodList::new(self.sources, self.ages())
    }

    /// Looks up one pod, and converts its reading with `read`.
    pub fn pod<T>(
        self,
        namespace: &str,
        name: &str,
        read: impl FnOnce(PodReading<'_>) -> T,
    ) -> MetricsLookup<T> {
        let key = PodKey {
            namespace: Arc::from(namespace),
            name: Arc::from(name),
        };
        let pods = self.sources.cluster.pods();
        match pods.get(&key).filter(|pod| pod.phase == Phase::Running) {
            Some(pod) => pods::reading(self.sources, pod, self.ages(), read).into(),
            None => MetricsLookup::Unknown,
        }
    }

    /// All nodes that have metrics and pass `filter`, by name.
    pub fn nodes(self, filter: impl Fn(&Node) -> bool) -> Vec<NodeReading> {
        nodes::list(self.sources, self.ages(), filter)
    }

    /// Looks up one node.
    pub fn node(self, name: &str) -> MetricsLookup<NodeReading> {
        let (nodes, cells) = (self.sources.cluster.nodes(), self.sources.store.cells());
        let now = self.sources.now();
        match nodes.get(name) {
            Some(node) => nodes::reading(self.sources, &cells, node, now, &mut self.ages()).into(),
            None => MetricsLookup::Unknown,
        }
    }

    fn ages(self) -> Ages {
        Ages::new(self.freshness, self.sources.wall())
    }
}
