//! What has changed since: for those who watch.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use kubevitals_proto::vitals::{Involved, Meta};

use crate::cluster::PodKey;

/// Changes that are remembered. A watcher looks at least once a second; of what it missed more than this it must list.
const REMEMBERED: usize = 8192;

/// One thing that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// What is said of a pod: its probes, restarts, or which incidents it has.
    Pod(PodKey),
    /// An incident; or it is no longer remembered.
    Incident {
        namespace: Arc<str>,
        name: Arc<str>,
        forgotten: bool,
    },
}

impl Change {
    /// What is said of the pod that an incident befell.
    pub(super) fn pod(involved: &Involved) -> Self {
        Self::Pod(PodKey {
            namespace: involved.namespace.as_str().into(),
            name: involved.name.as_str().into(),
        })
    }

    pub(super) fn incident(meta: &Meta, forgotten: bool) -> Self {
        Self::Incident {
            namespace: meta.namespace.as_str().into(),
            name: meta.name.as_str().into(),
            forgotten,
        }
    }
}

/// What has changed between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The version that this leads to.
    pub version: u64,
    /// Pods of which something else is said.
    pub pods: BTreeSet<PodKey>,
    /// Namespace and name of incidents that are new or other than before.
    pub incidents: BTreeSet<(Arc<str>, Arc<str>)>,
    /// Namespace and name of incidents that are no longer remembered.
    pub forgotten: BTreeSet<(Arc<str>, Arc<str>)>,
}

/// The latest changes, each with its version.
#[derive(Debug, Default)]
pub(super) struct Changes {
    version: u64,
    latest: VecDeque<Change>,
}

impl Changes {
    /// PodEvents a change; its version.
    pub(super) fn note(&mut self, change: Change) -> u64 {
        self.version += 1;
        if self.latest.len() >= REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(change);
        self.version
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// What has changed since `version`; nothing if that is not remembered any more.
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
                Change::Pod(pod) => {
                    changed.pods.insert(pod.clone());
                }
                Change::Incident {
                    namespace,
                    name,
                    forgotten,
                } => {
                    let key = (Arc::clone(namespace), Arc::clone(name));
                    // The last that is said of it holds.
                    if *forgotten {
                        changed.incidents.remove(&key);
                        changed.forgotten.insert(key);
                    } else {
                        changed.forgotten.remove(&key);
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

    fn incident(name: &str, forgotten: bool) -> Change {
        Change::Incident {
            namespace: "n".into(),
            name: name.into(),
            forgotten,
        }
    }

    #[test]
    fn a_watcher_is_told_each_thing_once_and_only_what_it_has_not_seen() {
        let mut changes = Changes::default();
        changes.note(incident("a", false));
        let seen = changes.note(incident("b", false));
        changes.note(incident("b", false));
        changes.note(incident("c", false));
        changes.note(incident("c", true));
        let changed = changes.since(seen).unwrap();
        let names = |of: &BTreeSet<(Arc<str>, Arc<str>)>| {
            of.iter()
                .map(|(_, name)| name.to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&changed.incidents), ["b"]);
        assert_eq!(names(&changed.forgotten), ["c"]);
        assert_eq!(changes.since(changed.version).unwrap().incidents.len(), 0);
    }

    #[test]
    fn who_missed_too_much_is_told_so() {
        let mut changes = Changes::default();
        for _ in 0..=REMEMBERED {
            changes.note(incident("a", false));
        }
        assert!(changes.since(0).is_none());
        assert!(changes.since(1).is_some());
        assert!(changes.since(u64::MAX).is_none(), "a version of the future");
    }
}
