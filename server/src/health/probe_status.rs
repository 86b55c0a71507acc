//! How each probe of a container is: the table of docs/health.md, first match wins.

use std::collections::HashSet;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Probe, ProbeKind, ProbeStatus};

use super::apply::probe_of;
use super::engine::Engine;
use super::facts::{PodFacts, Streak};
use super::messages;
use super::pod_events::EventKind;
use super::probe_counters::{ProbeId, Seen};
use super::review::first_attempt;
use super::terminations::{finished, running_since, time};
use super::thresholds::SECOND;
use crate::cluster::{self, ContainerSpec, ContainerStatus, Pod, State, Uid};

/// Kinds of probe, in the order in which they are told.
const KINDS: [ProbeKind; 3] = [
    ProbeKind::Startup,
    ProbeKind::Liveness,
    ProbeKind::Readiness,
];

/// All that a probe's status is made of.
struct Look<'a> {
    pod: &'a Pod,
    /// The container's name.
    name: &'a str,
    kind: ProbeKind,
    status: &'a ContainerStatus,
    probe: &'a cluster::Probe,
    streak: Option<&'a Streak>,
    seen: Option<Seen>,
    /// Whether its node is not heard of.
    lost: bool,
    now: Timestamp,
}

impl Engine {
    /// Each probe of each container of a pod.
    pub(super) fn probe_statuses(&self, pod: &Pod, now: Timestamp) -> Vec<Probe> {
        let facts = self.facts_of(pod);
        let looks = self.looks(pod, now);
        looks
            .map(|look| {
                let (status, since) = look.status();
                let Look { name, kind, .. } = look;
                Probe {
                    container: name.to_owned(),
                    kind,
                    status,
                    failures: look.failures(status),
                    threshold: look.probe.failure_threshold,
                    since,
                    message: facts
                        .map(|facts| message(facts, kind, name, look.streak))
                        .unwrap_or_default(),
                    asks: look.probe.asks.to_string(),
                }
            })
            .collect()
    }

    /// The kinds of a pod's probes that fail, one for each probe.
    pub(super) fn failing_probes(&self, pod: &Pod, now: Timestamp) -> Vec<ProbeKind> {
        let failing = |look: &Look<'_>| look.status().0 == ProbeStatus::Failing;
        let looks = self.looks(pod, now).filter(failing);
        looks.map(|look| look.kind).collect()
    }

    /// Pods of which an attempt of a probe is known to have failed.
    pub(super) fn with_streaks(&self) -> HashSet<Uid> {
        let pods = self.pods.iter();
        let failed =
            pods.filter(|(_, facts)| facts.containers.iter().any(|it| !it.streaks.is_empty()));
        failed.map(|(uid, _)| *uid).collect()
    }

    fn facts_of(&self, pod: &Pod) -> Option<&PodFacts> {
        self.pods.get(&pod.uid).filter(|facts| facts.pod.is_some())
    }

    /// All that is known of each probe of each container of a pod.
    fn looks<'a>(&'a self, pod: &'a Pod, now: Timestamp) -> impl Iterator<Item = Look<'a>> {
        let node = pod.node.as_deref().unwrap_or_default();
        let lost = self.nodes.is_lost(node);
        let facts = self.facts_of(pod);
        let of_kinds =
            move |(c, (spec, status)): (usize, (&'a ContainerSpec, &'a ContainerStatus))| {
                let facts = facts.and_then(|facts| facts.containers.get(c));
                KINDS.into_iter().filter_map(move |kind| {
                    Some(Look {
                        pod,
                        name: &spec.name,
                        kind,
                        status,
                        probe: probe_of(spec, kind)?,
                        streak: facts.and_then(|facts| facts.streaks.of(kind)),
                        seen: self.counters.of(node, ProbeId::of(pod, &spec.name, kind)),
                        lost,
                        now,
                    })
                })
            };
        pod.containers().enumerate().flat_map(of_kinds)
    }
}

