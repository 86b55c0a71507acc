//! What this shard reports to the others: the latest values of each node that it scrapes, numbered by change.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::messages::NodeProbes;
use crate::store::{Cells, Latest, NodeExtra};

/// The nodes that this shard scrapes, as of the last change of each.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The number of changes so far.
    sequence: u64,
    nodes: HashMap<Arc<str>, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    latest: Option<Arc<Latest>>,
    extra: Option<Arc<NodeExtra>>,
    /// The number of the last change of the two.
    changed: u64,
    /// The encoded counters of its probes, and the number of their last change.
    probes: Option<(Bytes, u64)>,
}

/// A node whose latest values have changed.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) node: Arc<str>,
    pub(super) latest: Arc<Latest>,
    pub(super) extra: Option<Arc<NodeExtra>>,
}

/// The changes since one of another shard's requests.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The number of the last change.
    pub(super) sequence: u64,
    pub(super) reports: Vec<Changed>,
    pub(super) probes: Vec<Bytes>,
}

impl Outbox {
    /// Stores the counters of a node's probes.
    pub(super) fn store_probes(&mut self, node: &Arc<str>, probes: &NodeProbes) {
        self.sequence += 1;
        let entry = self.nodes.entry(Arc::clone(node)).or_default();
        entry.probes = Some((probes.encode_to_vec().into(), self.sequence));
    }

    /// The changes after number `since`, or everything if there is no such number. `scrapes` selects the nodes that this
    /// shard scrapes.
    pub(super) fn changes(
        &mut self,
        since: u64,
        cells: &Cells,
        scrapes: impl Fn(&str) -> bool,
    ) -> Batch {
        let since = if since > self.sequence { 0 } else { since };
        let Self { sequence, nodes } = self;
        nodes.retain(|node, _| cells.contains_key(node) && scrapes(node));
        let mut batch = Batch::default();
        for (node, cell) in cells.iter().filter(|(node, _)| scrapes(node)) {
            let (latest, extra) = (cell.latest(), cell.last_extra());
            let entry = nodes.entry(Arc::clone(node)).or_default();
            if !is_same(&entry.latest, &latest) || !is_same(&entry.extra, &extra) {
                *sequence += 1;
                entry.changed = *sequence;
                entry.latest = latest;
                entry.extra = extra;
            }
            if let Some(latest) = entry.latest.as_ref().filter(|_| entry.changed > since) {
                batch.reports.push(Changed {
                    node: Arc::clone(node),
                    latest: Arc::clone(latest),
                    extra: entry.extra.clone(),
                });
            }
            if let Some((probes, changed)) = &entry.probes
                && *changed > since
            {
                batch.probes.push(probes.clone());
            }
        }
        batch.sequence = *sequence;
        batch
    }
}

fn is_same<T>(one: &Option<Arc<T>>, other: &Option<Arc<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Age;
    use crate::store::{Absent, NodeCell, Store};

    fn publish(cell: &NodeCell) {
        cell.publish(Latest {
            scraped: Age::default(),
            node: Err(Absent::NotReported),
            pods: Box::default(),
            containers: Box::default(),
            incomplete: Box::default(),
            provisional: None,
        });
    }

    fn names(batch: &Batch) -> Vec<String> {
        let mut names: Vec<_> = batch.reports.iter().map(|it| it.node.to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn each_change_is_reported_once_to_each_shard() {
        let store = Store::default();
        let nodes = ["a", "b", "c"].map(Arc::<str>::from);
        let cells = nodes
            .each_ref()
            .map(|node| store.add(node, Duration::from_secs(15)));
        cells.iter().take(2).for_each(|cell| publish(cell));
        let mut outbox = Outbox::default();
        let first = outbox.changes(0, &store.cells(), |_| true);
        assert_eq!(names(&first), ["a", "b"]);
        let none = outbox.changes(first.sequence, &store.cells(), |_| true);
        assert_eq!(names(&none), Vec::<String>::new());
        publish(&cells[1]);
        outbox.store_probes(&nodes[0], &NodeProbes::default());
        let second = outbox.changes(first.sequence, &store.cells(), |_| true);
        assert_eq!((names(&second), second.probes.len()), (vec!["b".into()], 1));
        // Another shard asks for the first time; and one with the number of another process.
        for since in [0, 1_000] {
            let all = outbox.changes(since, &store.cells(), |_| true);
            assert_eq!(names(&all), ["a", "b"]);
        }
        // A node that is no longer scraped is not reported.
        let others = outbox.changes(0, &store.cells(), |node| node != "a");
        assert_eq!((names(&others), others.probes.len()), (vec!["b".into()], 0));
    }
}
