//! Which pod a series is of.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::cluster::{PodKey, Uid};

/// A pod: its names, and which of those that had them one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodId {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its UID; none while it is not known.
    pub uid: Uid,
}

impl PodId {
    /// How its names are to these, in the order of lists.
    pub(super) fn order(&self, namespace: &str, name: &str) -> Ordering {
        (&*self.namespace, &*self.name).cmp(&(namespace, name))
    }

    /// Its names, as the cluster's pods are found by.
    pub fn key(&self) -> PodKey {
        PodKey {
            namespace: Arc::clone(&self.namespace),
            name: Arc::clone(&self.name),
        }
    }

    /// Whether its UID may be this one: it is, or one of them is not known.
    pub fn may_be(&self, uid: Uid) -> bool {
        self.uid == uid || !self.uid.is_some() || !uid.is_some()
    }
}
