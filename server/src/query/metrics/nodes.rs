//! Nodes with their usage.

use std::sync::Arc;

use kubevitals_proto::metrics::encode::{MetaRef, NodeRef, UsageRef};
use kubevitals_proto::time::Timestamp;

use super::freshness::Ages;
use super::{MetricsLookup, MetricsQuery};
use crate::clock::Age;
use crate::cluster::Node;
use crate::store::{Absent, Cells, NodeLatest};

/// A node that has metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct NodeReading {
    /// The node.
    pub node: Arc<Node>,
    /// Its usage.
    pub latest: NodeLatest,
}

impl NodeReading {
    /// As the encoders read it, in a response at `created`.
    pub fn to_item(&self, created: Timestamp) -> NodeRef<'_> {
        let usage = &self.latest.usage;
        NodeRef {
            meta: MetaRef {
                name: &self.node.name,
                namespace: "",
                creation: created,
                labels: &self.node.labels,
            },
            timestamp: usage.at,
            window: usage.window,
            usage: UsageRef {
                cpu: usage.cpu,
                memory: usage.memory,
            },
        }
    }
}

impl MetricsQuery<'_> {
    /// All nodes that have metrics and pass `filter`, by name.
    pub fn nodes(self, filter: impl Fn(&Node) -> bool) -> Vec<NodeReading> {
        let (now, cells, mut ages) = (self.sources.now(), self.sources.store.cells(), self.ages());
        let nodes = self.sources.cluster.nodes();
        let nodes = nodes.values().filter(|node| filter(node));
        nodes
            .filter_map(|node| self.node_reading(&cells, node, now, &mut ages).ok())
            .collect()
    }

    /// Looks up one node.
    pub fn node(self, name: &str) -> MetricsLookup<NodeReading> {
        let (nodes, cells) = (self.sources.cluster.nodes(), self.sources.store.cells());
        match nodes.get(name) {
            Some(node) => self
                .node_reading(&cells, node, self.sources.now(), &mut self.ages())
                .into(),
            None => MetricsLookup::Unknown,
        }
    }

    /// The current reading of a node, or why it has none.
    fn node_reading(
        self,
        cells: &Cells,
        node: &Arc<Node>,
        now: Age,
        ages: &mut Ages,
    ) -> Result<NodeReading, Absent> {
        let latest = cells.get(&node.name).and_then(|cell| cell.latest());
        let latest = latest.ok_or(Absent::NotReported)?;
        let latest = *latest.node(self.sources.retention, now)?;
        ages.observe(latest.usage.at);
        Ok(NodeReading {
            node: Arc::clone(node),
            latest,
        })
    }
}
