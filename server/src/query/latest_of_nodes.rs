//! The latest scrape of each node, for a walk over the pods of the cluster.
//!
//! The pods of the cluster and those of each node are sorted by namespace and name. So a walk stores for each node the
//! position after the last pod that it found, and the node's next pod is nearly always there: it takes one comparison of
//! two pointers, because pods and scrapes share the interned names.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::clock::Age;
use crate::cluster::{Pod, PodKey};
use crate::store::{Absent, Cells, ContainerLatest, Latest, PodLatest, PodRates, Retention};

/// The latest scrape of each node. Reads each node's scrape once, so that all its pods are of one scrape.
#[derive(Debug)]
pub(super) struct LatestOfNodes {
    cells: Arc<Cells>,
    retention: Retention,
    now: Age,
    positions: Vec<NodePosition>,
    /// The index of each node's position; none for a node that was never scraped.
    indexes: HashMap<Arc<str>, Option<usize>, RandomState>,
}

/// The scrape of a node, and the index of the pod that is probably looked up next.
#[derive(Debug)]
struct NodePosition {
    latest: Arc<Latest>,
    next: usize,
}

impl LatestOfNodes {
    /// Of these nodes at `now`.
    pub(super) fn new(cells: Arc<Cells>, retention: Retention, now: Age) -> Self {
        Self {
            cells,
            retention,
            now,
            positions: Vec::new(),
            indexes: HashMap::default(),
        }
    }

    /// The rates of a pod and its containers, or why it has none. It is fast for pods in the order of their keys.
    pub(super) fn pod(&mut self, pod: &Pod) -> Result<(PodRates, &[ContainerLatest]), Absent> {
        let node = pod.node.as_ref().ok_or(Absent::NotReported)?;
        let index = match self.indexes.get(node) {
            Some(index) => *index,
            None => self.read(node),
        };
        let position = index.and_then(|index| self.positions.get_mut(index));
        let position = position.ok_or(Absent::NotReported)?;
        let at = position.find(&pod.key).ok_or(Absent::NotReported)?;
        let pod = position.latest.pods.get(at).ok_or(Absent::NotReported)?;
        position.latest.rates_of(pod, self.retention, self.now)
    }

    /// Reads the scrape of a node.
    fn read(&mut self, node: &Arc<str>) -> Option<usize> {
        let latest = self.cells.get(node).and_then(|cell| cell.latest());
        let index = latest.map(|latest| {
            self.positions.push(NodePosition { latest, next: 0 });
            self.positions.len() - 1
        });
        self.indexes.insert(Arc::clone(node), index);
        index
    }
}

impl NodePosition {
    /// The index of a pod.
    fn find(&mut self, key: &PodKey) -> Option<usize> {
        let pods = &self.latest.pods;
        let is_same = |pod: &PodLatest| {
            Arc::ptr_eq(&pod.key.name, &key.name) && Arc::ptr_eq(&pod.key.namespace, &key.namespace)
        };
        let found = match pods.get(self.next) {
            Some(next) if is_same(next) => Ok(self.next),
            _ => pods.binary_search_by(|pod| pod.key.cmp(key)),
        };
        self.next = found.map_or_else(|insert_at| insert_at, |at| at + 1);
        found.ok()
    }
}
