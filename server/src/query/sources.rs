//! The state that all queries read.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use crate::availability::Availability;
use crate::clock::{Age, Clock};
use crate::cluster::{Cluster, PodKey, Watches};
use crate::engine::Engine;
use crate::health::Health;
use crate::scrape::Stats;
use crate::store::{Retention, Store};

/// Shared, read-only handles to the server's state.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) cluster: Arc<Cluster>,
    pub(super) store: Arc<Store>,
    pub(super) health: Arc<Health>,
    /// None if it is turned off.
    pub(super) availability: Option<Arc<Availability>>,
    pub(super) watches: Watches,
    pub(super) stats: Arc<Stats>,
    pub(super) clock: Arc<dyn Clock>,
    /// The time between two scrapes of a node.
    pub(super) resolution: Duration,
    /// The time after which a rate is stale.
    pub(super) retention: Retention,
    /// What is older than the history in memory, if it can be read.
    pub(super) engine: Option<Arc<Engine>>,
}

impl Sources {
    /// The current time of the monotonic clock.
    pub(super) fn now(&self) -> Age {
        self.clock.elapsed()
    }

    /// The current time of the wall clock.
    pub(super) fn wall(&self) -> Timestamp {
        self.clock.wall()
    }
}

/// The lower bound of the pods of one namespace, or of all namespaces.
pub(super) fn first_pod(namespace: Option<&str>) -> Bound<PodKey> {
    let first = namespace.map(|namespace| PodKey::new(namespace, ""));
    first.map_or(Bound::Unbounded, Bound::Included)
}
