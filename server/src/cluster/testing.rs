//! Objects as the watches read them, and a cluster that tests change, for tests of observers.

use std::sync::Arc;

use kubevitals_proto::objects::{Pools, WireEvent, WireNode, WirePod};
use serde_json::Value;

use super::{Cluster, Event, Node, Nodes, Pod, Pods};

impl Cluster {
    /// Changes the current pods.
    pub(crate) fn change_pods<T>(&self, change: impl FnOnce(&mut Pods) -> T) -> T {
        let mut pods = Arc::unwrap_or_clone(self.pods());
        let result = change(&mut pods);
        self.pods.store(Arc::new(pods));
        result
    }

    /// Changes the current nodes.
    pub(crate) fn change_nodes<T>(&self, change: impl FnOnce(&mut Nodes) -> T) -> T {
        let mut nodes = Arc::unwrap_or_clone(self.nodes());
        let result = change(&mut nodes);
        self.nodes.store(Arc::new(nodes));
        result
    }
}

/// Reads objects, with interned strings.
#[derive(Debug, Default)]
pub(crate) struct Reader(Pools);

impl Reader {
    /// Stores the endpoints of pods from now on.
    pub(crate) fn store_endpoints(&self) {
        self.0.store_endpoints();
    }

    pub(crate) fn pod(&self, json: Value) -> Arc<Pod> {
        let pod: WirePod = serde_json::from_value(json).unwrap();
        Arc::new(pod.convert(&self.0).unwrap())
    }

    pub(crate) fn node(&self, json: Value) -> Arc<Node> {
        let node: WireNode = serde_json::from_value(json).unwrap();
        Arc::new(node.convert(&self.0).unwrap())
    }

    /// None for an event that is not about a pod.
    pub(crate) fn event(&self, json: Value) -> Option<Event> {
        let event: WireEvent = serde_json::from_value(json).unwrap();
        event.convert(&self.0.names)
    }
}
