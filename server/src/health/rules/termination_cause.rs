//! The cause of a termination, and its certainty: what Kubernetes says, what follows from other facts, or unknown.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, ProbeKind, Source};

use crate::cluster::{ContainerSpec, Ended, Pod, Role};
use crate::health::causes::{PROBES, cause_of, has_unknown_end, is_killed};
use crate::health::container_index::ContainerIndex;
use crate::health::facts::{ContainerFacts, PodFacts, Restart};
use crate::health::incident_record::KeyedEvidence;
use crate::health::messages;
use crate::health::probe_counters::{ProbeId, ProbeReading};
use crate::health::review_context::ReviewContext;
use crate::health::terminations::{finished, started};
use crate::health::thresholds::{BEFORE, SECOND, SLACK, UNSAMPLED};
use crate::health::topic::Topic;
use crate::health::usage_history::{
    UsagePoint, UsageSubject, in_words, is_at_limit, is_near_limit, seconds,
};

/// The cause of a termination.
#[derive(Debug)]
pub(in crate::health) struct Verdict {
    pub(in crate::health) cause: Cause,
    pub(in crate::health) certainty: Certainty,
    /// Whether the counters of probes cannot change the cause any more.
    pub(in crate::health) decided: bool,
    pub(in crate::health) evidence: Vec<KeyedEvidence>,
}

/// The cause of a termination, according to the current facts.
pub(in crate::health) fn find_cause(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    (nth, ended): (u32, &Ended),
    context: &ReviewContext<'_>,
) -> Option<Verdict> {
    let (container, spec, _) = facts.container(pod, index)?;
    let points = points(pod, spec, ended, context);
    let api_ended = ended.to_api();
    let kill = container
        .kill
        .filter(|kill| kill.explains(&api_ended) && !container.is_spent(kill));
    let node = pod.node.as_deref().unwrap_or_default();
    let lost = || finished(ended).is_some_and(|at| context.nodes.was_lost(node, at));
    let reason = ended.reason.as_deref().unwrap_or_default();
    let probed = spec.liveness.is_some() || spec.startup.is_some();
    let killed = is_killed(ended.exit_code, ended.signal);
    // Until the counters are read, the cause of the last kill is the most likely one.
    let earlier_cause = PROBES
        .into_iter()
        .filter(|_| probed)
        .find(|cause| continues_restarts(facts, index, *cause, ended.exit_code, killed));
    let (cause, certainty, decided) = if reason == "OOMKilled" {
        (Cause::OomKilled, Certainty::Direct, true)
    } else if let Some(kill) = kill {
        (cause_of(kill.kind), Certainty::Direct, true)
    } else if reason == "ContainerStatusUnknown" || (ended.exit_code == 255 && lost()) {
        (Cause::NodeLost, Certainty::Likely, true)
    } else if has_unknown_end(ended) {
        (Cause::Unknown, Certainty::Unknown, true)
    } else if let Some(kind) = probe_at_threshold(facts, index, spec) {
        (cause_of(kind), Certainty::Likely, false)
    } else if killed && is_near_limit(&points, spec.limits) {
        (Cause::OomKilled, Certainty::Likely, !probed)
    } else if let Some(cause) = earlier_cause {
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
        evidence: evidence(facts, spec, index, (nth, ended), cause, &points),
    })
}

/// Whether restarts for this cause are open, and this termination is like them: it was killed, or has the exit code of
/// a restart with direct certainty.
fn continues_restarts(
    facts: &PodFacts,
    index: ContainerIndex,
    cause: Cause,
    exit_code: i32,
    killed: bool,
) -> bool {
    let recorded = index.of(&facts.containers).is_some_and(|container| {
        container.restarts.iter().any(|it| {
            let sure = (it.cause, it.certainty) == (cause, Certainty::Direct);
            sure && it.ended.exit_code == exit_code
        })
    });
    facts.open_on(Topic::Restart(index, cause)).is_some() && (killed || recorded)
}

/// The probe whose failures in a row have reached its threshold, so that the kubelet kills the container.
fn probe_at_threshold(
    facts: &PodFacts,
    index: ContainerIndex,
    spec: &ContainerSpec,
) -> Option<ProbeKind> {
    let container = index.of(&facts.containers)?;
    let mut kinds = [ProbeKind::Startup, ProbeKind::Liveness].into_iter();
    kinds.find(|kind| {
        let streak = container.streaks.of(*kind).zip(spec.probe(*kind));
        streak.is_some_and(|(streak, probe)| streak.failures() >= probe.failure_threshold)
    })
}

/// The usage of the container before it terminated.
fn points(
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
        container: &spec.name,
    };
    // The container terminated within that second.
    context.usage.between(of, since, until.plus_nanos(SECOND))
}

