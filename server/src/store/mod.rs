//! What was measured: the latest rates of every node, each published whole.
//!
//! One task a node writes its cell; readers take the cell's current value and keep it as long as they like.

mod latest;
mod rate;
mod series;

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use imbl::HashMap;

pub use latest::{
    Absent, ContainerLatest, ContainerState, Latest, NodeLatest, PodLatest, PodRates, Retention,
};
pub use rate::{Lack, NoRate, Pair, Point, Usage};
pub use series::{Held, NodeSeries, StandIn};

/// The latest values of one node; empty until its first scrape succeeded.
#[derive(Debug, Default)]
pub struct NodeCell {
    latest: ArcSwapOption<Latest>,
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
}

/// The cells of all nodes.
pub type Cells = HashMap<Arc<str>, Arc<NodeCell>>;

/// The latest values of the cluster.
#[derive(Debug, Default)]
pub struct Store {
    cells: ArcSwap<Cells>,
}

impl Store {
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
