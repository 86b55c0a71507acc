//! The queue of actions, and the state that only actions change.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::action::Action;
use super::fault::{Fault, Happening, InjectedFault};
use super::hash::{Dice, between, stream};
use super::node::Node;
use super::pod::Pod;
use super::recorder::{About, EVENT_TTL, Recorder};
use super::workload::Workload;
use crate::objects::Store;

/// The queue, and the state that only actions change.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) queue: BinaryHeap<Reverse<(Timestamp, u64, Action)>>,
    pushed: u64,
    pub(crate) workloads: Vec<Workload>,
    /// The node and the slot of each workload's pods, by ordinal.
    slots: Vec<Vec<(usize, usize)>>,
    store: Arc<Store>,
    pub(super) recorder: Recorder,
    pub(crate) injected: Vec<InjectedFault>,
    /// When the present action is due.
    pub(super) now: Timestamp,
    pub(super) dice: Dice,
    pub(super) episodes: u64,
    /// Pods made since the beginning: part of their names and seeds.
    pub(super) made: u64,
    /// The kinds of fault still to come before each has had its turn again.
    pub(super) round: VecDeque<Fault>,
}

impl Engine {
    pub(crate) fn new(
        seed: u64,
        workloads: Vec<Workload>,
        store: Arc<Store>,
        now: Timestamp,
    ) -> Self {
        let slots = workloads
            .iter()
            .map(|w| vec![(0, 0); w.replicas as usize])
            .collect();
        Self {
            queue: BinaryHeap::new(),
            pushed: 0,
            workloads,
            slots,
            store,
            recorder: Recorder::default(),
            injected: Vec::new(),
            now,
            dice: Dice::new(seed, stream("engine")),
            episodes: 0,
            made: 0,
            round: VecDeque::new(),
        }
    }

    /// Puts an action into the queue.
    pub(crate) fn at(&mut self, at: Timestamp, action: Action) {
        self.pushed += 1;
        self.queue.push(Reverse((at, self.pushed, action)));
    }

    /// Puts an action into the queue that is due `wait` nanoseconds from now.
    pub(super) fn after(&mut self, wait: i64, action: Action) {
        self.at(self.now.plus_nanos(wait), action);
    }

    /// Seconds between `low` and `high`, in nanoseconds.
    pub(super) fn roll(&mut self, low: f64, high: f64) -> i64 {
        (between(self.dice.roll(), low, high) * 1e9) as i64
    }

    /// When the next action is due; the end of time when there is none.
    pub(super) fn due(&self) -> Timestamp {
        let first = self.queue.peek();
        first.map_or(Timestamp(i64::MAX), |Reverse((at, ..))| *at)
    }

    /// Notes what happened to a pod that suffers from a fault.
    pub(super) fn note(&mut self, node: &Node, pod: &Pod, container: &str, what: Happening) {
        let Some((episode, fault)) = pod.trouble else {
            return;
        };
        self.injected.push(InjectedFault {
            at: self.now,
            episode,
            fault,
            what,
            node: node.name.to_string(),
            namespace: pod.revision.namespace.to_string(),
            name: pod.name.to_string(),
            container: container.to_owned(),
        });
    }

    /// The node and the slot of the pod of this workload and ordinal.
    pub(super) fn slot(&self, workload: usize, ordinal: u32) -> Option<(usize, usize)> {
        self.slots.get(workload)?.get(ordinal as usize).copied()
    }

    pub(crate) fn set_slot(&mut self, workload: usize, ordinal: u32, node: usize, index: usize) {
        let Some(slots) = self.slots.get_mut(workload) else {
            return;
        };
        let ordinal = ordinal as usize;
        if slots.len() <= ordinal {
            slots.resize(ordinal + 1, (0, 0));
        }
        if let Some(slot) = slots.get_mut(ordinal) {
            *slot = (node, index);
        }
    }

    /// Writes an event, or counts it if it was written before.
    pub(super) fn event(&mut self, about: &About, kind: &str, reason: &str, message: &str) {
        let (recorder, store) = (&mut self.recorder, &self.store);
        if let Some(key) = recorder.write(store, self.now, about, kind, reason, message) {
            self.after(EVENT_TTL, Action::Expire(key));
        }
    }

    /// Deletes an event that was not repeated within its retention.
    pub(super) fn expire(&mut self, key: u64) {
        if let Some(until) = self.recorder.expire(&self.store, self.now, key) {
            self.at(until, Action::Expire(key));
        }
    }
}
