//! Names, each in memory once.

use std::sync::{Arc, LazyLock};

pub use kubevitals_proto::objects::intern::Interner as Names;

/// A name, a label or another short text that recurs.
pub type Name = Arc<str>;

static EMPTY: LazyLock<Name> = LazyLock::new(|| Arc::from(""));

/// The empty name.
#[must_use]
pub fn no_name() -> Name {
    Arc::clone(&EMPTY)
}

/// Which object a row is of. Rows are kept in this order, and a selection follows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its namespace; empty for what is in none.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// What tells apart objects of one name: a container's name, a workload's kind; else empty.
    pub part: Name,
}

impl Key {
    /// Of an object that its namespace and name tell apart.
    #[must_use]
    pub fn new(namespace: &Name, name: &Name) -> Self {
        Self {
            namespace: Arc::clone(namespace),
            name: Arc::clone(name),
            part: no_name(),
        }
    }

    /// Of an object that its name alone tells apart.
    #[must_use]
    pub fn named(name: &Name) -> Self {
        Self::new(&no_name(), name)
    }

    /// With a part.
    #[must_use]
    pub fn part(mut self, part: &Name) -> Self {
        self.part = Arc::clone(part);
        self
    }
}

/// What made a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Workload {
    /// `Deployment`, `StatefulSet`, …
    pub kind: Name,
    /// Its name.
    pub name: Name,
}
