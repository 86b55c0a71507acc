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
use crate::pod_metrics::PodMetrics;
use crate::scrape::Stats;
use crate::shard::{Scraper, Shards};
use crate::store::history::NodeHistory;
use crate::store::{History, Retention, Store};

/// Shared, read-only handles to the server's state.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    pub(super) cluster: Arc<Cluster>,
    pub(super) store: Arc<Store>,
    /// The history with parts of other shards' histories, for one query.
    pub(super) overlay: Option<Arc<History>>,
    pub(super) health: Arc<Health>,
    /// None if it is turned off.
    pub(super) availability: Option<Arc<Availability>>,
    /// The other shards, if this server is one of several.
    pub(super) shards: Option<Arc<Shards>>,
    pub(super) watches: Watches,
    pub(super) stats: Arc<Stats>,
    pub(super) clock: Arc<dyn Clock>,
    /// The time between two scrapes of a node.
    pub(super) resolution: Duration,
    /// The time after which a rate is stale.
    pub(super) retention: Retention,
    /// What is older than the history in memory, if it can be read.
    pub(super) engine: Option<Arc<Engine>>,
    /// Pods' own metrics; none if they are turned off.
    pub(super) pod_metrics: Option<Arc<PodMetrics>>,
}

impl Sources {
    /// The history.
    pub(super) fn history(&self) -> &History {
        let own = || self.store.history();
        self.overlay.as_deref().unwrap_or_else(own)
    }

    /// The history of a node for its trend. Without an overlay that is of another shard's node the last minutes.
    pub(super) fn recent_history(&self, node: &str) -> Option<Arc<NodeHistory>> {
        let of_others = self.store.history_of_others();
        match of_others.filter(|_| self.overlay.is_none() && self.scraper(node).is_some()) {
            Some(of_others) => of_others.node(node),
            None => self.history().node(node),
        }
    }

    /// The other shard that scrapes a node, if it is one.
    pub(super) fn scraper(&self, node: &str) -> Option<Scraper> {
        self.shards.as_ref()?.scraper(node)
    }

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
