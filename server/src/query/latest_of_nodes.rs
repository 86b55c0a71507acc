//! The latest scrape of each node, for a walk over the pods of the cluster.
//!
//! The pods of the cluster and those of each node are sorted by namespace and name. So a walk stores for each node the
//! position after the last pod that it found, and the node's next pod is nearly always there: it takes one comparison of
//! two pointers, because pods and scrapes share the interned names.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::clock::Age;
use crate::cluster::{Pod, PodKey};
use crate::store::{Absent, Cells, ContainerLatest, Latest, PodRates, Retention};

/// The number of pods that are looked up together. A lookup waits for memory. In a short loop the processor begins the
/// next lookups meanwhile; it would not reach them behind the encoding of a pod.
pub(super) const BATCH: usize = 16;

/// The latest scrape of each node. Reads each node's scrape once, so that all its pods are of one scrape.
#[derive(Debug)]
pub struct LatestOfNodes {
    cells: Arc<Cells>,
    retention: Retention,
    now: Age,
    nodes: Vec<NodePosition>,
    /// The index of each node in `nodes`, by the address of its name; none for a node that was never scraped. To hash an
    /// address takes no read of memory.
    indexes: HashMap<usize, Option<usize>, RandomState>,
    /// Names at other addresses than the names in `cells`. They stay here, so that no other name gets their addresses.
    other_names: Vec<Arc<str>>,
}

/// The scrape of a node, and the index of the pod that is probably looked up next.
#[derive(Debug)]
struct NodePosition {
    latest: Arc<Latest>,
    next: usize,
}

/// The place of a pod in the scrape of its node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    node: usize,
    pod: usize,
}

impl LatestOfNodes {
    /// Of these nodes at `now`.
    pub fn new(cells: Arc<Cells>, retention: Retention, now: Age) -> Self {
        Self {
            cells,
            retention,
            now,
            nodes: Vec::new(),
            indexes: HashMap::default(),
            other_names: Vec::new(),
        }
    }

    /// Looks up a pod; none if its node's scrape did not contain it. It is fast for pods in the order of their keys.
    pub(super) fn find(&mut self, pod: &Pod) -> Option<Place> {
        let node = self.node(pod)?;
        let pod = self.nodes.get_mut(node)?.find(&pod.key)?;
        Some(Place { node, pod })
    }

    /// Looks up [`BATCH`] pods, or those that are left, and replaces `found` by those that their nodes' scrapes contain.
    pub(super) fn find_batch<'p>(
        &mut self,
        pods: impl Iterator<Item = &'p Arc<Pod>>,
        found: &mut Vec<(&'p Arc<Pod>, Place)>,
    ) {
        found.clear();
        let pods = pods.take(BATCH);
        found.extend(pods.filter_map(|pod| {
            let node = self.node(pod)?;
            Some((pod, Place { node, pod: 0 }))
        }));
        found.retain_mut(|(pod, place)| {
            let node = self.nodes.get_mut(place.node);
            let at = node.and_then(|node| node.find(&pod.key));
            place.pod = at.unwrap_or_default();
            at.is_some()
        });
    }

    /// The index of a pod's node.
    fn node(&mut self, pod: &Pod) -> Option<usize> {
        let name = pod.node.as_ref()?;
        match self.indexes.get(&address(name)) {
            Some(node) => *node,
            None => self.read(name),
        }
    }

    /// The rates of a pod and its containers, or why it has none.
    pub(super) fn rates(&self, place: Place) -> Result<(PodRates, &[ContainerLatest]), Absent> {
        let node = self.nodes.get(place.node).ok_or(Absent::NotReported)?;
        let pod = node.latest.pods.get(place.pod);
        let pod = pod.ok_or(Absent::NotReported)?;
        node.latest.rates_of(pod, self.retention, self.now)
    }

    /// Reads the first and the last container of each pod, so that the processor waits for all of them at once.
    pub(super) fn read_containers_ahead(&self, found: &[(&Arc<Pod>, Place)]) {
        for (_, place) in found {
            let node = self.nodes.get(place.node);
            let containers = node.map(|node| node.latest.containers_at(place.pod));
            let containers = containers.unwrap_or_default();
            black_box(containers.first().map(|container| container.cpu));
            black_box(containers.last().map(|container| container.memory));
        }
    }

    /// Reads the scrape of a node, unless it has been read for the same name at another address. Returns its index.
    fn read(&mut self, name: &Arc<str>) -> Option<usize> {
        let cell = self.cells.get_key_value(name);
        let node = cell.and_then(|(own_name, cell)| {
            *self.indexes.entry(address(own_name)).or_insert_with(|| {
                let latest = cell.latest()?;
                self.nodes.push(NodePosition { latest, next: 0 });
                Some(self.nodes.len() - 1)
            })
        });
        if cell.is_none_or(|(own_name, _)| !Arc::ptr_eq(own_name, name)) {
            self.indexes.insert(address(name), node);
            self.other_names.push(Arc::clone(name));
        }
        node
    }
}

fn address(name: &Arc<str>) -> usize {
    Arc::as_ptr(name).addr()
}

impl NodePosition {
    /// The index of a pod.
    fn find(&mut self, key: &PodKey) -> Option<usize> {
        let pods = &self.latest.pods;
        // The first pod follows the last one: a list in protobuf visits all pods twice.
        let next = if self.next < pods.len() { self.next } else { 0 };
        let found = match pods.get(next) {
            Some(pod) if pod.key.is_same(key) => Ok(next),
            _ => pods.binary_search_by(|pod| pod.key.cmp(key)),
        };
        self.next = found.map_or_else(|insert_at| insert_at, |at| at + 1);
        found.ok()
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::Bytes;

    use super::*;
    use crate::store::PodLatest;

    #[test]
    fn a_pod_is_found_in_any_order() {
        let pods = ["a", "b", "c"].map(|name| PodLatest {
            key: PodKey::new("shop", name),
            rates: Err(Absent::NotReported),
            swap: Bytes(0),
        });
        let interned = pods.each_ref().map(|pod| pod.key.clone());
        let latest = Latest {
            scraped: Age::default(),
            node: Err(Absent::NotReported),
            pods: Box::new(pods),
            containers: Box::default(),
            incomplete: Box::default(),
            provisional: None,
        };
        let mut node = NodePosition {
            latest: Arc::new(latest),
            next: 0,
        };
        for _ in 0..2 {
            for (at, key) in interned.iter().enumerate() {
                assert_eq!(node.find(key), Some(at));
            }
        }
        // Other keys with the same names, and names that the node does not have.
        for (name, at) in [("c", 2), ("a", 0), ("b", 1), ("b", 1)] {
            assert_eq!(node.find(&PodKey::new("shop", name)), Some(at), "{name}");
            let absent = [("shop", "aa"), ("bank", "b"), ("shop", "d")];
            let absent = absent.map(|(namespace, name)| PodKey::new(namespace, name));
            assert!(absent.iter().all(|key| node.find(key).is_none()));
        }
    }
}
