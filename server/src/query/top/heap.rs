//! The largest of many, with no more memory than those.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::RankedPod;
use crate::cluster::Pod;

/// The pods with the largest values so far.
#[derive(Debug)]
pub(super) struct Largest {
    limit: usize,
    /// The one that goes next on top.
    kept: BinaryHeap<Reverse<Entry>>,
}

#[derive(Debug)]
struct Entry {
    value: f64,
    pod: Arc<Pod>,
}

impl Ord for Entry {
    /// Of two with the same value the one whose name comes first is the larger one.
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
    /// None yet; at most `limit`.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            kept: BinaryHeap::new(),
        }
    }

    /// Whether a pod with this value might be among them.
    pub(super) fn may_take(&self, value: f64) -> bool {
        if self.kept.len() < self.limit {
            return true;
        }
        let least = self.kept.peek();
        least.is_some_and(|Reverse(least)| value >= least.value)
    }

    /// Takes a pod in, if it is among the largest.
    pub(super) fn offer(&mut self, value: f64, pod: Option<&Arc<Pod>>) {
        let Some(pod) = pod.filter(|_| self.limit > 0) else {
            return;
        };
        self.kept.push(Reverse(Entry {
            value,
            pod: Arc::clone(pod),
        }));
        if self.kept.len() > self.limit {
            self.kept.pop();
        }
    }

    /// All of them, the largest first.
    pub(super) fn into_sorted(self) -> Vec<RankedPod> {
        let sorted = self.kept.into_sorted_vec().into_iter();
        sorted
            .map(|Reverse(Entry { value, pod })| RankedPod { pod, value })
            .collect()
    }
}
