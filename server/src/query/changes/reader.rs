//! What has changed since a version, in the order of versions: whoever stops in the midst of it can go on from the last
//! one he has seen.

use std::iter::Peekable;
use std::sync::Arc;

use super::version::Version;
use super::{Scrape, VersionedSnapshot, key_of};
use crate::cluster::Pod;

/// A change of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// Its version.
    pub version: Version,
    /// The object as it was before; nothing if it was not there.
    pub before: Option<Arc<T>>,
    /// As it was afterwards; nothing if it was gone.
    pub after: Option<Arc<T>>,
}

/// Pods that have changed since a version. Those of a node that was scraped are looked up as they are asked for: there
/// may be thousands.
#[derive(Debug)]
pub struct PodChanges {
    moment: Arc<VersionedSnapshot>,
    from: Version,
    namespace: Option<Arc<str>>,
    /// Changes of pods themselves that are still to come.
    logged: Peekable<std::vec::IntoIter<Change<Pod>>>,
    /// Scrapes later than this are still to come.
    scraped: Version,
    node: Option<OfNode>,
}

/// The pods of a node, one after the other.
#[derive(Debug)]
struct OfNode {
    node: Arc<str>,
    scrape: Scrape,
    next: usize,
    end: usize,
}

impl PodChanges {
    /// Everything that has changed at `moment` since `from`, of one namespace or of all.
    pub(super) fn new(
        moment: &Arc<VersionedSnapshot>,
        from: Version,
        namespace: Option<&Arc<str>>,
    ) -> Self {
        let is_in =
            |pod: &Arc<Pod>| namespace.is_none_or(|namespace| *namespace == pod.key.namespace);
        let mut logged = moment.pods.logged(from);
        logged.retain(|change| {
            let pod = change.before.as_ref().or(change.after.as_ref());
            pod.is_some_and(is_in)
        });
        Self {
            moment: Arc::clone(moment),
            from,
            namespace: namespace.cloned(),
            logged: logged.into_iter().peekable(),
            scraped: from,
            node: None,
        }
    }

    /// Goes on to what has the next version: a change of a pod itself, which is returned, or the pods of a node that was
    /// scraped. Whether there was any.
    fn go_on(&mut self) -> (Option<Change<Pod>>, bool) {
        let scrape = self.moment.scraped_after(self.scraped);
        let logged = self
            .logged
            .next_if(|change| scrape.is_none_or(|(first, _)| change.version < first));
        if logged.is_some() {
            return (logged, true);
        }
        let Some(node) = scrape.map(|(_, node)| Arc::clone(node)) else {
            return (None, false);
        };
        self.node = self.of_node(node);
        // It is there: it was found among the scrapes.
        let last = self.node.as_ref().map(|it| it.scrape.last());
        self.scraped = last.unwrap_or(self.scraped.after(1));
        (None, true)
    }

    fn of_node(&self, node: Arc<str>) -> Option<OfNode> {
        let scrape = self.moment.scrapes.get(&node)?.clone();
        let pods = &scrape.latest.pods;
        let (next, end) = match &self.namespace {
            None => (0, pods.len()),
            Some(namespace) => (
                pods.partition_point(|pod| pod.namespace < *namespace),
                pods.partition_point(|pod| pod.namespace <= *namespace),
            ),
        };
        Some(OfNode {
            node,
            scrape,
            next,
            end,
        })
    }

    /// The change of the pod at a place among those of the node, if it was not seen, and nothing of the pod has changed
    /// since.
    fn scraped(&self, at: usize) -> Option<Change<Pod>> {
        let of_node = self.node.as_ref()?;
        let version = of_node.scrape.first.after(at);
        if version <= self.from {
            return None;
        }
        let key = key_of(of_node.scrape.latest.pods.get(at)?);
        let pod = self.moment.pods.now.get(&key)?;
        let own = self.moment.pods.changed.get(&key);
        if pod.node.as_ref() != Some(&of_node.node) || own.is_some_and(|own| *own > version) {
            return None;
        }
        Some(Change {
            version,
            before: Some(Arc::clone(pod)),
            after: Some(Arc::clone(pod)),
        })
    }
}

/// What has changed, looked for piece by piece, in the order of versions.
pub trait ChangeReader: Send {
    /// Of what.
    type Of;

    /// Looks for the next change among so many objects; whether there may be more.
    fn advance(&mut self, budget: usize) -> (Option<Change<Self::Of>>, bool);
}

impl ChangeReader for PodChanges {
    type Of = Pod;

    fn advance(&mut self, budget: usize) -> (Option<Change<Pod>>, bool) {
        for _ in 0..budget.max(1) {
            if let Some(of_node) = &mut self.node {
                if of_node.next < of_node.end {
                    let at = of_node.next;
                    of_node.next += 1;
                    if let Some(change) = self.scraped(at) {
                        return (Some(change), true);
                    }
                    continue;
                }
                self.node = None;
            }
            match self.go_on() {
                (None, true) => {}
                next => return next,
            }
        }
        (None, true)
    }
}

/// Changes that are all known.
#[derive(Debug)]
pub struct ChangeList<T>(std::vec::IntoIter<Change<T>>);

impl<T> ChangeList<T> {
    pub(super) fn new(changes: Vec<Change<T>>) -> Self {
        Self(changes.into_iter())
    }

    /// Those of objects that `wanted` wants.
    #[must_use]
    pub fn of(self, wanted: impl Fn(&T) -> bool) -> Self {
        let any = |change: &Change<T>| {
            let states = [&change.before, &change.after];
            states.into_iter().flatten().any(|state| wanted(state))
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
