//! Earlier states of the cluster with which the overview compares the present one.

use kubevitals_proto::time::Timestamp;

use super::world::World;

/// The pods and nodes of the cluster at an earlier time.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// The time.
    pub at: Timestamp,
    /// The cluster.
    pub world: World,
}

/// The earlier states, and what has been requested.
#[derive(Debug, Clone, Default)]
pub struct Baselines {
    /// The state of a requested time, from a source with a history.
    pub(super) sent: Option<Baseline>,
    /// What the dashboard itself has seen, the older one first: at its start, and then once in a span.
    pub(super) seen: [Option<Baseline>; 2],
    /// When the last request was sent.
    pub(super) requested_at: Option<Timestamp>,
    /// The time that was requested and has not been sent yet.
    pub(super) awaited: Option<Timestamp>,
    /// The inputs from which the changes and forecasts were made.
    pub(super) basis: Option<OutlookBasis>,
}

/// The inputs of the changes and forecasts, beside the data: these change all the time, and are read every ten seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OutlookBasis {
    pub(super) now: Timestamp,
    pub(super) namespaces: Vec<super::name::Name>,
}