fn evidence(
    facts: &PodFacts,
    spec: &ContainerSpec,
    index: ContainerIndex,
    (nth, ended): (u32, &Ended),
    cause: Cause,
    points: &[UsagePoint],
) -> Vec<KeyedEvidence> {
    let Some(at) = finished(ended) else {
        return Vec::new();
    };
    let keys = Restart::keys(facts.uid, index, nth);
    let lived = started(ended).map(|started| at.since(started).max(0));
    let status = messages::how_it_ended(ended, lived);
    let mut evidence = vec![KeyedEvidence::new(keys[0], at, Source::Status, status)];
    let short = lived.is_some_and(|lived| lived <= UNSAMPLED);
    // Usage is evidence for a kill without a known cause, for an OOM kill, and near a limit.
    let is_unexplained = matches!(cause, Cause::OomKilled | Cause::Unknown);
    if !is_unexplained && !is_at_limit(points, spec.limits) {
        return evidence;
    }
    let usage = match in_words(points, spec.limits, at) {
        Some(usage) if short && points.len() == 1 => format!(
            "it ran for {}, too short for more than one sample: {usage}",
            seconds(lived.unwrap_or_default())
        ),
        Some(usage) => usage,
        None if short => format!(
            "it ran for {}, too short for a sample of its memory",
            seconds(lived.unwrap_or_default())
        ),
        None => "its memory before the end is unknown".to_owned(),
    };
    evidence.push(KeyedEvidence::new(keys[1], at, Source::History, usage));
    evidence
}

/// Checks undecided restarts with the counters of probes: the rise between two readings around a termination shows
/// whether a probe has failed as often as its threshold.
pub(in crate::health) fn counter_verdicts(
    facts: &PodFacts,
    pod: &Pod,
    context: &ReviewContext<'_>,
) -> Vec<CounterVerdict> {
    let mut all = Vec::new();
    let node = pod.node.as_deref().unwrap_or_default();
    for (index, container) in ContainerIndex::enumerate(facts.containers.iter()) {
        let Some(spec) = index.of(&pod.template.containers) else {
            continue;
        };
        if spec.role == Role::Init || container.restarts.iter().all(|restart| restart.decided) {
            continue;
        }
        let kinds = [ProbeKind::Liveness, ProbeKind::Startup].into_iter();
        let probes = kinds.filter_map(|kind| {
            let id = ProbeId::of(pod, &spec.name, kind);
            Some((kind, context.counters.of(node, id)?, spec.probe(kind)?))
        });
        let probes: Vec<_> = probes.collect();
        for restart in container.restarts.iter().filter(|restart| !restart.decided) {
            let Some(at) = restart.ended.finished else {
                continue;
            };
            let likely = probes.iter().find_map(|(kind, seen, probe)| {
                let threshold = probe.failure_threshold;
                let termination_count = container.terminations_in(seen);
                let failures = seen.run_before.saturating_add(seen.failed);
                // All failures may be before the earlier reading, and the termination just after it.
                let enough = seen.covers(at)
                    && failures >= threshold.saturating_mul(termination_count.max(1));
                enough.then_some((*kind, seen))
            });
            // Only counters read both before and after the termination show that no probe was the cause.
            let covered = !probes.is_empty() && probes.iter().all(|(_, seen, _)| seen.covers(at));
            if likely.is_none() && !covered {
                continue;
            }
            all.push(CounterVerdict {
                index,
                nth: restart.nth,
                verdict: likely.map(|(kind, _)| (cause_of(kind), Certainty::Likely)),
                evidence: likely.map(|(kind, seen)| (seen.to, messages::counted(kind, seen))),
            });
        }
    }
    all
}

/// The result of the counters for one restart.
#[derive(Debug)]
pub(in crate::health) struct CounterVerdict {
    pub(in crate::health) index: ContainerIndex,
    pub(in crate::health) nth: u32,
    /// Cause and certainty; none if no probe has failed often enough.
    pub(in crate::health) verdict: Option<(Cause, Certainty)>,
    pub(in crate::health) evidence: Option<(Timestamp, String)>,
}

impl ProbeReading {
    /// Whether the rise since the reading before includes this time.
    fn covers(&self, at: Timestamp) -> bool {
        !self.first && at.since(self.from) >= -SLACK && self.to.since(at) >= -SLACK
    }
}

impl ContainerFacts {
    fn terminations_in(&self, reading: &ProbeReading) -> u32 {
        let restarts = self.restarts.iter();
        let between =
            restarts.filter(|restart| restart.ended.finished.is_some_and(|at| reading.covers(at)));
        u32::try_from(between.count()).unwrap_or(u32::MAX)
    }
}
