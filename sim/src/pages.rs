//! The simulated kubelets' pages without sockets, for tests and benchmarks that feed a store at speed.

use kubevitals_proto::time::Timestamp;

use crate::clock::SimClock;
use crate::cluster::{now, world};
use crate::config::Config;
use crate::kubelet::{Answer, Page, Pages as _};
use crate::objects::{Resource, Snapshot, Store};
use crate::world::World;

/// A simulated cluster that is read directly: no sockets, no API server, no task.
#[derive(Debug)]
pub struct Pages {
    world: World,
    clock: SimClock,
}

impl Pages {
    /// The cluster that [`Config`] describes, as of `start`: its size, its seed and its faults. The
    /// other options have no effect. Time stands until it is [advanced](Self::advance).
    #[must_use]
    pub fn new(config: &Config, start: Timestamp) -> Self {
        let clock = SimClock::manual(start);
        let world = world(config, &clock, &Store::new(now(&clock)), 10_250, None);
        Self { world, clock }
    }

    /// Lets time pass; what was due in it has happened when a page is read.
    pub fn advance(&self, by: std::time::Duration) {
        self.clock.advance(by);
    }

    /// The cluster's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The nodes' names, in the order of their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.world.nodes.iter().map(|node| &*node.name)
    }

    /// Appends what `/metrics/resource` of a node says; false if its kubelet does not answer.
    pub fn resource(&self, node: usize, out: &mut Vec<u8>) -> bool {
        self.world.write(node, Page::Resource, 0, out) == Answer::Written
    }

    /// The objects of a kind, as the API server would list them.
    #[must_use]
    pub fn objects(&self, resource: Resource) -> Snapshot {
        self.world.store.snapshot(resource)
    }
}
