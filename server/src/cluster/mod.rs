//! What exists: nodes and pods, by watch, and of each only what is used.
//!
//! One task a kind writes; everyone else reads immutable snapshots, which cost nothing to take and do not
//! change under the reader.

mod node;
mod pod;
mod slim;
mod watch;

use std::sync::Arc;

use arc_swap::ArcSwap;
use imbl::OrdMap;

pub use node::{Address, AddressType, Node};
pub use pod::{Phase, Pod, PodKey};
pub use watch::{WatchHealth, WatchTasks, Watches, spawn};

use crate::intern::Interner;

/// Nodes by name.
pub type Nodes = OrdMap<Arc<str>, Arc<Node>>;

/// Pods by namespace and name.
pub type Pods = OrdMap<PodKey, Arc<Pod>>;

/// The cluster as last seen.
#[derive(Debug, Default)]
pub struct Cluster {
    nodes: ArcSwap<Nodes>,
    pods: ArcSwap<Pods>,
    names: Interner,
}

impl Cluster {
    /// All nodes, as of now.
    pub fn nodes(&self) -> Arc<Nodes> {
        self.nodes.load_full()
    }

    /// All pods, in every phase, as of now.
    pub fn pods(&self) -> Arc<Pods> {
        self.pods.load_full()
    }

    /// The names in use.
    pub fn names(&self) -> &Interner {
        &self.names
    }
}
