//! Events about pods that the watch of pods has not reported yet: either of the two watches may be ahead.

use std::collections::VecDeque;

use kubevitals_proto::time::Timestamp;

use super::terminations::is_static;
use super::thresholds::{MAX_UNMATCHED, UNMATCHED_RETENTION};
use crate::cluster::{Event, Pod};

/// Events that wait for their pods, oldest first. Their number and their time are limited: anybody who may write Events
/// can name pods that do not exist, and such Events must not displace those of existing pods.
#[derive(Debug, Default)]
pub(super) struct Unmatched {
    events: VecDeque<(Timestamp, Event)>,
    /// The number of Events that were dropped because of the time or the limit.
    pub(super) dropped: u64,
}

impl Unmatched {
    /// Stores an Event. Above the limit the oldest is dropped.
    pub(super) fn push(&mut self, event: Event, now: Timestamp) {
        self.expire(now);
        if self.events.len() >= MAX_UNMATCHED {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back((now, event));
    }

    /// Removes and returns the Events about a pod, in the order of arrival.
    pub(super) fn take(&mut self, pod: &Pod, now: Timestamp) -> Vec<Event> {
        self.expire(now);
        let is_its = |event: &Event| is_about(event, pod);
        if !self.events.iter().any(|(_, event)| is_its(event)) {
            return Vec::new();
        }
        let events = std::mem::take(&mut self.events).into_iter();
        let (its, others): (VecDeque<_>, _) = events.partition(|(_, event)| is_its(event));
        self.events = others;
        its.into_iter().map(|(_, event)| event).collect()
    }

    fn expire(&mut self, now: Timestamp) {
        let old = |(came, _): &(Timestamp, Event)| now.since(*came) > UNMATCHED_RETENTION;
        while self.events.front().is_some_and(old) {
            self.events.pop_front();
            self.dropped += 1;
        }
    }

    /// The number of waiting Events.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}

/// Whether an Event is about this pod, and not about another pod of the same name.
pub(super) fn is_about(event: &Event, pod: &Pod) -> bool {
    if event.pod != pod.key {
        return false;
    }
    // The kubelet's UID of a static pod is not a UUID.
    let is_static_pod = || {
        let in_its_time = pod.created().is_none_or(|it| it <= event.last);
        is_static(pod) && !event.pod_uid.is_uuid() && in_its_time
    };
    event.pod_uid == pod.uid || is_static_pod()
}
