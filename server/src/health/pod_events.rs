//! Events about a pod. An Event may arrive before or after the incident that it explains, so it is stored for a while.

use std::collections::VecDeque;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Evidence, ProbeKind, Source};

use super::incident_record::{EvidenceKey, KeyedEvidence};
use super::thresholds::EVENT_RETENTION;
use super::topic::Topic;
use crate::cluster::{Event, Uid};

/// The largest number of stored Events of one pod.
const MAX_EVENTS: usize = 16;

/// The meaning of an Event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventKind {
    /// An attempt at a probe failed.
    Unhealthy(ProbeKind),
    /// The kubelet kills a container for a probe.
    Killing(ProbeKind),
    /// The kubelet waits before it starts a container again.
    BackOff,
    /// An image cannot be pulled, or the kubelet waits before it tries again.
    Pull,
    /// The pod is evicted.
    Evicted,
    /// A pod is not ready because its node is not.
    NodeNotReady,
    /// Another warning.
    Warning,
}

/// An Event about a pod.
#[derive(Debug, Clone)]
pub(super) struct PodEvent {
    pub(super) uid: Uid,
    pub(super) event_kind: EventKind,
    pub(super) container: Option<Arc<str>>,
    pub(super) reason: Arc<str>,
    pub(super) message: Box<str>,
    pub(super) count: u32,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// The Events of a pod, in the order of their last arrival.
#[derive(Debug, Default)]
pub(super) struct PodEvents(VecDeque<PodEvent>);

/// The meaning of an Event; none if health does not use it.
///
/// From pkg/kubelet/prober/prober.go (`recordContainerEvent`), pkg/kubelet/kuberuntime (`killContainer`,
/// `doBackOff`) and pkg/kubelet/images.
pub(super) fn classify(event: &Event) -> Option<EventKind> {
    let message = &*event.message;
    Some(match &*event.reason {
        "Unhealthy" => {
            let (kind, rest) = probe(message)?;
            // "errored and resulted in unknown state" is not a failure.
            rest.starts_with(" probe failed").then_some(())?;
            EventKind::Unhealthy(kind)
        }
        "Killing" => {
            let (_, rest) = message.split_once(" failed ")?;
            let kind = if rest.starts_with("liveness probe") {
                ProbeKind::Liveness
            } else if rest.starts_with("startup probe") {
                ProbeKind::Startup
            } else {
                return None;
            };
            EventKind::Killing(kind)
        }
        "BackOff" if message.starts_with("Back-off restarting") => EventKind::BackOff,
        "BackOff" | "ErrImageNeverPull" | "InspectFailed" => EventKind::Pull,
        "Failed" if message.contains("image") || message.contains("ErrImage") => EventKind::Pull,
        "Failed" if message.contains("ImagePullBackOff") => EventKind::Pull,
        "Evicted" => EventKind::Evicted,
        "NodeNotReady" => EventKind::NodeNotReady,
        _ if event.warning => EventKind::Warning,
        _ => return None,
    })
}

fn probe(message: &str) -> Option<(ProbeKind, &str)> {
    [
        ("Liveness", ProbeKind::Liveness),
        ("Readiness", ProbeKind::Readiness),
        ("Startup", ProbeKind::Startup),
    ]
    .into_iter()
    .find_map(|(word, kind)| Some((kind, message.strip_prefix(word)?)))
}

impl PodEvents {
    /// Adds an Event. Returns the increase of its count; none if the Event is not newer than the stored one.
    pub(super) fn add(&mut self, event: &Event, event_kind: EventKind) -> Option<u32> {
        let existing = self.0.iter().position(|stored| stored.uid == event.uid);
        let before = existing.and_then(|at| self.0.get(at));
        let more = match before {
            Some(before) => event
                .count
                .checked_sub(before.count)
                .filter(|more| *more > 0)?,
            // The number of new occurrences is unknown; the last one is new.
            None => 1,
        };
        if let Some(at) = existing {
            self.0.remove(at);
        }
        if self.0.len() >= MAX_EVENTS {
            self.0.pop_front();
        }
        self.0.push_back(PodEvent {
            uid: event.uid,
            event_kind,
            container: event.container.clone(),
            reason: Arc::clone(&event.reason),
            message: event.message.clone(),
            count: event.count,
            first: event.first,
            last: event.last,
        });
        Some(more)
    }

    /// The Events about a topic and a container since `since`.
    pub(super) fn about<'a>(
        &'a self,
        topic: Topic,
        container: Option<&'a str>,
        since: Timestamp,
    ) -> impl Iterator<Item = &'a PodEvent> {
        self.0.iter().filter(move |stored| {
            let same = match topic {
                Topic::NotReady => true,
                _ => stored.container.as_deref() == container,
            };
            same && stored.last >= since && stored.event_kind.is_about(topic)
        })
    }

    /// The latest Event of a kind about a container.
    pub(super) fn latest(&self, event_kind: EventKind, container: &str) -> Option<&PodEvent> {
        let mut latest = self.0.iter().rev();
        latest.find(|stored| {
            stored.event_kind == event_kind && stored.container.as_deref() == Some(container)
        })
    }

    /// The latest Event of a kind.
    pub(super) fn any(&self, event_kind: EventKind) -> Option<&PodEvent> {
        self.0
            .iter()
            .rev()
            .find(|stored| stored.event_kind == event_kind)
    }

    /// The time until which an incident may still need an Event.
    pub(super) fn fresh_until(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.0.iter().map(|stored| stored.last).max()?;
        let until = last.plus_nanos(EVENT_RETENTION);
        (until > now).then_some(until)
    }
}

