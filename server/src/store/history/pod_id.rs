//! The identity of a series' pod.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::cluster::{PodKey, Uid};

/// A pod. The UID distinguishes pods that had the same name one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodId {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID; the default while it is unknown.
    pub uid: Uid,
}

impl PodId {
    /// Compares its names with these.
    pub(super) fn order(&self, namespace: &str, name: &str) -> Ordering {
        (&*self.namespace, &*self.name).cmp(&(namespace, name))
    }

    /// The key of the pod in the cluster's pods.
    pub fn key(&self) -> PodKey {
        PodKey {
            namespace: Arc::clone(&self.namespace),
            name: Arc::clone(&self.name),
        }
    }

    /// Whether the UIDs are equal or one of them is unknown.
    pub fn may_be(&self, uid: Uid) -> bool {
        self.uid == uid || !self.uid.is_some() || !uid.is_some()
    }
}
