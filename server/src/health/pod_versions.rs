//! Earlier versions of pods, for queries about the past.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::cluster::{Pod, PodKey};

/// The state of a pod at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PodAt {
    /// The recorded version of that time.
    Recorded(Arc<Pod>),
    /// The pod did not exist, as far as recorded.
    Absent,
    /// No change since is recorded: the current pod had the same state, if it existed.
    Unchanged,
}

/// Replaced versions of pods, each with the time until which it was current. Above the limit the oldest is dropped.
#[derive(Debug, Default)]
pub(super) struct PodVersions {
    of: HashMap<PodKey, VecDeque<(Timestamp, Arc<Pod>)>>,
    order: VecDeque<(Timestamp, PodKey)>,
    most: usize,
    /// The number of versions that were dropped because of the limit.
    pub(super) dropped: u64,
}

impl PodVersions {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Records the version of a pod that was current until now.
    pub(super) fn record(&mut self, pod: &Arc<Pod>, now: Timestamp) {
        while self.order.len() >= self.most.max(1) {
            self.dropped += 1;
            self.drop_oldest();
        }
        let versions = self.of.entry(pod.key.clone()).or_default();
        versions.push_back((now, Arc::clone(pod)));
        self.order.push_back((now, pod.key.clone()));
    }

    /// The state of a pod at a time.
    pub(super) fn at(&self, key: &PodKey, at: Timestamp) -> PodAt {
        let Some(versions) = self.of.get(key) else {
            return PodAt::Unchanged;
        };
        // The first version that was still current.
        let place = versions.partition_point(|(until, _)| *until <= at);
        match versions.get(place) {
            Some((_, pod)) if pod.created().is_none_or(|created| created <= at) => {
                PodAt::Recorded(Arc::clone(pod))
            }
            Some(_) => PodAt::Absent,
            None => PodAt::Unchanged,
        }
    }

    /// The states of all pods that may have changed since a time.
    pub(super) fn all_at(&self, at: Timestamp) -> HashMap<PodKey, PodAt> {
        let keys = self.of.keys();
        keys.map(|key| (key.clone(), self.at(key, at))).collect()
    }

    /// Drops versions that were replaced before a time.
    pub(super) fn drop_before(&mut self, before: Timestamp) {
        while self.order.front().is_some_and(|(until, _)| *until < before) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((_, key)) = self.order.pop_front() else {
            return;
        };
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
