//! Why a container ended: what Kubernetes says, what follows from what was seen, and what nobody knows.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, ProbeKind, Source};

use super::facts::{PodFacts, Restart};
use super::incidents::KeyedEvidence;
use super::messages;
use super::probe_counters::{ProbeId, Seen};
use super::restarts::PROBES;
use super::review_context::ReviewContext;
use super::terminations::{finished, started};
use super::thresholds::{BEFORE, SECOND, SLACK, UNSAMPLED};
use super::topic::Topic;
use super::usage_history::{
    UsagePoint, UsageSubject, in_words, is_at_limit, is_near_limit, seconds,
};
use crate::cluster::{ContainerSpec, Ended, Pod, Role};

/// What is made of an end.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) decided: bool,
    pub(super) clues: Vec<KeyedEvidence>,
}

/// SIGKILL and SIGTERM: what ends a container from outside.
const KILLED: [i32; 2] = [137, 143];
const SIGNALS: [i32; 2] = [9, 15];

/// Whether what ended with this exit code, or by this signal, was ended by somebody else.
pub(super) fn is_killed(exit_code: i32, signal: i32) -> bool {
    KILLED.contains(&exit_code) || SIGNALS.contains(&signal)
}

/// Whether the runtime itself does not know how it ended, as after its own or its node's restart.
fn is_lost_sight_of(ended: &Ended) -> bool {
    ended.exit_code == 255 && ended.reason.as_deref() == Some("Unknown")
}

/// What an end's own status tells of its cause, where nothing else is known.
pub(super) fn told_by_status(ended: &Ended) -> (Cause, Certainty) {
    match ended.reason.as_deref() {
        Some("OOMKilled") => (Cause::OomKilled, Certainty::Direct),
        Some("ContainerStatusUnknown") => (Cause::NodeLost, Certainty::Likely),
        _ if is_killed(ended.exit_code, ended.signal) || is_lost_sight_of(ended) => {
            (Cause::Unknown, Certainty::Unknown)
        }
        _ => (Cause::Exited, Certainty::Direct),
    }
}

/// The cause that a probe is of a restart.
pub(super) fn cause_of(kind: ProbeKind) -> Cause {
    match kind {
        ProbeKind::Liveness => Cause::LivenessProbe,
        ProbeKind::Startup => Cause::StartupProbe,
        ProbeKind::Readiness => Cause::ReadinessProbe,
    }
}

impl PodFacts {
    /// Why a container ended, as far as that is known now.
    pub(super) fn judge(
        &self,
        pod: &Pod,
        c: usize,
        (nth, ended): (u32, &Ended),
        context: &ReviewContext<'_>,
    ) -> Option<Verdict> {
        let (facts, spec, _) = self.container(pod, c)?;
        let points = self.points(pod, spec, ended, context);
        let told = super::messages::ended(ended);
        let kill = facts
            .kill
            .filter(|kill| kill.explains(&told) && !facts.is_spent(kill));
        let node = pod.node.as_deref().unwrap_or_default();
        let lost = || finished(ended).is_some_and(|at| context.nodes.was_lost(node, at));
        let reason = ended.reason.as_deref().unwrap_or_default();
        let probed = spec.liveness.is_some() || spec.startup.is_some();
        let killed = is_killed(ended.exit_code, ended.signal);
        // Until the counters have told: what killed it the last time is the likeliest.
        let before = PROBES
            .into_iter()
            .filter(|_| probed)
            .find(|cause| self.continues_restarts(c, *cause, ended.exit_code, killed));
        let (cause, certainty, decided) = if reason == "OOMKilled" {
            (Cause::OomKilled, Certainty::Direct, true)
        } else if let Some(kill) = kill {
            (cause_of(kill.kind), Certainty::Direct, true)
        } else if reason == "ContainerStatusUnknown" || (ended.exit_code == 255 && lost()) {
            (Cause::NodeLost, Certainty::Likely, true)
        } else if is_lost_sight_of(ended) {
            (Cause::Unknown, Certainty::Unknown, true)
        } else if let Some(kind) = self.probe_at_threshold(c, spec) {
            (cause_of(kind), Certainty::Likely, false)
        } else if killed && is_near_limit(&points, spec.limits) {
            (Cause::OomKilled, Certainty::Likely, !probed)
        } else if let Some(cause) = before {
            (cause, Certainty::Likely, false)
        } else if killed {
            (Cause::Unknown, Certainty::Unknown, !probed)
        } else {
            (Cause::Exited, Certainty::Direct, !probed)
        };
        Some(Verdict {
            cause,
            certainty,
            decided,
            clues: self.clues(spec, c, (nth, ended), cause, &points),
        })
    }

    /// Whether the container's restarts for this cause go on, and this end is as those are: killed, or with the exit code
    /// of one of them that is certain.
    fn continues_restarts(&self, c: usize, cause: Cause, exit_code: i32, killed: bool) -> bool {
        let known = self.containers.get(c).is_some_and(|facts| {
            facts.restarts.iter().any(|it| {
                let sure = (it.cause, it.certainty) == (cause, Certainty::Direct);
                sure && it.ended.exit_code == exit_code
            })
        });
        self.open_on(Topic::Restart(c, cause)).is_some() && (killed || known)
    }

    /// The probe that has failed as often in a row as makes the kubelet kill the container.
    fn probe_at_threshold(&self, c: usize, spec: &ContainerSpec) -> Option<ProbeKind> {
        let facts = self.containers.get(c)?;
        let kinds = [
            (ProbeKind::Startup, &spec.startup),
            (ProbeKind::Liveness, &spec.liveness),
        ];
        kinds.into_iter().find_map(|(kind, probe)| {
            let streak = facts.streaks.of(kind)?;
            (streak.failures() >= probe.as_ref()?.failure_threshold).then_some(kind)
        })
    }

