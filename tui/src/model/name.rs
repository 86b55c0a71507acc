//! Names and keys.

use std::sync::Arc;

pub use kubevitals_proto::objects::intern::Interner as Names;

/// An interned name, label or other short text.
pub type Name = Arc<str>;

/// Identifies the object of a row. Tables are sorted by keys, and the selection is a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The namespace; empty for objects without one.
    pub namespace: Name,
    /// The name.
    pub name: Name,
    /// Distinguishes objects with the same name: a container's name, a workload's kind; else empty.
    pub part: Name,
}

impl Key {
    /// The key of an object with a namespace and a name.
    #[must_use]
    pub fn new(namespace: &Name, name: &Name) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            name: Arc::clone(name),
            part: Name::default(),
        }
    }

    /// The key of an object without a namespace.
    #[must_use]
    pub fn named(name: &Name) -> Self {
        Self::new(&Name::default(), name)
    }

    /// The key with this part.
    #[must_use]
    pub fn part(mut self, part: &Name) -> Self {
        self.part = Arc::clone(part);
        self
    }
}

/// The workload that created a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, …
    pub kind: Name,
    /// The name.
    pub name: Name,
}

impl Workload {
    /// A workload, for all its pods.
    pub fn new(kind: impl Into<Name>, name: impl Into<Name>) -> Arc<Self> {
        Arc::new(Self {
            kind: kind.into(),
            name: name.into(),
        })
    }
}
