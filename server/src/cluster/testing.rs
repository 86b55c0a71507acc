//! Objects as the watches read them, for tests of observers.

use std::sync::Arc;

use kubevitals_proto::objects::{Pools, WireEvent, WireNode, WirePod};
use serde_json::Value;

use super::{Event, Node, Pod};

/// Reads objects, with interned strings.
#[derive(Debug, Default)]
pub(crate) struct Reader(Pools);

impl Reader {
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
