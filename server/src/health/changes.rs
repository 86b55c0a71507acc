//! A log of changes, for watches.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use kubevitals_proto::vitals::{Involved, Meta};

use crate::cluster::PodKey;

/// The capacity of the log. A reader that has missed more changes must read everything.
const LOG_CAPACITY: usize = 8192;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// The probes, the restarts or the incidents of a pod have changed.
    Pod(PodKey),
    /// An incident has changed, or was dropped.
    Incident {
        namespace: Arc<str>,
        name: Arc<str>,
        dropped: bool,
    },
    /// An incident was announced: a change of the state to persist, and of nothing that is served.
    Announced,
}

impl Change {
    /// A change of the pod of an incident.
    pub(super) fn pod(involved: &Involved) -> Self {
        Self::Pod(PodKey::new(&*involved.namespace, &*involved.name))
    }

    pub(super) fn incident(meta: &Meta, dropped: bool) -> Self {
        Self::Incident {
            namespace: meta.namespace.as_str().into(),
            name: meta.name.as_str().into(),
            dropped,
        }
    }
}

/// The changes between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The later version.
    pub version: u64,
    /// Pods whose health has changed.
    pub pods: BTreeSet<PodKey>,
    /// Namespace and name of new and changed incidents.
    pub incidents: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Namespace and name of dropped incidents.
    pub dropped: BTreeSet<(Arc<str>, Arc<str>)>,
}

/// The latest changes, each with its version.
#[derive(Debug, Default)]
pub(super) struct Changes {
    version: u64,
    latest: VecDeque<Change>,
}

impl Changes {
    /// Records a change, and returns its version.
    pub(super) fn record(&mut self, change: Change) -> u64 {
        self.version += 1;
        if self.latest.len() >= LOG_CAPACITY {
            self.latest.pop_front();
        }
        self.latest.push_back(change);
        self.version
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// The changes since `version`; none if the log does not reach back so far.
    pub(super) fn since(&self, version: u64) -> Option<Changed> {
        let missed = self.version.checked_sub(version)?;
        let missed = usize::try_from(missed).ok()?;
        let first = self.latest.len().checked_sub(missed)?;
        let mut changed = Changed {
            version: self.version,
            ..Changed::default()
        };
        for change in self.latest.range(first..) {
            match change {
                Change::Announced => {}
                Change::Pod(pod) => {
                    changed.pods.insert(pod.clone());
                }
                Change::Incident {
                    namespace,
                    name,
                    dropped,
                } => {
                    let key = (Arc::clone(namespace), Arc::clone(name));
                    // The last change of an incident counts.
                    if *dropped {
                        changed.incidents.remove(&key);
                        changed.dropped.insert(key);
                    } else {
                        changed.dropped.remove(&key);
                        changed.incidents.insert(key);
                    }
                }
            }
        }
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(name: &str, dropped: bool) -> Change {
        Change::Incident {
            namespace: "n".into(),
            name: name.into(),
            dropped,
        }
    }

    #[test]
    fn reader_gets_each_change_once() {
        let mut changes = Changes::default();
        changes.record(incident("a", false));
        let seen = changes.record(incident("b", false));
        changes.record(incident("b", false));
        changes.record(incident("c", false));
        changes.record(incident("c", true));
        let changed = changes.since(seen).unwrap();
        let names = |of: &BTreeSet<(Arc<str>, Arc<str>)>| {
            of.iter()
                .map(|(_, name)| name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&changed.incidents), ["b"]);
        assert_eq!(names(&changed.dropped), ["c"]);
        assert_eq!(changes.since(changed.version).unwrap().incidents.len(), 0);
    }

    #[test]
    fn reader_that_missed_too_many_changes_gets_none() {
        let mut changes = Changes::default();
        for _ in 0..=LOG_CAPACITY {
            changes.record(incident("a", false));
        }
        assert!(changes.since(0).is_none());
        assert!(changes.since(1).is_some());
        assert!(changes.since(u64::MAX).is_none(), "a version of the future");
    }
}
