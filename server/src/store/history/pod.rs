//! Which pod a series is of.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A pod's UID as a number; zero while it is not known.
///
/// In bytes, so that it needs no more room than that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PodUid([u8; 16]);

impl PodUid {
    /// Not known.
    pub const UNKNOWN: Self = Self([0; 16]);

    /// The UID of this number.
    pub const fn new(uid: u128) -> Self {
        Self(uid.to_be_bytes())
    }

    /// Its number; nothing while it is not known.
    pub fn known(self) -> Option<u128> {
        Some(u128::from_be_bytes(self.0)).filter(|uid| *uid != 0)
    }

    /// Whether both may be of one pod: they are the same, or one of them is not known.
    pub fn may_be(self, other: Self) -> bool {
        self == other || self == Self::UNKNOWN || other == Self::UNKNOWN
    }
}

impl fmt::Debug for PodUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A pod: its names, and which of those that had them one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodId {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID.
    pub uid: PodUid,
}

impl PodId {
    /// How its names are to these, in the order of lists.
    pub(super) fn order(&self, namespace: &str, name: &str) -> Ordering {
        (&*self.namespace, &*self.name).cmp(&(namespace, name))
    }
}
