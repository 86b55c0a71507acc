//! The latest rates of every node, each published as a whole, and the history before them.
//!
//! One task for each node writes the node's cell. Readers take the cell's current snapshot.

mod duplicate;
mod extra;
pub mod history;
mod latest;
mod maintenance;
mod node_clock;
mod rate;
mod report;
pub mod ring;
mod scrape_result;
mod series;
mod snapshot;
mod sorted;
mod tracked_series;

use std::collections::HashMap as Map;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use imbl::HashMap;
use parking_lot::{Mutex, MutexGuard};

use crate::clock::Age;

pub use extra::{
    ClaimExtra, Disk, Measurement, NetworkRate, NodeExtra, Percent, PodExtra, Pressure, Swap,
    Traffic,
};
pub use history::History;
pub use latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Retention,
};
pub use maintenance::maintain;
pub use node_clock::ScrapeTimes;
pub use rate::{Bounds, Lack, NoRate, Pair, Point, Usage};
pub use report::NodeReport;
pub use series::{FirstRates, NodeSeries, SeriesSize};
pub use snapshot::{NodeSnapshot, RestoredNode};

/// The latest values of one node; empty until its first scrape succeeded.
#[derive(Debug)]
pub struct NodeCell {
    series: Mutex<NodeSeries>,
    latest: ArcSwapOption<Latest>,
    extra: ArcSwapOption<NodeExtra>,
}

impl NodeCell {
    /// An empty cell.
    pub fn new(resolution: Duration) -> Self {
        Self {
            series: Mutex::new(NodeSeries::new(resolution)),
            latest: ArcSwapOption::empty(),
            extra: ArcSwapOption::empty(),
        }
    }

    /// The series from which rates are computed. The node's task locks them during a scrape, and a snapshot locks them
    /// for a copy, both for microseconds. Readers of the latest values do not use this lock.
    pub fn series(&self) -> MutexGuard<'_, NodeSeries> {
        self.series.lock()
    }

    /// A snapshot of the node's series and rates at `now`, for another process; none before this process has scraped the
    /// node.
    pub fn snapshot(&self, now: Age) -> Option<NodeSnapshot> {
        let series = self.series.lock();
        let latest = self.latest().filter(|_| !series.is_empty())?;
        Some(NodeSnapshot::of(&series, &latest, now))
    }

    /// Restores the series of another process, if the cell has none, and its rates, if they are newer.
    fn restore(&self, restored: RestoredNode) {
        let mut series = self.series.lock();
        if series.is_empty() {
            *series = restored.series;
            self.publish_newer(restored.latest);
        }
    }

    /// Publishes what another process has scraped, if it is newer. This process no longer scrapes the node, so its
    /// series are dropped. Returns whether it was newer.
    pub fn publish_remote(&self, latest: Latest) -> bool {
        let mut series = self.series.lock();
        if !series.is_empty() {
            series.clear();
        }
        self.publish_newer(latest)
    }

    /// Called with the lock of the series.
    fn publish_newer(&self, latest: Latest) -> bool {
        let stored = self.latest.load();
        let is_newer = stored
            .as_ref()
            .is_none_or(|stored| stored.scraped < latest.scraped);
        if is_newer {
            self.publish(latest);
        }
        is_newer
    }

    /// The result of the last successful scrape.
    pub fn latest(&self) -> Option<Arc<Latest>> {
        self.latest.load_full()
    }

    /// Publishes the result of a scrape.
    pub fn publish(&self, latest: Latest) {
        self.latest.store(Some(Arc::new(latest)));
    }

    /// The last data of `/stats/summary` besides CPU and memory, unless it is stale at `now`.
    pub fn extra(&self, now: Age) -> Option<Arc<NodeExtra>> {
        self.last_extra().filter(|extra| extra.is_fresh(now))
    }

    /// The same data, even if it is stale: the next response computes rates from it.
    pub fn last_extra(&self) -> Option<Arc<NodeExtra>> {
        self.extra.load_full()
    }

    /// Publishes the data of `/stats/summary`.
    pub fn publish_extra(&self, extra: NodeExtra) {
        self.extra.store(Some(Arc::new(extra)));
    }
}

/// The cells of all nodes.
pub type Cells = HashMap<Arc<str>, Arc<NodeCell>>;

/// The latest values of the cluster, and their history.
#[derive(Debug)]
pub struct Store {
    cells: ArcSwap<Cells>,
    /// The restored state of nodes that the cluster does not have yet.
    restored: Mutex<Map<Arc<str>, RestoredNode>>,
    history: History,
    /// The last minutes of nodes that other processes scrape; none if this process scrapes all.
    of_others: Option<History>,
}

impl Default for Store {
    /// A store without history.
    fn default() -> Self {
        Self::new(history::Settings::OFF)
    }
}

impl Store {
    /// An empty store with these settings of the history.
    pub fn new(settings: history::Settings) -> Self {
        Self {
            cells: ArcSwap::default(),
            restored: Mutex::default(),
            history: History::new(settings),
            of_others: None,
        }
    }

    /// The same with the last minutes of nodes that other processes scrape, for the causes of restarts.
    #[must_use]
    pub fn with_history_of_others(mut self, retention: Duration) -> Self {
        let settings = *self.history.settings();
        self.of_others = Some(History::new(history::Settings {
            retention: retention.min(settings.retention),
            ..settings
        }));
        self
    }

    /// The history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The last minutes of nodes that other processes scrape; none if this process scrapes all.
    pub fn history_of_others(&self) -> Option<&History> {
        self.of_others.as_ref()
    }

    /// A snapshot of all cells.
    pub fn cells(&self) -> Arc<Cells> {
        self.cells.load_full()
    }

    /// Adds a node with its restored state, unless it exists, and returns its cell.
    pub fn add(&self, node: &Arc<str>, resolution: Duration) -> Arc<NodeCell> {
        if let Some(cell) = self.cells.load().get(node) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(NodeCell::new(resolution));
        if let Some(restored) = self.restored.lock().remove(node) {
            cell.restore(restored);
        }
        self.cells
            .rcu(|cells| cells.update(Arc::clone(node), Arc::clone(&cell)));
        cell
    }

    /// Restores the state of a node from another process. It has no effect if the node has been scraped.
    pub fn restore(&self, node: &Arc<str>, restored: RestoredNode) {
        if let Some(cell) = self.cells.load().get(node) {
            return cell.restore(restored);
        }
        self.restored.lock().insert(Arc::clone(node), restored);
    }

    /// Drops the restored state of nodes that did not appear.
    pub fn drop_restored(&self) {
        *self.restored.lock() = Map::new();
    }

    /// Removes a node.
    pub fn remove(&self, node: &str) {
        self.cells.rcu(|cells| cells.without(node));
    }
}
