//! Events about a pod, kept for the incidents they explain: they may come before or after what they explain.

use std::collections::VecDeque;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Evidence, ProbeKind, Source};

use super::incidents::{EvidenceKey, KeyedEvidence};
use super::thresholds::EVENT_RETENTION;
use super::topic::Topic;
use crate::cluster::{Event, Uid};

/// Events that are kept of one pod.
const MOST: usize = 16;

/// What an event tells.
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
    /// Something else that is a warning.
    Warning,
}

/// An event.
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

/// The events of a pod, in the order in which they were told last.
#[derive(Debug, Default)]
pub(super) struct PodEvents(VecDeque<PodEvent>);

/// What the kubelet's words mean; nothing if they are of no use here.
///
/// From pkg/kubelet/prober/prober.go (`recordContainerEvent`), pkg/kubelet/kuberuntime (`killContainer`,
/// `doBackOff`) and pkg/kubelet/images.
pub(super) fn read(event: &Event) -> Option<EventKind> {
    let message = &*event.message;
    Some(match &*event.reason {
        "Unhealthy" => {
            let (kind, rest) = probe(message)?;
            // "errored and resulted in unknown state" is no failure.
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
    /// Takes in an event. How often it was seen since it was last told of; nothing if it tells nothing new.
    pub(super) fn hear(&mut self, event: &Event, event_kind: EventKind) -> Option<u32> {
        let known = self.0.iter().position(|note| note.uid == event.uid);
        let before = known.and_then(|at| self.0.get(at));
        let more = match before {
            Some(before) => event
                .count
                .checked_sub(before.count)
                .filter(|more| *more > 0)?,
            // How many of those that were counted are new nobody knows: at least the last one.
            None => 1,
        };
        if let Some(at) = known {
            self.0.remove(at);
        }
        if self.0.len() >= MOST {
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

    /// The events that tell of a topic of a container of this name, since `since`.
    pub(super) fn about<'a>(
        &'a self,
        topic: Topic,
        container: Option<&'a str>,
        since: Timestamp,
    ) -> impl Iterator<Item = &'a PodEvent> {
        self.0.iter().filter(move |note| {
            let same = match topic {
                Topic::NotReady => true,
                _ => note.container.as_deref() == container,
            };
            same && note.last >= since && note.event_kind.is_about(topic)
        })
    }

    /// The latest event that tells this of a container.
    pub(super) fn latest(&self, event_kind: EventKind, container: &str) -> Option<&PodEvent> {
        let mut latest = self.0.iter().rev();
        latest.find(|note| {
            note.event_kind == event_kind && note.container.as_deref() == Some(container)
        })
    }

    /// The latest event that tells this.
    pub(super) fn any(&self, event_kind: EventKind) -> Option<&PodEvent> {
        self.0
            .iter()
            .rev()
            .find(|note| note.event_kind == event_kind)
    }

    /// Whether one is so young that an incident may still come of it.
    pub(super) fn fresh_until(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.0.iter().map(|note| note.last).max()?;
        let until = last.plus_nanos(EVENT_RETENTION);
        (until > now).then_some(until)
    }
}

impl EventKind {
    /// Whether only the kubelet that runs the pod knows this.
    pub(super) fn is_the_kubelets(self) -> bool {
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
    /// As evidence: `Unhealthy (5 times): Readiness probe failed: …`.
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
            pod: PodKey {
                namespace: "n".into(),
                name: "p".into(),
            },
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
    fn the_kubelet_s_words_are_understood() {
        use EventKind::{BackOff, Evicted, Killing, Pull, Unhealthy, Warning};
        for (reason, message, expected) in [
            (
                "Unhealthy",
                "Liveness probe failed: ",
                Some(Unhealthy(ProbeKind::Liveness)),
            ),
            (
                "Unhealthy",
                "Readiness probe failed: Get …",
                Some(Unhealthy(ProbeKind::Readiness)),
            ),
            (
                "Unhealthy",
                "Startup probe failed: dial",
                Some(Unhealthy(ProbeKind::Startup)),
            ),
            (
                "Unhealthy",
                "Readiness probe errored and resulted in unknown state: rpc",
                None,
            ),
            (
                "Killing",
                "Container c failed liveness probe, will be restarted",
                Some(Killing(ProbeKind::Liveness)),
            ),
            (
                "Killing",
                "Container c failed startup probe, will be restarted",
                Some(Killing(ProbeKind::Startup)),
            ),
            ("Killing", "Stopping container c", None),
            (
                "BackOff",
                "Back-off restarting failed container c in pod p",
                Some(BackOff),
            ),
            ("BackOff", "Back-off pulling image \"x\"", Some(Pull)),
            (
                "Failed",
                "Failed to pull image \"x\": not found",
                Some(Pull),
            ),
            ("Failed", "Error: ErrImagePull", Some(Pull)),
            ("Failed", "Error: ImagePullBackOff", Some(Pull)),
            ("Failed", "Error: secret \"s\" not found", Some(Warning)),
            (
                "Evicted",
                "The node was low on resource: memory.",
                Some(Evicted),
            ),
        ] {
            assert_eq!(
                read(&event(reason, message)),
                expected,
                "{reason} {message}"
            );
        }
    }

    #[test]
    fn an_event_that_is_repeated_tells_what_came_since() {
        let mut notes = PodEvents::default();
        let mut told = event("Unhealthy", "Liveness probe failed: x");
        let event_kind = read(&told).unwrap();
        assert_eq!(notes.hear(&told, event_kind), Some(1));
        assert_eq!(notes.hear(&told, event_kind), None, "a list tells it again");
        told.count = 4;
        told.last = Timestamp::from_secs(9);
        assert_eq!(notes.hear(&told, event_kind), Some(3));
        let note = notes.latest(event_kind, "c").unwrap();
        assert_eq!(
            note.evidence().evidence.text,
            "Unhealthy (4 times): Liveness probe failed: x"
        );
        told.count = 2;
        assert_eq!(notes.hear(&told, event_kind), None, "an old copy of it");
    }
}
