//! The key of a pod or another object of a namespace.

use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

/// The namespace and the name of a pod. Lists are sorted in the order of this type.
///
/// A key is one pointer, because the tables of objects, usage, history and health each have one for every pod.
/// [`Interner::key`](super::intern::Interner::key) shares the memory of equal keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PodKey(Arc<NamespacedName>);

/// A namespace and a name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespacedName {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name.
    pub name: Box<str>,
}

impl PodKey {
    /// The key of a namespace and a name.
    pub fn new(namespace: impl Into<Arc<str>>, name: impl Into<Box<str>>) -> Self {
        Self(Arc::new(NamespacedName {
            namespace: namespace.into(),
            name: name.into(),
        }))
    }

    /// Whether both share their memory, as interned keys that are equal do.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether a clone shares the memory.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl Deref for PodKey {
    type Target = NamespacedName;

    fn deref(&self) -> &NamespacedName {
        &self.0
    }
}

impl Ord for PodKey {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for PodKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
