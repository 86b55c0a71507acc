//! The identity of a series' pod.

use crate::cluster::{PodKey, Uid};

/// A pod. The UID distinguishes pods that had the same name one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PodId {
    /// Its namespace and name.
    pub key: PodKey,
    /// Its UID; the default while it is unknown.
    pub uid: Uid,
}

impl PodId {
    /// Whether the UIDs are equal or one of them is unknown.
    pub fn may_be(&self, uid: Uid) -> bool {
        self.uid == uid || !self.uid.is_some() || !uid.is_some()
    }
}
