//! Events about pods that are not known yet: the watches of events and of pods are two, and either may be ahead.

use std::collections::VecDeque;

use kubevitals_proto::time::Timestamp;

use super::terminations::is_static;
use super::thresholds::{MAX_UNMATCHED, UNMATCHED_RETENTION};
use crate::cluster::{Event, Pod};

/// Events that wait for their pods, the oldest first. They are few and wait for seconds: anybody who may write events
/// can name pods that do not exist, and they must take nothing from pods that do.
#[derive(Debug, Default)]
pub(super) struct Unmatched {
    events: VecDeque<(Timestamp, Event)>,
    /// Events whose pods did not come in time, or that had to make room.
    pub(super) dropped: u64,
}

impl Unmatched {
    /// Keeps an event for a while; the oldest one makes room.
    pub(super) fn push(&mut self, event: Event, now: Timestamp) {
        self.expire(now);
        if self.events.len() >= MAX_UNMATCHED {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back((now, event));
    }

    /// Takes out the events about a pod, in the order in which they came.
    pub(super) fn take(&mut self, pod: &Pod, now: Timestamp) -> Vec<Event> {
        self.expire(now);
        let is_its = |event: &Event| is_about(event, pod);
        if !self.events.iter().any(|(_, event)| is_its(event)) {
            return Vec::new();
        }
        let (its, others) = std::mem::take(&mut self.events)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, event)| is_its(event));
        self.events = others.into();
        its.into_iter().map(|(_, event)| event).collect()
    }

    fn expire(&mut self, now: Timestamp) {
        let old = |(came, _): &(Timestamp, Event)| now.since(*came) > UNMATCHED_RETENTION;
        while self.events.front().is_some_and(old) {
            self.events.pop_front();
            self.dropped += 1;
        }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}

/// Whether an event is about this pod, and not about one that had its name before, or another one's UID.
pub(super) fn is_about(event: &Event, pod: &Pod) -> bool {
    if event.pod != pod.key {
        return false;
    }
    // The kubelet has a UID of its own for a pod of its own manifests: no UUID.
    let is_its_own = || {
        let in_its_time = pod.created().is_none_or(|it| it <= event.last);
        is_static(pod) && !event.pod_uid.is_uuid() && in_its_time
    };
    event.pod_uid == pod.uid || is_its_own()
}
