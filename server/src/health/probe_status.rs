//! The status of each probe of a container: the table of docs/health.md, where the first match wins.

use std::collections::HashSet;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Probe, ProbeKind, ProbeStatus};

use super::container_index::ContainerIndex;
use super::engine::Engine;
use super::facts::PodFacts;
use super::messages;
use super::pod_events::EventKind;
use super::probe_counters::{ProbeId, ProbeReading};
use super::streaks::Streak;
use super::terminations::{finished, running_since};
use super::thresholds::SECOND;
use crate::cluster::{self, ContainerSpec, ContainerStatus, Pod, State, Uid, time};

/// What the status of a probe depends on.
struct ProbeFacts<'a> {
    pod: &'a Pod,
    /// The container's name.
    name: &'a str,
    kind: ProbeKind,
    status: &'a ContainerStatus,
    spec: &'a cluster::Probe,
    streak: Option<&'a Streak>,
    seen: Option<ProbeReading>,
    /// Whether its node is lost.
    lost: bool,
    now: Timestamp,
}

/// The failed attempts of a pod's probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProbeFailures {
    /// Their number.
    pub failed: u32,
    /// The time of the reading before.
    pub from: Timestamp,
    /// The time of the last reading.
    pub to: Timestamp,
}

impl ProbeFailures {
    /// The time between the two readings.
    pub fn window(self) -> Duration {
        Duration::from_nanos(u64::try_from(self.to.since(self.from)).unwrap_or_default())
    }

    /// The failures of one minute; zero if no time has passed.
    pub fn per_minute(self) -> f64 {
        let seconds = self.window().as_secs_f64();
        if seconds > 0.0 {
            f64::from(self.failed) * 60.0 / seconds
        } else {
            0.0
        }
    }
}

impl Engine {
    /// The status of each probe of each container of a pod.
    pub(super) fn probe_statuses(&self, pod: &Pod, now: Timestamp) -> Vec<Probe> {
        let facts = self.facts_of(pod);
        let probes = self.probe_facts(pod, now);
        probes
            .map(|probe| {
                let (status, since) = probe.status();
                let ProbeFacts { name, kind, .. } = probe;
                Probe {
                    container: name.to_owned(),
                    kind,
                    status,
                    failures: probe.failures(status),
                    threshold: probe.spec.failure_threshold,
                    since,
                    message: facts
                        .map(|facts| message(facts, kind, name, probe.streak))
                        .unwrap_or_default(),
                    asks: probe.spec.description.to_string(),
                }
            })
            .collect()
    }

    /// The failed attempts of a pod's probes between the last two readings of its node; none without two readings.
    pub(super) fn probe_failures(&self, pod: &Pod, now: Timestamp) -> Option<ProbeFailures> {
        let seen = self.probe_facts(pod, now).filter_map(|probe| probe.seen);
        let seen = seen.filter(|seen| seen.from < seen.to);
        let failures = seen.map(|seen| ProbeFailures {
            failed: seen.failed,
            from: seen.from,
            to: seen.to,
        });
        failures.reduce(|all, one| ProbeFailures {
            failed: all.failed.saturating_add(one.failed),
            ..all
        })
    }

    /// The kinds of a pod's failing probes, one for each probe.
    pub(super) fn failing_probes(&self, pod: &Pod, now: Timestamp) -> Vec<ProbeKind> {
        let failing = |probe: &ProbeFacts<'_>| probe.status().0 == ProbeStatus::Failing;
        let probes = self.probe_facts(pod, now).filter(failing);
        probes.map(|probe| probe.kind).collect()
    }

    /// The pods with a known failed attempt of a probe.
    pub(super) fn with_streaks(&self) -> HashSet<Uid> {
        let pods = self.pods.iter();
        let failed =
            pods.filter(|(_, facts)| facts.containers.iter().any(|it| !it.streaks.is_empty()));
        failed.map(|(uid, _)| *uid).collect()
    }

    fn facts_of(&self, pod: &Pod) -> Option<&PodFacts> {
        self.pods.get(&pod.uid).filter(|facts| facts.pod.is_some())
    }

    /// The facts about each probe of each container of a pod.
    fn probe_facts<'a>(
        &'a self,
        pod: &'a Pod,
        now: Timestamp,
    ) -> impl Iterator<Item = ProbeFacts<'a>> {
        let node = pod.node.as_deref().unwrap_or_default();
        let lost = self.nodes.is_lost(node);
        let facts = self.facts_of(pod);
        let of_kinds = move |(index, (spec, status)): (
            ContainerIndex,
            (&'a ContainerSpec, &'a ContainerStatus),
        )| {
            let facts = facts.and_then(|facts| index.of(&facts.containers));
            spec.probes().map(move |(kind, probe)| ProbeFacts {
                pod,
                name: &spec.name,
                kind,
                status,
                spec: probe,
                streak: facts.and_then(|facts| facts.streaks.of(kind)),
                seen: self.counters.of(node, ProbeId::of(pod, &spec.name, kind)),
                lost,
                now,
            })
        };
        ContainerIndex::enumerate(pod.containers()).flat_map(of_kinds)
    }
}

/// The kubelet's message about the last failure.
fn message(facts: &PodFacts, kind: ProbeKind, container: &str, streak: Option<&Streak>) -> String {
    let of_streak = streak.map(|streak| &*streak.message);
    let event = facts.events.latest(EventKind::Unhealthy(kind), container);
    let message = of_streak.filter(|message| !message.is_empty());
    let message = message.or(event.map(|event| &*event.message));
    messages::output(message.unwrap_or_default()).to_owned()
}

impl ProbeFacts<'_> {
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
            // The kubelet derives readiness from the attempts.
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

    /// The status of a liveness probe without a known failure: only the counters show that it passes.
    fn alive(&self, running: Timestamp) -> ProbeStatus {
        let Some(seen) = self.seen else {
            return ProbeStatus::Unknown;
        };
        let period = i64::from(self.spec.period) * SECOND;
        // An attempt shows in the first reading after it.
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
        let delay = i64::from(self.spec.initial_delay) * SECOND;
        self.streak.is_none() && self.now.since(running) < delay
    }

    /// Whether its first attempt may not be complete.
    fn is_untried(&self, running: Timestamp) -> bool {
        self.now < self.spec.first_attempt(running)
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

/// The time at which a container stopped.
fn stopped(status: &ContainerStatus) -> Option<Timestamp> {
    match &status.state {
        State::Terminated(ended) => finished(ended),
        State::Waiting(_) => finished(status.last.as_deref()?),
        State::Running { .. } => None,
    }
}
