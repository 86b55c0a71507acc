//! The one read-only face of everything: what exists, joined with what was measured.
//!
//! A query reads immutable snapshots: it never waits for a writer and never copies the cluster. Which pods there
//! are is of one moment, the query's beginning; what a node's pods use is of one scrape, the last one when the
//! query first came to that node.

mod changes;
mod figures;
mod history;
mod metrics;
mod readiness;
mod targets;
mod top;
mod vitals;
mod why;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use crate::cluster::{Node, Pod, PodKey};
pub use changes::{
    Change, ChangeList, ChangeReader, Changes, ClusterSingleton, ParseVersionError, PodChanges,
    Resume, Version, VersionedSnapshot,
};
pub use figures::Wholeness;
pub use history::{Aggregation, HistorySubject, MAX_STEPS, Steps};
pub use metrics::{NodeReading, PodCursor, PodList, PodReading};
pub use readiness::{Readiness, Unready};
pub use targets::{ErrorReport, Instant, ScrapeReport, SkippedReport, TargetReport, TargetState};
pub use top::{Measure, RankedPod, TopQuery, TopScope};
pub use vitals::VitalsBuilder;

use parking_lot::Mutex;

use crate::clock::{Age, Clock};
use crate::cluster::{Cluster, Watches};
use crate::health::Health;
use crate::scrape::Stats;
use crate::store::{Absent, NodeExtra, Retention, Store};
use crate::telemetry::Histogram;

/// What a question about one object finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// Its metrics.
    Metrics(T),
    /// It exists, but has no metrics, and why.
    NoMetrics(Absent),
    /// The API server does not know it (or it is a pod that is not running).
    Unknown,
}

/// Everything that can be asked.
#[derive(Debug)]
pub struct Query {
    cluster: Arc<Cluster>,
    store: Arc<Store>,
    health: Arc<Health>,
    watches: Watches,
    stats: Arc<Stats>,
    clock: Arc<dyn Clock>,
    resolution: Duration,
    retention: Retention,
    freshness: Arc<Histogram>,
    ready: readiness::Latch,
    totals: Arc<vitals::TotalsCache>,
    changes: Changes,
    looked: Mutex<changes::DetectorState>,
    /// All objects had been listed and reviewed at the last check for changes.
    complete: AtomicBool,
}

impl Query {
    /// A face over these parts. `resolution` decides how long an answer is believed.
    pub fn new(
        cluster: Arc<Cluster>,
        store: Arc<Store>,
        health: Arc<Health>,
        watches: Watches,
        stats: Arc<Stats>,
        clock: Arc<dyn Clock>,
        resolution: Duration,
    ) -> Self {
        Self {
            cluster,
            store,
            health,
            watches,
            stats,
            clock,
            resolution,
            retention: Retention::of(resolution),
            freshness: metrics::freshness::histogram(),
            ready: readiness::Latch::default(),
            totals: Arc::default(),
            changes: Changes::new(changes::instance()),
            looked: Mutex::default(),
            complete: AtomicBool::new(false),
        }
    }

    /// How often nodes are asked.
    pub fn resolution(&self) -> Duration {
        self.resolution
    }

    /// The wall clock, for `creationTimestamp`.
    pub fn wall(&self) -> kubevitals_proto::time::Timestamp {
        self.clock.wall()
    }

    /// Counts of scrapes.
    pub fn scrapes(&self) -> crate::scrape::Snapshot {
        self.stats.snapshot()
    }

    /// How the watches of nodes and pods are doing.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// What is wrong, since when and why.
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// What a node's `/stats/summary` told beside CPU and memory, if it is recent enough to be believed.
    pub fn extra(&self, node: &str) -> Option<Arc<NodeExtra>> {
        self.store.cells().get(node)?.extra(self.now())
    }

    fn now(&self) -> Age {
        self.clock.elapsed()
    }
}
