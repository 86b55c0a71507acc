//! The API objects PodVitals, NodeVitals and ClusterVitals: Kubernetes objects joined with usage, incidents and
//! restarts.
//!
//! Nothing is prepared for a list. The caller builds one object after the other and drops each when it is sent, so a
//! list of 150,000 pods takes the memory of one. What several objects share (each node's last scrape, the sums of a
//! node's pods) is looked up once.

mod absence;
pub(super) mod amounts;
mod as_of;
mod builder;
mod cluster;
mod container;
mod engine_past;
mod engine_statistics;
mod engine_stats;
mod filters;
mod gpu;
mod meta;
mod node;
mod past_scope;
mod pod;
mod resize;
mod restarts;
mod stats;
mod totals;
mod trend;
mod usage;

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::sources::Sources;
use crate::cluster::{GonePod, Nodes, Pods};
use crate::work::Cancel;
use as_of::AsOf;
pub use builder::VitalsBuilder;
pub use engine_past::EnginePast;
pub use engine_statistics::EngineStatistics;
pub use past_scope::PastScope;
pub(super) use totals::TotalsCache;

/// Creates builders of vitals for a moment.
#[derive(Debug, Clone, Copy)]
pub struct VitalsQuery<'a> {
    pub(super) sources: &'a Arc<Sources>,
    pub(super) totals: &'a Arc<TotalsCache>,
}

impl VitalsQuery<'_> {
    /// Builds the vitals of now.
    pub fn now(self) -> VitalsBuilder {
        let cluster = &self.sources.cluster;
        self.builder(cluster.pods(), cluster.nodes(), None)
    }

    /// Builds the vitals of now, and those of deleted pods that are stored, in their last state. Of several pods with the
    /// same name only the last one is built.
    pub fn with_deleted(self) -> VitalsBuilder {
        let cluster = &self.sources.cluster;
        let (now, gone) = (cluster.pods(), cluster.gone_pods());
        let mut pods = Pods::clone(&now);
        let mut deleted: Vec<&GonePod> = gone.values().collect();
        deleted.sort_by_key(|gone| gone.at);
        for GonePod { pod, .. } in deleted {
            if !now.contains_key(&pod.key) {
                pods.insert(pod.key.clone(), Arc::clone(pod));
            }
        }
        let mut builder = self.builder(Arc::new(pods), cluster.nodes(), None);
        builder.gone = Some(gone);
        builder
    }

    /// Builds the vitals as of a time within the history: the pods and nodes that existed, what they used, the states
    /// of pods, and incidents. Probes and `/stats/summary` are available for the present only. Reads every pod, until
    /// `cancel` is set.
    pub fn at(self, at: Timestamp, cancel: &Cancel) -> VitalsBuilder {
        let (cluster, health) = (&self.sources.cluster, &self.sources.health);
        let as_of = AsOf::of(at, health);
        let pods = Arc::new(as_of.pods(cluster, health, cancel));
        let nodes = Arc::new(as_of.nodes(cluster));
        self.builder(pods, nodes, Some(as_of))
    }

    fn builder(self, pods: Arc<Pods>, nodes: Arc<Nodes>, as_of: Option<AsOf>) -> VitalsBuilder {
        VitalsBuilder::new(self.sources, self.totals, pods, nodes, as_of)
    }
}