/// What the kubelet said when it failed last.
fn message(facts: &PodFacts, kind: ProbeKind, container: &str, streak: Option<&Streak>) -> String {
    let said = streak
        .map(|streak| &*streak.message)
        .filter(|said| !said.is_empty());
    let told = facts.events.latest(EventKind::Unhealthy(kind), container);
    let said = said.or(told.map(|note| &*note.message)).unwrap_or_default();
    messages::output(said).to_owned()
}

impl Look<'_> {
    fn status(&self) -> (ProbeStatus, Option<Timestamp>) {
        if self.lost {
            return (ProbeStatus::Unknown, None);
        }
        let kind = self.kind;
        let Some(running) = running_since(self.status) else {
            return (ProbeStatus::NotRunning, stopped(self.status));
        };
        let failing = self.streak.and_then(|streak| streak.since);
        match kind {
            ProbeKind::Startup if self.status.started => (ProbeStatus::Passed, None),
            ProbeKind::Startup => (ProbeStatus::Pending, Some(running)),
            _ if kind == ProbeKind::Readiness && self.status.ready => {
                let since = time(self.pod.ready.since_seconds);
                let since = since.filter(|since| self.pod.ready.status && *since >= running);
                (ProbeStatus::Passing, since)
            }
            _ if !self.status.started => (ProbeStatus::Held, Some(running)),
            _ if self.is_delayed(running) => (ProbeStatus::Waiting, Some(running)),
            _ if self.streak.is_some() => (ProbeStatus::Failing, failing),
            // That it is ready is what the kubelet has made of its attempts, and so is that it is not.
            ProbeKind::Readiness if self.is_untried(running) => {
                (ProbeStatus::Waiting, Some(running))
            }
            ProbeKind::Readiness => {
                let since = time(self.pod.ready.since_seconds);
                (
                    ProbeStatus::Failing,
                    since.filter(|since| !self.pod.ready.status && *since >= running),
                )
            }
            ProbeKind::Liveness => (self.alive(running), None),
        }
    }

    /// A liveness probe of which no failure is known: that it passes is told by the counters alone.
    fn alive(&self, running: Timestamp) -> ProbeStatus {
        let Some(seen) = self.seen else {
            return ProbeStatus::Unknown;
        };
        let period = i64::from(self.probe.period) * SECOND;
        // Looks are as far apart as they are: an attempt shows in the first one after it.
        let patience = 2 * period + seen.to.since(seen.from);
        let moves = seen.moved.is_some_and(|moved| {
            self.now.since(moved) <= patience + seen.to.since(seen.from).max(60 * SECOND)
        });
        let tried = if seen.first {
            seen.flawless
        } else {
            moves && seen.failed == 0
        };
        if tried && seen.to >= running {
            ProbeStatus::Passing
        } else if self.is_untried(running) {
            ProbeStatus::Waiting
        } else {
            ProbeStatus::Unknown
        }
    }

    fn is_delayed(&self, running: Timestamp) -> bool {
        let delay = i64::from(self.probe.initial_delay) * SECOND;
        self.streak.is_none() && self.now.since(running) < delay
    }

    /// Whether its first attempts may not be over.
    fn is_untried(&self, running: Timestamp) -> bool {
        self.now.since(running) < first_attempt(self.probe)
    }

    fn failures(&self, status: ProbeStatus) -> u32 {
        match status {
            ProbeStatus::Pending | ProbeStatus::Failing | ProbeStatus::Passing => {
                self.streak.map_or(0, Streak::failures)
            }
            _ => 0,
        }
    }
}

/// Since when a container has not been running.
fn stopped(status: &ContainerStatus) -> Option<Timestamp> {
    match &status.state {
        State::Terminated(ended) => finished(ended),
        State::Waiting(_) => finished(status.last.as_deref()?),
        State::Running { .. } => None,
    }
}
