//! What the rules read besides the facts about a pod.

use kubevitals_proto::time::Timestamp;

use super::incidents::Incidents;
use super::probe_counters::Counters;
use super::rules::node::LostNodes;
use super::usage_history::UsageHistory;

/// The state besides the facts about a pod. Rules read it; only the code that applies decisions changes incidents.
pub(super) struct ReviewContext<'a> {
    pub(super) now: Timestamp,
    pub(super) incidents: &'a mut Incidents,
    pub(super) counters: &'a Counters,
    pub(super) nodes: &'a LostNodes,
    pub(super) usage: &'a dyn UsageHistory,
    pub(super) totals: &'a mut Totals,
}

/// Counts since the start of the server.
#[derive(Debug, Default)]
pub(super) struct Totals {
    /// Restarts of containers.
    pub(super) restarts: u64,
    /// Unhealthy pods without facts, because the limit was reached.
    pub(super) dropped_pods: u64,
    /// Events that only the pod's kubelet may write, from another source.
    pub(super) refused_events: u64,
}
