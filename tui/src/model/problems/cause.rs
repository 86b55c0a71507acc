//! What the pods, incidents and nodes of a problem have in common.

use std::sync::Arc;

use super::symptom::Symptom;
use crate::model::name::{Key, Name, Workload};

/// The cause that a group's members share. The order is that of equally urgent problems of the same age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Shared {
    /// The cause is a node's.
    Node(Name, NodeCause),
    /// Pods of a workload have the same symptom.
    Workload(Name, Arc<Workload>, Symptom),
    /// A pod without a workload.
    Pod(Key),
}

/// A cause of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum NodeCause {
    /// The node is not ready.
    NotReady,
    /// The node is short of a resource, and may evict pods.
    Pressure,
    /// The node reports no usage.
    Silent,
}
