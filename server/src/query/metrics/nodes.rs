//! Nodes with their usage.

use std::sync::Arc;

use super::freshness::Ages;
use crate::clock::Age;
use crate::cluster::Node;
use crate::query::sources::Sources;
use crate::store::{Absent, Cells, NodeLatest};

/// A node that has metrics.
#[derive(Debug, PartialEq, Eq)]
pub struct NodeReading {
    /// The node.
    pub node: Arc<Node>,
    /// Its usage.
    pub latest: NodeLatest,
}

/// All nodes that have metrics and pass `filter`, by name.
pub(super) fn list(
    sources: &Sources,
    mut ages: Ages,
    filter: impl Fn(&Node) -> bool,
) -> Vec<NodeReading> {
    let (now, cells) = (sources.now(), sources.store.cells());
    let nodes = sources.cluster.nodes();
    let nodes = nodes.values().filter(|node| filter(node));
    nodes
        .filter_map(|node| reading(sources, &cells, node, now, &mut ages).ok())
        .collect()
}

/// The current reading of a node, or why it has none.
pub(super) fn reading(
    sources: &Sources,
    cells: &Cells,
    node: &Arc<Node>,
    now: Age,
    ages: &mut Ages,
) -> Result<NodeReading, Absent> {
    let latest = cells.get(&node.name).and_then(|cell| cell.latest());
    let latest = latest.ok_or(Absent::NotReported)?;
    let latest = *latest.node(sources.retention, now)?;
    ages.observe(latest.usage.at);
    Ok(NodeReading {
        node: Arc::clone(node),
        latest,
    })
}