impl EventKind {
    /// Whether only the kubelet of the pod may report this.
    pub(super) fn is_from_kubelet(self) -> bool {
        match self {
            Self::Unhealthy(_) | Self::Killing(_) | Self::BackOff | Self::Pull | Self::Evicted => {
                true
            }
            Self::NodeNotReady | Self::Warning => false,
        }
    }

    fn is_about(self, topic: Topic) -> bool {
        match (topic, self) {
            (Topic::Restart(..), Self::Unhealthy(_) | Self::Killing(_) | Self::BackOff)
            | (Topic::Probe(_, ProbeKind::Liveness | ProbeKind::Startup), Self::Unhealthy(_))
            | (Topic::Image(_), Self::Pull)
            | (Topic::NotReady, Self::Warning | Self::NodeNotReady) => true,
            (Topic::Probe(_, kind), Self::Unhealthy(of) | Self::Killing(of)) => kind == of,
            _ => false,
        }
    }
}

impl PodEvent {
    /// The Event as evidence: `Unhealthy (5 times): Readiness probe failed: …`.
    pub(super) fn evidence(&self) -> KeyedEvidence {
        let Self {
            reason, message, ..
        } = self;
        let times = match self.count {
            0 | 1 => String::new(),
            count => format!(" ({count} times)"),
        };
        let text = format!("{reason}{times}: {}", Evidence::of_event(message));
        KeyedEvidence::new(EvidenceKey::of(self.uid), self.last, Source::Event, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::PodKey;

    fn event(reason: &str, message: &str) -> Event {
        Event {
            uid: Uid::of("dbe5842e-0978-4422-a9fa-8026a53c65dd"),
            pod: PodKey::new("n", "p"),
            pod_uid: Uid::default(),
            container: Some("c".into()),
            warning: reason != "Killing",
            reason: reason.into(),
            message: message.into(),
            count: 1,
            first: Timestamp::from_secs(5),
            last: Timestamp::from_secs(5),
            component: "kubelet".into(),
            host: "n1".into(),
        }
    }

    #[test]
    fn events_of_the_kubelet_are_classified() {
        use EventKind::{BackOff, Evicted, Killing, Pull, Unhealthy, Warning};
        let of = |reason: &str, message: &str| classify(&event(reason, message));
        for (probe, kind) in [
            ("Liveness", ProbeKind::Liveness),
            ("Readiness", ProbeKind::Readiness),
            ("Startup", ProbeKind::Startup),
        ] {
            let failed = format!("{probe} probe failed: Get …");
            assert_eq!(of("Unhealthy", &failed), Some(Unhealthy(kind)));
            let errored = format!("{probe} probe errored and resulted in unknown state: rpc");
            assert_eq!(of("Unhealthy", &errored), None);
            let probe = probe.to_lowercase();
            let killed = format!("Container c failed {probe} probe, will be restarted");
            let expected = (kind != ProbeKind::Readiness).then_some(Killing(kind));
            assert_eq!(of("Killing", &killed), expected);
        }
        let restart = "Back-off restarting failed container c in pod p";
        let low = "The node was low on resource: memory.";
        for (reason, message, expected) in [
            ("Killing", "Stopping container c", None),
            ("BackOff", restart, Some(BackOff)),
            ("BackOff", "Back-off pulling image \"x\"", Some(Pull)),
            ("Failed", "Failed to pull image \"x\"", Some(Pull)),
            ("Failed", "Error: ErrImagePull", Some(Pull)),
            ("Failed", "Error: ImagePullBackOff", Some(Pull)),
            ("Failed", "Error: secret \"s\" not found", Some(Warning)),
            ("Evicted", low, Some(Evicted)),
        ] {
            assert_eq!(of(reason, message), expected, "{reason} {message}");
        }
    }

    #[test]
    fn repeated_event_gives_the_increase() {
        let mut events = PodEvents::default();
        let mut repeated = event("Unhealthy", "Liveness probe failed: x");
        let event_kind = classify(&repeated).unwrap();
        assert_eq!(events.add(&repeated, event_kind), Some(1));
        assert_eq!(events.add(&repeated, event_kind), None, "a list");
        repeated.count = 4;
        repeated.last = Timestamp::from_secs(9);
        assert_eq!(events.add(&repeated, event_kind), Some(3));
        let stored = events.latest(event_kind, "c").unwrap();
        let text = stored.evidence().evidence.text;
        assert_eq!(text, "Unhealthy (4 times): Liveness probe failed: x");
        repeated.count = 2;
        assert_eq!(events.add(&repeated, event_kind), None, "an old copy of it");
    }
}
