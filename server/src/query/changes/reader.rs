//! Reads changes since a version, in the order of versions. A watch that stops can continue from the version of the
//! last change that it has read.

use std::iter::Peekable;
use std::ops::Range;
use std::sync::Arc;

use kubevitals_proto::vitals::Incident;

use super::snapshot::{ClusterSingleton, Scrape, VersionedSnapshot};
use super::table::Change;
use super::version::Version;
use crate::cluster::{Node, Pod};

/// The pods that have changed since a version. The pods of a scraped node are looked up one by one, because there may
/// be thousands.
#[derive(Debug)]
pub struct PodChanges {
    snapshot: Arc<VersionedSnapshot>,
    from: Version,
    namespace: Option<Arc<str>>,
    /// The remaining changes of pods themselves.
    logged: Peekable<std::vec::IntoIter<Change<Pod>>>,
    /// The version up to which scrapes have been read.
    scraped: Version,
    node: Option<NodePods>,
}

/// The remaining pods of a scraped node.
#[derive(Debug)]
struct NodePods {
    node: Arc<str>,
    scrape: Scrape,
    /// The indexes of the pods.
    left: Range<usize>,
}

impl PodChanges {
    /// Advances to the next version: the change of a pod itself, which it returns, or the pods of a scraped node. The
    /// flag says whether there was any.
    fn next_source(&mut self) -> (Option<Change<Pod>>, bool) {
        let scrape = self.snapshot.scraped_after(self.scraped);
        let logged = self
            .logged
            .next_if(|change| scrape.is_none_or(|(first, _)| change.version < first));
        if logged.is_some() {
            return (logged, true);
        }
        let Some(node) = scrape.map(|(_, node)| Arc::clone(node)) else {
            return (None, false);
        };
        self.node = self.pods_of(node);
        // The node exists: its name is from the index of scrapes.
        let last = self.node.as_ref().map(|it| it.scrape.last());
        self.scraped = last.unwrap_or(self.scraped.after(1));
        (None, true)
    }

    fn pods_of(&self, node: Arc<str>) -> Option<NodePods> {
        let scrape = self.snapshot.scrapes.get(&node)?.clone();
        let left = scrape.latest.range(self.namespace.as_deref());
        Some(NodePods { node, scrape, left })
    }

    /// The change of the node's pod at an index, unless it is before `from` or the pod has a later change of its own.
    fn scraped_pod(&self, at: usize) -> Option<Change<Pod>> {
        let node_pods = self.node.as_ref()?;
        let version = node_pods.scrape.first.after(at);
        if version <= self.from {
            return None;
        }
        let key = &node_pods.scrape.latest.pods.get(at)?.key;
        let pod = self.snapshot.pods.now.get(key)?;
        let own = self.snapshot.pods.changed.get(key);
        if pod.node.as_ref() != Some(&node_pods.node) || own.is_some_and(|own| *own > version) {
            return None;
        }
        Some(Change {
            version,
            before: Some(Arc::clone(pod)),
            after: Some(Arc::clone(pod)),
        })
    }
}

impl VersionedSnapshot {
    /// The pods that have changed since `from`, a version from which a watch can [resume](super::Changes::resume), of
    /// one namespace or of all namespaces.
    pub fn pod_changes(
        self: &Arc<Self>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> PodChanges {
        let is_in = |pod: &Arc<Pod>| namespace.is_none_or(|only| *only == pod.key.namespace);
        let mut logged = self.pods.logged(from);
        logged.retain(|change| {
            let pod = change.before.as_ref().or(change.after.as_ref());
            pod.is_some_and(is_in)
        });
        PodChanges {
            snapshot: Arc::clone(self),
            from,
            namespace: namespace.cloned(),
            logged: logged.into_iter().peekable(),
            scraped: from,
            node: None,
        }
    }

    /// The nodes that have changed since `from`.
    pub fn node_changes(&self, from: Version) -> ChangeList<Node> {
        ChangeList::new(self.nodes.changes(from))
    }

    /// The incidents that have changed since `from`.
    pub fn incident_changes(&self, from: Version) -> ChangeList<Incident> {
        ChangeList::new(self.incidents.changes(from))
    }

    /// The cluster object, which changes with every version.
    pub fn cluster_changes(&self, from: Version) -> ChangeList<ClusterSingleton> {
        let change = (self.version > from).then(|| Change {
            version: self.version,
            before: Some(Arc::new(ClusterSingleton)),
            after: Some(Arc::new(ClusterSingleton)),
        });
        ChangeList::new(change.into_iter().collect())
    }
}

/// Reads changes in the order of versions, with a limit on the work of each call.
pub trait ChangeReader: Send {
    /// The type of the objects.
    type Of;

    /// Reads up to `budget` objects for the next change. The flag says whether there may be more changes.
    fn advance(&mut self, budget: usize) -> (Option<Change<Self::Of>>, bool);
}

impl ChangeReader for PodChanges {
    type Of = Pod;

    fn advance(&mut self, budget: usize) -> (Option<Change<Pod>>, bool) {
        for _ in 0..budget.max(1) {
            if let Some(node_pods) = &mut self.node {
                if let Some(at) = node_pods.left.next() {
                    if let Some(change) = self.scraped_pod(at) {
                        return (Some(change), true);
                    }
                    continue;
                }
                self.node = None;
            }
            match self.next_source() {
                (None, true) => {}
                next => return next,
            }
        }
        (None, true)
    }
}

/// A list of changes.
#[derive(Debug)]
pub struct ChangeList<T>(std::vec::IntoIter<Change<T>>);

impl<T> ChangeList<T> {
    pub(super) fn new(changes: Vec<Change<T>>) -> Self {
        Self(changes.into_iter())
    }

    /// The changes of objects that pass `filter`, before or after the change.
    #[must_use]
    pub fn of(self, filter: impl Fn(&T) -> bool) -> Self {
        let any = |change: &Change<T>| {
            let states = [&change.before, &change.after];
            states.into_iter().flatten().any(|state| filter(state))
        };
        Self::new(self.0.filter(any).collect())
    }
}

impl<T: Send + Sync> ChangeReader for ChangeList<T> {
    type Of = T;

    fn advance(&mut self, _budget: usize) -> (Option<Change<T>>, bool) {
        let next = self.0.next();
        let more = next.is_some();
        (next, more)
    }
}
