//! Objects of one kind, when each changed last, and how they were before.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use imbl::ordmap::DiffItem;
use imbl::{HashMap, OrdMap, Vector};

use super::reader::Change;
use super::version::{Version, Versions};

/// Changes that are remembered: who has seen less than that has to list anew.
const REMEMBERED: usize = 10_000;

/// One change of an object.
#[derive(Debug)]
pub(super) struct Entry<K, T> {
    pub(super) version: Version,
    pub(super) key: K,
    /// As it was; nothing if it is new.
    pub(super) before: Option<Arc<T>>,
}

// Derived, it would ask for a T that can be cloned.
impl<K: Clone, T> Clone for Entry<K, T> {
    fn clone(&self) -> Self {
        Self {
            version: self.version,
            key: self.key.clone(),
            before: self.before.clone(),
        }
    }
}

/// The objects of one kind at one moment. Cloning it costs nothing.
pub(super) struct Table<K, T> {
    pub(super) now: OrdMap<K, Arc<T>>,
    /// Objects that have changed since the beginning.
    pub(super) changed: HashMap<K, Version>,
    /// The latest changes of the objects themselves, oldest first.
    pub(super) log: Vector<Entry<K, T>>,
    /// That of objects that have not changed since the beginning.
    first: Version,
    /// Who has seen this version, or a later one, has missed nothing that is not in the log.
    pub(super) begins: Version,
}

impl<K, T> fmt::Debug for Table<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("begins", &self.begins)
            .finish_non_exhaustive()
    }
}

impl<K: Clone, T> Clone for Table<K, T> {
    fn clone(&self) -> Self {
        Self {
            now: self.now.clone(),
            changed: self.changed.clone(),
            log: self.log.clone(),
            first: self.first,
            begins: self.begins,
        }
    }
}

impl<K: Ord + Hash + Clone, T: PartialEq> Table<K, T> {
    /// Begins with these objects.
    pub(super) fn beginning(now: OrdMap<K, Arc<T>>, begins: Version) -> Self {
        Self {
            now,
            changed: HashMap::new(),
            log: Vector::new(),
            first: begins,
            begins,
        }
    }

    /// Begins at this version: what has changed before it has not.
    pub(super) fn begin_at(&mut self, version: Version) {
        self.changed.clear();
        self.log.clear();
        (self.first, self.begins) = (version, version);
    }

    /// Takes over what there is now, and gives every object that differs to `changed`: as it was, and as it is.
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
            self.note(key, before.cloned(), after.is_some(), versions.next());
            changed(before, after);
        }
    }

    /// Something that is said of an object has changed, but not the object itself.
    pub(super) fn touch(&mut self, key: &K, version: Version) {
        if let Some(object) = self.now.get(key) {
            let object = Arc::clone(object);
            self.note(key, Some(object), true, version);
        }
    }

    fn note(&mut self, key: &K, before: Option<Arc<T>>, is_there: bool, version: Version) {
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
        if self.log.len() > REMEMBERED
            && let Some(forgotten) = self.log.pop_front()
        {
            self.begins = forgotten.version;
        }
    }

    /// When an object changed last.
    pub(super) fn version(&self, key: &K) -> Version {
        self.changed.get(key).copied().unwrap_or(self.first)
    }

    /// Every change of the objects themselves after `from`, in the order of versions.
    pub(super) fn logged(&self, from: Version) -> Vec<Change<T>> {
        let first = self.log.binary_search_by(|entry| {
            // No two are equal: it is always where the first later one is.
            if entry.version <= from {
                std::cmp::Ordering::Less
            } else {
                std::cmp::Ordering::Greater
            }
        });
        let first = first.unwrap_or_else(|place| place);
        // What came of a change is what was before the next one.
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

    /// Everything that has changed after `from`, in the order of versions.
    pub(super) fn changes(&self, from: Version) -> Vec<Change<T>> {
        let mut changes = self.logged(from);
        let logged: HashSet<Version> = changes.iter().map(|change| change.version).collect();
        // What is said of them has changed, but not they.
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
