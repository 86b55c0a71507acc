//! Nodes with their usage.

use std::sync::Arc;

use super::freshness::Ages;
use crate::cluster::Node;
use crate::query::{Found, Query};
use crate::store::{Absent, NodeLatest};

/// A node that has metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct NodeReading {
    /// The node.
    pub node: Arc<Node>,
    /// Its usage.
    pub latest: NodeLatest,
}

impl Query {
    /// All nodes that have metrics and pass `filter`, by name.
    pub fn nodes(&self, filter: impl Fn(&Node) -> bool) -> Vec<NodeReading> {
        let now = self.now();
        let mut ages = Ages::of(&self.freshness, self.wall());
        let cells = self.store.cells();
        self.cluster
            .nodes()
            .values()
            .filter(|node| filter(node))
            .filter_map(|node| {
                let latest = cells.get(&node.name)?.latest()?;
                let latest = *latest.node(self.retention, now).ok()?;
                ages.observe(latest.usage.at);
                Some(NodeReading {
                    node: Arc::clone(node),
                    latest,
                })
            })
            .collect()
    }

    /// One node.
    pub fn node(&self, name: &str) -> Found<NodeReading> {
        let nodes = self.cluster.nodes();
        let Some(node) = nodes.get(name) else {
            return Found::Unknown;
        };
        let Some(latest) = self.store.cells().get(name).and_then(|cell| cell.latest()) else {
            return Found::NoMetrics(Absent::NotReported);
        };
        match latest.node(self.retention, self.now()) {
            Ok(latest) => {
                Ages::of(&self.freshness, self.wall()).observe(latest.usage.at);
                Found::Metrics(NodeReading {
                    node: Arc::clone(node),
                    latest: *latest,
                })
            }
            Err(absent) => Found::NoMetrics(absent),
        }
    }
}
