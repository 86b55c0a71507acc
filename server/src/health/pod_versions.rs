//! Pods as they were: for questions about a time that is past.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::cluster::{Pod, PodKey};

/// What is known of a pod at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodAt {
    /// As it was.
    Recorded(Arc<Pod>),
    /// There was none of that name, as far as was seen.
    Absent,
    /// Nothing has changed since, as far as is remembered: as it is now, if there is one now and it was made before.
    Unchanged,
}

/// Versions of pods that were followed by others, with the time until which each was the one. Bounded; the oldest go
/// first.
#[derive(Debug)]
pub(super) struct PodVersions {
    of: HashMap<PodKey, VecDeque<(Timestamp, Arc<Pod>)>>,
    order: VecDeque<(Timestamp, PodKey)>,
    most: usize,
    /// Forgotten for want of room.
    pub(super) dropped: u64,
    /// Nothing is known of what changed before.
    pub(super) since: Timestamp,
}

impl PodVersions {
    pub(super) fn new(most: usize) -> Self {
        Self {
            of: HashMap::new(),
            order: VecDeque::new(),
            most,
            dropped: 0,
            since: Timestamp(i64::MIN),
        }
    }

    /// A pod was this until now.
    pub(super) fn was(&mut self, pod: &Arc<Pod>, now: Timestamp) {
        while self.order.len() >= self.most.max(1) {
            self.dropped += 1;
            self.forget_oldest();
        }
        let versions = self.of.entry(pod.key.clone()).or_default();
        versions.push_back((now, Arc::clone(pod)));
        self.order.push_back((now, pod.key.clone()));
    }

    /// A pod as of then.
    pub(super) fn at(&self, key: &PodKey, at: Timestamp) -> PodAt {
        let Some(versions) = self.of.get(key) else {
            return PodAt::Unchanged;
        };
        // The first that was still the one then.
        let place = versions.partition_point(|(until, _)| *until <= at);
        match versions.get(place) {
            Some((_, pod)) if pod.created().is_none_or(|created| created <= at) => {
                PodAt::Recorded(Arc::clone(pod))
            }
            Some(_) => PodAt::Absent,
            None => PodAt::Unchanged,
        }
    }

    /// All pods that may have been otherwise then.
    pub(super) fn all_at(&self, at: Timestamp) -> HashMap<PodKey, PodAt> {
        let keys = self.of.keys();
        keys.map(|key| (key.clone(), self.at(key, at))).collect()
    }

    /// Forgets what was no longer so before then.
    pub(super) fn age(&mut self, before: Timestamp) {
        while self.order.front().is_some_and(|(until, _)| *until < before) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((until, key)) = self.order.pop_front() else {
            return;
        };
        self.since = until;
        if let Some(versions) = self.of.get_mut(&key) {
            versions.pop_front();
            if versions.is_empty() {
                self.of.remove(&key);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }
}
