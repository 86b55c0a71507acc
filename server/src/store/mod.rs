//! What was measured: the latest rates of every node, each published whole.
//!
//! One task a node writes its cell; readers take the cell's current value and keep it as long as they like.

mod duplicate;
mod extra;
pub mod history;
mod latest;
mod maintenance;
mod node_clock;
mod rate;
pub mod ring;
mod series;
mod snapshot;
mod tracked_series;

use std::collections::HashMap as Map;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use imbl::HashMap;
use parking_lot::{Mutex, MutexGuard};

use crate::clock::Age;

pub use extra::{Disk, NetworkRate, NodeExtra, Percent, PodExtra, Pressure, Swap, Traffic};
pub use history::History;
pub use latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Retention,
};
pub use maintenance::maintain;
pub use node_clock::ScrapeTimes;
pub use rate::{Bounds, Lack, NoRate, Pair, Point, Usage};
pub use series::{Held, NodeSeries, StandIn};
pub use snapshot::{NodeSnapshot, RestoredNode};

/// The latest values of one node; empty until its first scrape succeeded.
#[derive(Debug)]
pub struct NodeCell {
    series: Mutex<NodeSeries>,
    latest: ArcSwapOption<Latest>,
    extra: ArcSwapOption<NodeExtra>,
}

impl NodeCell {
    /// An empty one.
    pub fn new(resolution: Duration) -> Self {
        Self {
            series: Mutex::new(NodeSeries::new(resolution)),
            latest: ArcSwapOption::empty(),
            extra: ArcSwapOption::empty(),
        }
    }

    /// The points that rates are made of. The node's task holds the lock while it takes a scrape in, whoever writes
    /// them down while it copies them, for microseconds each; readers of the latest values have no use for it.
    pub fn series(&self) -> MutexGuard<'_, NodeSeries> {
        self.series.lock()
    }

    /// The node's points and rates at `now`, for another process; nothing before the first scrape.
    pub fn snapshot(&self, now: Age) -> Option<NodeSnapshot> {
        let series = self.series.lock();
        let latest = self.latest()?;
        Some(NodeSnapshot::of(&series, &latest, now))
    }

    /// Takes what an earlier process knew, if nothing is known yet.
    fn restore(&self, restored: RestoredNode) {
        let mut series = self.series.lock();
        if series.is_empty() && self.latest.load().is_none() {
            *series = restored.series;
            self.publish(restored.latest);
        }
    }

    /// What the last successful scrape gave.
    pub fn latest(&self) -> Option<Arc<Latest>> {
        self.latest.load_full()
    }

    /// Publishes what a scrape gave.
    pub fn publish(&self, latest: Latest) {
        self.latest.store(Some(Arc::new(latest)));
    }

    /// What the last answer of `/stats/summary` gave beside CPU and memory, if it may still be answered at `now`.
    pub fn extra(&self, now: Age) -> Option<Arc<NodeExtra>> {
        self.last_extra().filter(|extra| extra.is_believed(now))
    }

    /// The same, however old it is: the next answer makes rates with it.
    pub fn last_extra(&self) -> Option<Arc<NodeExtra>> {
        self.extra.load_full()
    }

    /// Publishes what an answer of `/stats/summary` gave.
    pub fn publish_extra(&self, extra: NodeExtra) {
        self.extra.store(Some(Arc::new(extra)));
    }
}

/// The cells of all nodes.
pub type Cells = HashMap<Arc<str>, Arc<NodeCell>>;

/// The latest values of the cluster, and those before them.
#[derive(Debug)]
pub struct Store {
    cells: ArcSwap<Cells>,
    /// What an earlier process knew of nodes that have not shown up yet.
    restored: Mutex<Map<Arc<str>, RestoredNode>>,
    history: History,
}

impl Default for Store {
    /// A store of the latest values alone.
    fn default() -> Self {
        Self::new(history::Settings::OFF)
    }
}

impl Store {
    /// An empty store that remembers so much.
    pub fn new(settings: history::Settings) -> Self {
        Self {
            cells: ArcSwap::default(),
            restored: Mutex::default(),
            history: History::new(settings),
        }
    }

    /// What was before the latest values.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// All cells, as of now.
    pub fn cells(&self) -> Arc<Cells> {
        self.cells.load_full()
    }

    /// Adds a node and gives its cell, with what an earlier process knew of it.
    pub fn add(&self, node: &Arc<str>, resolution: Duration) -> Arc<NodeCell> {
        let cell = Arc::new(NodeCell::new(resolution));
        if let Some(restored) = self.restored.lock().remove(node) {
            cell.restore(restored);
        }
        self.cells
            .rcu(|cells| cells.update(Arc::clone(node), Arc::clone(&cell)));
        cell
    }

    /// Takes what an earlier process, or another one, knew of a node. It is of no effect if the node has been scraped.
    pub fn restore(&self, node: &Arc<str>, restored: RestoredNode) {
        if let Some(cell) = self.cells.load().get(node) {
            return cell.restore(restored);
        }
        self.restored.lock().insert(Arc::clone(node), restored);
    }

    /// Forgets what an earlier process knew of nodes that have not shown up.
    pub fn drop_restored(&self) {
        *self.restored.lock() = Map::new();
    }

    /// Forgets a node.
    pub fn remove(&self, node: &str) {
        self.cells.rcu(|cells| cells.without(node));
    }
}
