//! Objects of one kind, the version of each, and a log of changes.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use imbl::ordmap::DiffItem;
use imbl::{HashMap, OrdMap, Vector};

use super::version::{Version, Versions};

/// The capacity of the log. A client that has missed more changes must list again.
const LOG_CAPACITY: usize = 10_000;

/// A change of an object.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<T> {
    /// The version of the change.
    pub version: Version,
    /// The object before the change; `None` if it was created.
    pub before: Option<Arc<T>>,
    /// The object after the change; `None` if it was deleted.
    pub after: Option<Arc<T>>,
}

/// One change of an object, as the log stores it.
#[derive(Debug, Clone)]
pub(super) struct Entry<K, V> {
    version: Version,
    key: K,
    /// The object before the change; `None` if it was created.
    before: Option<V>,
}

/// The objects of one kind at one moment: `V` is an `Arc` of the object. A clone shares its memory.
#[derive(Clone)]
pub(super) struct Table<K, V> {
    pub(super) now: OrdMap<K, V>,
    /// The versions of objects that have changed since the start.
    pub(super) changed: HashMap<K, Version>,
    /// The latest changes of the objects themselves, oldest first.
    pub(super) log: Vector<Entry<K, V>>,
    /// The version of objects that have not changed since the start.
    first: Version,
    /// The log contains all changes after this version.
    pub(super) oldest: Version,
}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("oldest", &self.oldest)
            .finish_non_exhaustive()
    }
}

impl<K: Ord + Hash + Clone, T: PartialEq> Table<K, Arc<T>> {
    /// These objects, none of which has changed since `version`.
    pub(super) fn new(now: OrdMap<K, Arc<T>>, version: Version) -> Self {
        Self {
            now,
            changed: HashMap::new(),
            log: Vector::new(),
            first: version,
            oldest: version,
        }
    }

    /// Drops all changes before this version.
    pub(super) fn reset(&mut self, version: Version) {
        self.changed.clear();
        self.log.clear();
        (self.first, self.oldest) = (version, version);
    }

    /// Replaces the objects, and calls `changed` for every object that differs, with its states before and after.
    pub(super) fn update(
        &mut self,
        now: &OrdMap<K, Arc<T>>,
        versions: &mut Versions,
        mut changed: impl FnMut(Option<&Arc<T>>, Option<&Arc<T>>),
    ) {
        let before = std::mem::replace(&mut self.now, now.clone());
        for difference in before.diff(now) {
            let (key, before, after) = match difference {
                DiffItem::Add(key, after) => (key, None, Some(after)),
                DiffItem::Update { old, new } => (new.0, Some(old.1), Some(new.1)),
                DiffItem::Remove(key, before) => (key, Some(before), None),
            };
            self.record(key, before.cloned(), after.is_some(), versions.next());
            changed(before, after);
        }
    }

    /// Records that data about an object has changed, but not the object itself.
    pub(super) fn touch(&mut self, key: &K, version: Version) {
        if let Some(object) = self.now.get(key) {
            let object = Arc::clone(object);
            self.record(key, Some(object), true, version);
        }
    }

    fn record(&mut self, key: &K, before: Option<Arc<T>>, is_there: bool, version: Version) {
        if is_there {
            self.changed.insert(key.clone(), version);
        } else {
            self.changed.remove(key);
        }
        self.log.push_back(Entry {
            version,
            key: key.clone(),
            before,
        });
        if self.log.len() > LOG_CAPACITY
            && let Some(dropped) = self.log.pop_front()
        {
            self.oldest = dropped.version;
        }
    }

    /// The version of the last change of an object.
    pub(super) fn version(&self, key: &K) -> Version {
        self.changed.get(key).copied().unwrap_or(self.first)
    }

    /// Every change of the objects themselves after `from`, in the order of versions.
    pub(super) fn logged(&self, from: Version) -> Vec<Change<T>> {
        // Versions are unique.
        let first = match self.log.binary_search_by_key(&from, |entry| entry.version) {
            Ok(index) => index + 1,
            Err(index) => index,
        };
        // The state after a change is the state before the next change.
        let mut next: BTreeMap<&K, Option<&Arc<T>>> = BTreeMap::new();
        let mut changes = Vec::with_capacity(self.log.len().saturating_sub(first));
        for entry in self.log.iter().skip(first).rev() {
            let before = entry.before.as_ref();
            let after = next
                .insert(&entry.key, before)
                .unwrap_or_else(|| self.now.get(&entry.key));
            changes.push(Change {
                version: entry.version,
                before: before.cloned(),
                after: after.cloned(),
            });
        }
        changes.reverse();
        changes
    }

    /// Every change after `from`, in the order of versions, including changes of data about the objects.
    pub(super) fn changes(&self, from: Version) -> Vec<Change<T>> {
        let mut changes = self.logged(from);
        let logged: HashSet<Version> = changes.iter().map(|change| change.version).collect();
        // Data about these objects has changed, but not the objects.
        let others = self.changed.iter().filter_map(|(key, version)| {
            let object = self.now.get(key)?;
            (*version > from && !logged.contains(version)).then(|| Change {
                version: *version,
                before: Some(Arc::clone(object)),
                after: Some(Arc::clone(object)),
            })
        });
        changes.extend(others.collect::<Vec<_>>());
        changes.sort_unstable_by_key(|change| change.version);
        changes
    }
}
