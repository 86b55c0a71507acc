//! ProbeFailing.
//!
//! A failing liveness or startup probe is an incident when it has failed as often as its threshold, or when the kubelet
//! says that it kills the container. A failing readiness probe is an incident when a container that was ready is not,
//! or when a container has not become ready in time. Repeated failures of readiness within ten minutes are one
//! incident.

use kubevitals_proto::vitals::{Cause, Certainty, ProbeKind};

use super::decision::{Decision, Extension, Opening};
use crate::cluster::{Pod, time};
use crate::health::causes::cause_of;
use crate::health::container_index::ContainerIndex;
use crate::health::facts::{CountedFailures, EndedReadiness, PodFacts};
use crate::health::messages;
use crate::health::review_context::ReviewContext;
use crate::health::terminations::ready_since;
use crate::health::thresholds::{SECOND, STARTUP_GRACE, UNEXPLAINED, WELL_AFTER};
use crate::health::topic::Topic;

/// Reviews the liveness probe of a container.
pub(in crate::health) fn review_liveness(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    review_killing(facts, pod, (index, ProbeKind::Liveness), context)
}

/// Reviews the startup probe of a container.
pub(in crate::health) fn review_startup(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    review_killing(facts, pod, (index, ProbeKind::Startup), context)
}

fn review_killing(
    facts: &PodFacts,
    pod: &Pod,
    (index, kind): (ContainerIndex, ProbeKind),
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    let (container, spec, _) = facts.container(pod, index)?;
    container.running?;
    let topic = Topic::Probe(index, kind);
    let streak = container.streaks.of(kind);
    let threshold = spec
        .probe(kind)
        .map_or(u32::MAX, |probe| probe.failure_threshold);
    let reached = streak.is_some_and(|streak| streak.failures() >= threshold);
    let kill = container.being_killed().filter(|kill| kill.kind == kind);
    if !reached && kill.is_none() {
        let at = context.now;
        return Some(vec![Decision::End { topic, at }]);
    }
    let cause = cause_of(kind);
    // The incident about its restarts for this probe already covers the next restart.
    if facts.open_on(Topic::Restart(index, cause)).is_some() {
        return None;
    }
    let failing_since = streak.and_then(|streak| streak.since);
    let first = failing_since
        .into_iter()
        .chain(kill.map(|kill| kill.at))
        .min();
    let last = streak.map(|streak| streak.last);
    let began = first.or(last).unwrap_or(context.now);
    let mut decisions = Vec::new();
    if facts.open_on(topic).is_none() {
        // Readiness that fails at the same time is part of the incident.
        let readiness = Topic::Probe(index, ProbeKind::Readiness);
        decisions.push(match facts.open_on(readiness) {
            Some(_) => Decision::ChangeTopic {
                from: readiness,
                to: topic,
                cause,
            },
            None => Decision::Open(Opening {
                topic,
                cause,
                certainty: Certainty::Direct,
                began,
                evidence: None,
            }),
        });
    }
    let failures = streak.map_or(0, |streak| streak.failures());
    decisions.push(Decision::Extend(Extension {
        topic,
        began: Some(began),
        count: failures.max(threshold.min(u32::MAX - 1)).into(),
        last_seen: last,
    }));
    Some(decisions)
}

/// Reviews whether an incident about readiness begins or ends.
pub(in crate::health) fn review_readiness(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    let (container, spec, status) = facts.container(pod, index)?;
    let topic = Topic::Probe(index, ProbeKind::Readiness);
    let probe = spec.readiness.as_ref()?;
    let open = facts.open_on(topic);
    if status.ready {
        let id = open?;
        let since = ready_since(pod);
        let since = since.filter(|at| container.running.is_some_and(|since| *at >= since));
        let at = since.unwrap_or(context.now);
        let failures = context.incidents.get(id).map_or(0, |it| it.count);
        let counted = CountedFailures { failures, last: at };
        return Some(vec![
            Decision::SetEndedReadiness(index, Some(EndedReadiness { id, at })),
            Decision::SetCountedFailures(index, Some(counted)),
            Decision::End { topic, at },
        ]);
    }
    let running = container.running?;
    if !status.started || open.is_some() {
        return None;
    }
    // A container that hangs fails both probes and is about to be killed: the incident is about the liveness probe.
    let liveness = container.streaks.of(ProbeKind::Liveness);
    if liveness.is_some() || container.being_killed().is_some() {
        return None;
    }
    if container.was_ready.is_none() {
        let delay = i64::from(probe.initial_delay) * SECOND;
        let until = running.plus_nanos(STARTUP_GRACE.saturating_add(delay));
        if context.now < until {
            return Some(vec![Decision::Wake(until)]);
        }
    }
    let streak = container.streaks.of(ProbeKind::Readiness);
    let unready = time(pod.ready.since_seconds).filter(|at| *at >= running);
    // A restarted kubelet sets every container to not ready until its first attempt, so without a failed attempt the
    // rule waits for that attempt.
    if streak.is_none() {
        let node = pod.node.as_deref().unwrap_or_default();
        let back = context.nodes.back_since(node);
        let since = unready.max(back).unwrap_or(running);
        let unexplained = since.plus_nanos(UNEXPLAINED);
        let until = probe.first_attempt(since).max(unexplained);
        if context.now < until {
            return Some(vec![Decision::Wake(until)]);
        }
    }
    let failing_since = streak.and_then(|streak| streak.since);
    let began = failing_since.or(unready).unwrap_or(running);
    let can_reopen = |ended: &EndedReadiness| {
        let incident = context.incidents.get(ended.id);
        let changes = |it: bool| began.since(ended.at) < WELL_AFTER && it;
        incident.is_some_and(|it| changes(it.ended.is_some() || it.last_seen < began))
    };
    if let Some(incident) = container.ended_readiness.filter(can_reopen) {
        let at = began;
        return Some(vec![Decision::Reopen {
            topic,
            incident,
            at,
        }]);
    }
    // The container runs, has started and is not ready, so its probe must fail. A failed attempt makes that certain.
    let certainty = match streak {
        Some(_) => Certainty::Direct,
        None => Certainty::Likely,
    };
    Some(vec![
        Decision::SetEndedReadiness(index, None),
        Decision::Open(Opening {
            topic,
            cause: Cause::ReadinessProbe,
            certainty,
            began,
            evidence: Some((
                unready.unwrap_or(began),
                messages::who_is_ready(pod, &spec.name),
            )),
        }),
        Decision::SetCountedFailures(index, None),
    ])
}

/// Counts failed attempts in the open incident about readiness.
pub(in crate::health) fn count_readiness(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    let (container, spec, status) = facts.container(pod, index)?;
    let topic = Topic::Probe(index, ProbeKind::Readiness);
    let id = facts.open_on(topic)?;
    if spec.readiness.is_none() || status.ready || !status.started || container.running.is_none() {
        return None;
    }
    let Some(streak) = container.streaks.of(ProbeKind::Readiness) else {
        // Later failures are counted on top.
        let counted = context.incidents.get(id).map(|it| CountedFailures {
            failures: it.count,
            last: it.last_seen,
        });
        return Some(vec![Decision::SetCountedFailures(index, counted)]);
    };
    let before = container.counted_failures.map_or(0, |it| it.failures);
    let failures = before.saturating_add(streak.newly().into());
    Some(vec![Decision::Extend(Extension {
        topic,
        began: streak.since,
        count: failures.max(streak.failures().into()),
        last_seen: Some(streak.last),
    })])
}
