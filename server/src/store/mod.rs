//! What was measured: the latest rates of every node, each published whole.
//!
//! One task a node writes its cell; readers take the cell's current value and keep it as long as they like.

mod extra;
pub mod history;
mod latest;
mod rate;
pub mod ring;
mod series;

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use imbl::HashMap;

use crate::clock::Age;

pub use extra::{Disk, NetworkRate, NodeExtra, Percent, PodExtra, Pressure, Swap, Traffic};
pub use history::History;
pub use latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Retention,
};
pub use rate::{Lack, NoRate, Pair, Point, Usage};
pub use series::{Held, NodeSeries, StandIn};

/// The latest values of one node; empty until its first scrape succeeded.
#[derive(Debug, Default)]
pub struct NodeCell {
    latest: ArcSwapOption<Latest>,
    extra: ArcSwapOption<NodeExtra>,
}

impl NodeCell {
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

    /// Adds a node and gives its cell, empty.
    pub fn add(&self, node: &Arc<str>) -> Arc<NodeCell> {
        let cell = Arc::new(NodeCell::default());
        self.cells
            .rcu(|cells| cells.update(Arc::clone(node), Arc::clone(&cell)));
        cell
    }

    /// Forgets a node.
    pub fn remove(&self, node: &str) {
        self.cells.rcu(|cells| cells.without(node));
    }
}
