//! What a pod is judged by besides what is known of itself.

use kubevitals_proto::time::Timestamp;

use super::incidents::Incidents;
use super::nodes::LostNodes;
use super::probe_counters::Counters;
use super::usage_history::UsageHistory;

/// Everything but the pod.
pub(super) struct ReviewContext<'a> {
    pub(super) now: Timestamp,
    pub(super) incidents: &'a mut Incidents,
    pub(super) counters: &'a Counters,
    pub(super) nodes: &'a LostNodes,
    pub(super) past: &'a dyn UsageHistory,
    pub(super) totals: &'a mut Totals,
}

/// Sums since the start.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Ends of containers that were, or are to be, started again.
    pub(super) restarts: u64,
    /// Pods of which nothing was kept for want of room.
    pub(super) dropped_pods: u64,
    /// Events about what only the kubelet of their pod knows that were not of that kubelet.
    pub(super) refused_events: u64,
}
