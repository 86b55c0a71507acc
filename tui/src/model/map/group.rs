//! A group of pods: a box of the map.

use std::ops::Range;

use super::mark::Mark;
use crate::model::amount::Amounts;
use crate::model::name::Key;
use crate::model::row::PodRow;

/// What the pods of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupKind {
    /// They have no node.
    Unscheduled,
    /// They have the same node, namespace, workload, zone or label.
    Alike,
    /// They have no workload, zone or label.
    Rest,
}

/// A group: a box of the map.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What its pods have in common.
    pub kind: GroupKind,
    /// The node, namespace, workload or zone, or the value of the label.
    pub key: Key,
    /// The index of the node, if the group is a node that is listed.
    pub node: Option<u32>,
    /// The indexes of its pods in the cells of all groups.
    pub pods: Range<usize>,
    /// The number of cells that its pods take.
    pub units: u32,
    /// The number of its pods that have not ended.
    pub running: u32,
    /// The number of its pods that are ready.
    pub ready: u32,
    /// Its worst state.
    pub mark: Mark,
    /// Usage of its nodes, or else of its pods.
    pub usage: Amounts,
    /// Requests of its pods.
    pub requests: Amounts,
    /// What its nodes have for pods. Unknown for a group that is not made of nodes.
    pub allocatable: Amounts,
}

impl Group {
    /// The state, and the part of what is allocatable that is used, in thousandths.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is clamped when it is cast, and parts are not negative"
    )]
    pub(super) fn urgency(&self) -> (Mark, u32) {
        let cpu = self.usage.cpu.of(self.allocatable.cpu);
        let memory = self.usage.memory.of(self.allocatable.memory);
        let part = cpu.unwrap_or(0.0).max(memory.unwrap_or(0.0));
        (self.mark, (part * 1_000.0) as u32)
    }

    /// Adds a pod to the sums of a group that is not made of nodes.
    pub(super) fn add(&mut self, pod: &PodRow) {
        self.usage = self.usage.plus(pod.usage);
        self.requests = self.requests.plus(pod.requests);
    }
}
