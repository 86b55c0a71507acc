//! The largest values of a sequence, in memory for the result only.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::cluster::Pod;

/// A pod and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedPod {
    /// The pod.
    pub pod: Arc<Pod>,
    /// The value, in the unit of the measure.
    pub value: f64,
}

/// The pods with the largest values so far.
#[derive(Debug)]
pub(super) struct Largest {
    limit: usize,
    /// The smallest entry is on top.
    entries: BinaryHeap<Reverse<Entry>>,
}

#[derive(Debug)]
struct Entry {
    value: f64,
    pod: Arc<Pod>,
}

impl Ord for Entry {
    /// Of two entries with the same value, the one with the smaller key is larger.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_name = || other.pod.key.cmp(&self.pod.key);
        self.value.total_cmp(&other.value).then_with(by_name)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl Largest {
    /// No pods, and a capacity of `limit`.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            entries: BinaryHeap::new(),
        }
    }

    /// Whether a pod with this value may be among the largest.
    fn may_take(&self, value: f64) -> bool {
        if self.entries.len() < self.limit {
            return true;
        }
        let least = self.entries.peek();
        least.is_some_and(|Reverse(least)| value >= least.value)
    }

    /// Adds the pod that `find` returns, if its value is among the largest; calls `find` only then.
    pub(super) fn offer<'p>(&mut self, value: f64, find: impl FnOnce() -> Option<&'p Arc<Pod>>) {
        let Some(pod) = self.may_take(value).then(find).flatten() else {
            return;
        };
        self.entries.push(Reverse(Entry {
            value,
            pod: Arc::clone(pod),
        }));
        if self.entries.len() > self.limit {
            self.entries.pop();
        }
    }

    /// The pods, largest first.
    pub(super) fn into_sorted(self) -> Vec<RankedPod> {
        let sorted = self.entries.into_sorted_vec().into_iter();
        sorted
            .map(|Reverse(Entry { value, pod })| RankedPod { pod, value })
            .collect()
    }
}
