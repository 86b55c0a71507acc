//! The objects of lists, as the encoders of `proto` read them.

use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::metrics::encode::{Item, Kind, NodeRef, PodRef};
use kubevitals_proto::time::Timestamp;

use crate::api::selection::Selection;
use crate::query::{ContainerLatest, NodeReading, PodCursor, PodList, Query, Visit};

/// The objects of one snapshot. They can be visited more than once.
pub(super) trait ObjectSource: Send + 'static {
    /// The kind of the objects.
    const KIND: Kind;
    /// One object.
    type Item<'a>: Item;

    /// Restarts with the first object.
    fn rewind(&mut self);

    /// Visits objects until `each` returns false, or `budget` candidates have been visited. Reads `what` of them. Returns
    /// whether there is more.
    fn advance(
        &mut self,
        budget: usize,
        what: Visit,
        each: impl FnMut(&Self::Item<'_>) -> bool,
    ) -> bool;
}

/// The nodes that a list selects.
pub(super) struct Nodes {
    readings: Vec<NodeReading>,
    next: usize,
    created: Timestamp,
}

impl Nodes {
    pub(super) fn new(query: &Query, selection: &Selection) -> Self {
        Self {
            readings: query
                .metrics()
                .nodes(|node| matches(selection, "", &node.name, &node.labels)),
            next: 0,
            created: query.wall(),
        }
    }
}

impl ObjectSource for Nodes {
    const KIND: Kind = Kind::Node;
    type Item<'a> = NodeRef<'a>;

    fn rewind(&mut self) {
        self.next = 0;
    }

    fn advance(
        &mut self,
        budget: usize,
        _: Visit,
        mut each: impl FnMut(&Self::Item<'_>) -> bool,
    ) -> bool {
        let rest = self.readings.get(self.next..).unwrap_or_default();
        for reading in rest.iter().take(budget) {
            self.next += 1;
            if !each(&reading.to_item(self.created)) {
                break;
            }
        }
        self.next < self.readings.len()
    }
}

/// The pods that a list selects.
pub(super) struct Pods {
    list: PodList,
    namespace: Option<Arc<str>>,
    cursor: PodCursor,
    selection: Selection,
    created: Timestamp,
}

impl Pods {
    pub(super) fn new(query: &Query, namespace: Option<&str>, selection: Selection) -> Self {
        let namespace: Option<Arc<str>> = namespace.map(Arc::from);
        Self {
            list: query.metrics().pods(),
            cursor: PodCursor::new(namespace.clone()),
            namespace,
            selection,
            created: query.wall(),
        }
    }
}

impl ObjectSource for Pods {
    const KIND: Kind = Kind::Pod;
    type Item<'a> = PodRef<'a, ContainerLatest>;

    fn rewind(&mut self) {
        self.cursor = PodCursor::new(self.namespace.clone());
    }

    fn advance(
        &mut self,
        budget: usize,
        what: Visit,
        mut each: impl FnMut(&Self::Item<'_>) -> bool,
    ) -> bool {
        let (selection, created) = (&self.selection, self.created);
        self.list.visit(
            &mut self.cursor,
            budget,
            what,
            |pod| matches(selection, &pod.key.namespace, &pod.key.name, &pod.labels),
            |reading| each(&reading.to_item(created)),
        )
    }
}

/// Whether an object is selected. `namespace` is empty for an object without namespace.
fn matches(selection: &Selection, namespace: &str, name: &str, labels: &Labels) -> bool {
    selection.matches(labels, |field| match field {
        "metadata.name" => Some(name),
        "metadata.namespace" => Some(namespace),
        _ => None,
    })
}