    /// What was measured of the incarnation that ended.
    fn points(
        &self,
        pod: &Pod,
        spec: &ContainerSpec,
        ended: &Ended,
        context: &ReviewContext<'_>,
    ) -> Vec<UsagePoint> {
        let (Some(node), Some(until)) = (&pod.node, finished(ended)) else {
            return Vec::new();
        };
        let earliest = until.plus_nanos(-BEFORE);
        let since = started(ended).map_or(earliest, |started| started.max(earliest));
        let of = UsageSubject {
            node,
            pod: &pod.key,
            uid: pod.uid,
            container: &spec.name,
        };
        // It ended within that second.
        context.past.between(of, since, until.plus_nanos(SECOND))
    }

    fn clues(
        &self,
        spec: &ContainerSpec,
        c: usize,
        (nth, ended): (u32, &Ended),
        cause: Cause,
        points: &[UsagePoint],
    ) -> Vec<KeyedEvidence> {
        let Some(at) = finished(ended) else {
            return Vec::new();
        };
        let keys = Restart::keys(self.uid, c, nth);
        let lived = started(ended).map(|started| at.since(started).max(0));
        let status = messages::how_it_ended(ended, lived);
        let mut clues = vec![KeyedEvidence::new(keys[0], at, Source::Status, status)];
        let short = lived.is_some_and(|lived| lived <= UNSAMPLED);
        // What it used tells something of why it was killed, or if it was all that it might use.
        let event_kind = matches!(cause, Cause::OomKilled | Cause::Unknown);
        if !event_kind && !is_at_limit(points, spec.limits) {
            return clues;
        }
        let measured = match in_words(points, spec.limits, at) {
            Some(measured) if short && points.len() == 1 => format!(
                "it lived {}, too short for more than one sample: {measured}",
                seconds(lived.unwrap_or_default())
            ),
            Some(measured) => measured,
            None if short => format!(
                "it lived {}, too short for its memory to be sampled",
                seconds(lived.unwrap_or_default())
            ),
            None => "its memory before is not known".to_owned(),
        };
        clues.push(KeyedEvidence::new(keys[1], at, Source::History, measured));
        clues
    }

    /// What the counters make of ends that were not decided: a look between which and the one before a container ended
    /// tells whether its probe failed as often as it takes. Gives the restarts that turn out otherwise, with cause and
    /// certainty, and what the counters told.
    pub(super) fn counter_verdicts(
        &self,
        pod: &Pod,
        context: &ReviewContext<'_>,
    ) -> Vec<CounterVerdict> {
        let mut all = Vec::new();
        let node = pod.node.as_deref().unwrap_or_default();
        for (c, facts) in self.containers.iter().enumerate() {
            let Some(spec) = pod.template.containers.get(c) else {
                continue;
            };
            if spec.role == Role::Init || facts.restarts.iter().all(|restart| restart.decided) {
                continue;
            }
            let seen = |kind| {
                context
                    .counters
                    .of(node, ProbeId::of(pod, &spec.name, kind))
            };
            let liveness = seen(ProbeKind::Liveness).zip(spec.liveness.as_ref());
            let startup = seen(ProbeKind::Startup).zip(spec.startup.as_ref());
            let probes = [
                (ProbeKind::Liveness, liveness),
                (ProbeKind::Startup, startup),
            ];
            let known = probes.iter().any(|(_, probe)| probe.is_some());
            for restart in facts.restarts.iter().filter(|restart| !restart.decided) {
                let Some(at) = restart.ended.finished else {
                    continue;
                };
                let seen = || {
                    probes
                        .iter()
                        .filter_map(|(kind, probe)| Some((*kind, (*probe)?)))
                };
                let likely = seen().find_map(|(kind, (seen, probe))| {
                    let threshold = probe.failure_threshold;
                    let termination_count = facts.ends_between(&seen);
                    let failures = seen.run_before.saturating_add(seen.failed);
                    // All of them may have come before the look before, and the end just after it.
                    let enough = seen.covers(at)
                        && failures >= threshold.saturating_mul(termination_count.max(1));
                    enough.then_some((kind, seen))
                });
                // Only counters that were seen before the end and after it tell that no probe was the cause.
                let covered = known && seen().all(|(_, (seen, _))| seen.covers(at));
                all.push(match likely {
                    Some((kind, seen)) => CounterVerdict {
                        c,
                        nth: restart.nth,
                        verdict: Some((cause_of(kind), Certainty::Likely)),
                        clue: Some((seen.to, messages::counted(kind, &seen))),
                    },
                    None if covered => CounterVerdict {
                        c,
                        nth: restart.nth,
                        verdict: None,
                        clue: None,
                    },
                    None => continue,
                });
            }
        }
        all
    }
}

/// What the counters made of an end.
#[derive(Debug)]
pub(super) struct CounterVerdict {
    pub(super) c: usize,
    pub(super) nth: u32,
    /// Cause and certainty; nothing if they tell of no failures.
    pub(super) verdict: Option<(Cause, Certainty)>,
    pub(super) clue: Option<(Timestamp, String)>,
}

impl Seen {
    /// Whether something that happened then shows between this look and the one before.
    fn covers(&self, at: Timestamp) -> bool {
        !self.first && at.since(self.from) >= -SLACK && self.to.since(at) >= -SLACK
    }
}

impl super::facts::ContainerFacts {
    fn ends_between(&self, seen: &Seen) -> u32 {
        let ends = self.restarts.iter();
        let between =
            ends.filter(|restart| restart.ended.finished.is_some_and(|at| seen.covers(at)));
        u32::try_from(between.count()).unwrap_or(u32::MAX)
    }
}
