//! How far the series of each node are written.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

/// The time of the newest sample of each node that is in the queue, by the clock of its kubelet. Every later scrape of the
/// node has later samples, so one time for all containers of a node is enough.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Cursor {
    #[prost(message, repeated, tag = "1")]
    nodes: Vec<NodeTime>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NodeTime {
    #[prost(string, tag = "1")]
    node: String,
    #[prost(sfixed64, tag = "2")]
    newest: i64,
}

impl Cursor {
    pub(super) fn of<'a>(nodes: impl Iterator<Item = (&'a Arc<str>, Timestamp)>) -> Self {
        let nodes = nodes.map(|(node, newest)| NodeTime {
            node: node.to_string(),
            newest: newest.0,
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// By node.
    pub(super) fn times(self) -> HashMap<Box<str>, Timestamp> {
        let nodes = self.nodes.into_iter();
        nodes
            .map(|it| (it.node.into(), Timestamp(it.newest)))
            .collect()
    }
}
