//! Restart: terminations of a container become incidents. Terminations for one cause are one incident. Evidence that
//! arrives later moves a termination to the incident of its cause.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, Cause, Certainty, IncidentKind, ProbeKind, Source};

use super::decision::Decision;
use super::termination_cause::{self, Verdict};
use crate::cluster::{Ended, Pod, Role, State};
use crate::health::causes::{PROBES, more_certain};
use crate::health::container_index::ContainerIndex;
use crate::health::facts::{Open, PodFacts, Restart};
use crate::health::incident_record::{Edit, IncidentId, KeyedEvidence};
use crate::health::messages;
use crate::health::open_incidents::merge;
use crate::health::review_context::ReviewContext;
use crate::health::terminations::{finished, in_status, is_done};
use crate::health::thresholds::{UNDECIDED, WELL_AFTER};
use crate::health::topic::Topic;

/// Records the terminations in a pod's status that are not recorded yet.
pub(in crate::health) fn record_terminations(
    facts: &mut PodFacts,
    pod: &Pod,
    context: &mut ReviewContext<'_>,
) {
    for index in ContainerIndex::all(facts.containers.len()) {
        let Some((container, spec, status)) = facts.container(pod, index) else {
            continue;
        };
        let (now, previous) = (
            status.terminations(pod.stays_ended(spec)),
            container.termination_count,
        );
        if now < previous {
            // The number may fall by one between two states of the kubelet. A larger difference is a new count.
            if previous - now > 1
                && let Some(container) = index.of_mut(&mut facts.containers)
            {
                container.termination_count = now;
            }
            continue;
        }
        let new = now - previous;
        let mut recent: Vec<(u32, Ended)> = in_status(status)
            .filter(|(nth, _)| *nth > previous && *nth <= now)
            .map(|(nth, ended)| (nth, ended.clone()))
            .collect();
        recent.reverse();
        let role = spec.role;
        if let Some(container) = index.of_mut(&mut facts.containers) {
            container.termination_count = now;
        }
        // The end of a pod terminates its containers, which is no restart.
        if new == 0 || pod.deleted_seconds > 0 || pod.phase.is_over() {
            continue;
        }
        context.totals.restarts += u64::from(new);
        let unknown = new.saturating_sub(u32::try_from(recent.len()).unwrap_or(u32::MAX));
        if recent.is_empty() {
            record_unknown_terminations(facts, index, unknown, context);
        }
        let mut unknown_before = unknown;
        for (nth, ended) in recent {
            if is_done(role, &ended) || (role == Role::Sidecar && is_done_for(pod)) {
                continue;
            }
            record_termination(
                facts,
                pod,
                index,
                (nth, &ended),
                std::mem::take(&mut unknown_before),
                context,
            );
        }
    }
}

/// Records terminations of which only the number is known. They belong to the open incident about restarts, or wait for
/// an Event that explains them.
fn record_unknown_terminations(
    facts: &mut PodFacts,
    index: ContainerIndex,
    count: u32,
    context: &mut ReviewContext<'_>,
) {
    let is_restart = |open: &&Open| matches!(open.topic, Topic::Restart(of, _) if of == index);
    if let Some(open) = facts.open.iter().find(is_restart) {
        let more = |edit: &mut Edit<'_>| edit.incident.count += u64::from(count);
        context.incidents.edit(open.id, more);
    } else if let Some(container) = index.of_mut(&mut facts.containers) {
        container.unclaimed = container.unclaimed.saturating_add(count);
    }
}

/// Records one termination, and the number of unknown terminations before it.
fn record_termination(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    (nth, ended): (u32, &Ended),
    unknown_before: u32,
    context: &mut ReviewContext<'_>,
) {
    let Some(verdict) = termination_cause::find_cause(facts, pod, index, (nth, ended), context)
    else {
        return;
    };
    let at = finished(ended).unwrap_or(context.now);
    let failing_since = failing_since(facts, index);
    let api_ended = ended.to_api();
    let began = problem_start(facts, index, (verdict.cause, failing_since), &api_ended);
    let began = began.unwrap_or(at);
    let id = incident_for(facts, pod, index, &verdict, began, context);
    if let Some(container) = index.of_mut(&mut facts.containers) {
        container.add_restart(Restart {
            nth,
            ended: api_ended.clone(),
            cause: verdict.cause,
            certainty: verdict.certainty,
            failing_since,
            decided: verdict.decided,
            refuted: false,
            unknown_before,
            incident: id,
            noticed: context.now,
        });
    }
    let keys = Restart::keys(facts.uid, index, nth);
    context.incidents.edit(id, |edit| {
        edit.began(began);
        edit.seen(at);
        edit.incident.count += 1 + u64::from(unknown_before);
        edit.incident.certainty = more_certain(edit.incident.certainty, verdict.certainty);
        edit.incident.last_ended = Some(api_ended);
        for evidence in verdict.evidence {
            edit.add_evidence(evidence);
        }
        if unknown_before > 0 {
            let text = messages::unknown_terminations(unknown_before);
            edit.add_evidence(KeyedEvidence::new(keys[3], at, Source::Status, text));
        }
    });
}

/// The first failed attempt of a liveness or startup probe that is failing.
fn failing_since(facts: &PodFacts, index: ContainerIndex) -> Option<Timestamp> {
    let streaks = &index.of(&facts.containers)?.streaks;
    let kinds = [ProbeKind::Startup, ProbeKind::Liveness].into_iter();
    kinds.filter_map(|kind| streaks.of(kind)?.since).min()
}

/// The start of the problem that led to a termination: the first failed attempt of the probe for which the container
/// was killed, or the termination.
fn problem_start(
    facts: &PodFacts,
    index: ContainerIndex,
    (cause, failing): (Cause, Option<Timestamp>),
    ended: &vitals::Ended,
) -> Option<Timestamp> {
    let at = ended.finished?;
    if !PROBES.contains(&cause) {
        return Some(at);
    }
    // The kubelet's kill may be about an earlier termination.
    let kill = index
        .of(&facts.containers)
        .and_then(|container| container.kill);
    let killed = kill.filter(|kill| kill.explains(ended)).map(|kill| kill.at);
    let first = failing.or(killed);
    Some(first.map_or(at, |first| first.min(at)))
}

/// The incident for a termination: the open one for the same cause; else an open one about a probe of this container,
/// which led to the termination; else a new one.
fn incident_for(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    verdict: &Verdict,
    began: Timestamp,
    context: &mut ReviewContext<'_>,
) -> IncidentId {
    let topic = Topic::Restart(index, verdict.cause);
    let is_probe = |topic: Topic| matches!(topic, Topic::Probe(of, _) if of == index);
    let probe = facts.open.iter().position(|open| is_probe(open.topic));
    if let Some(id) = facts.open_on(topic) {
        if let Some(probe) = probe {
            let probe = facts.open.remove(probe);
            merge(probe.id, id, context);
        }
        return id;
    }
    if let Some(open) = probe.and_then(|probe| facts.open.get_mut(probe)) {
        open.topic = topic;
        let id = open.id;
        context.incidents.edit(id, |edit| {
            edit.incident.reason = IncidentKind::Restart;
            edit.incident.cause = verdict.cause;
            edit.incident.certainty = verdict.certainty;
            // The incident counted failed attempts; from now on it counts restarts.
            edit.incident.count = 0;
        });
        return id;
    }
    facts.open_new(pod, topic, verdict.cause, verdict.certainty, began, context)
}

/// Decides the causes of restarts with the counters of probes.
pub(in crate::health) fn decide(facts: &mut PodFacts, pod: &Pod, context: &mut ReviewContext<'_>) {
    for found in termination_cause::counter_verdicts(facts, pod, context) {
        let (index, nth) = (found.index, found.nth);
        let verdict = found.verdict.or_else(|| {
            // The counters contradict the cause taken from earlier terminations.
            let restart = facts.restart(index, nth)?;
            PROBES
                .contains(&restart.cause)
                .then_some((Cause::Unknown, Certainty::Unknown))
        });
        let evidence = found.evidence.map(|(at, text)| {
            let keys = Restart::keys(facts.uid, index, nth);
            KeyedEvidence::new(keys[2], at, Source::ProbeCounter, text)
        });
        if let Some(verdict) = verdict {
            change_cause(facts, pod, (index, nth), verdict, evidence, context);
        }
        if let Some(restart) = facts.restart_mut(index, nth) {
            restart.decided = true;
            restart.refuted = found.verdict.is_none();
        }
    }
    for container in &mut facts.containers {
        for restart in &mut container.restarts {
            restart.decided |= context.now.since(restart.noticed) > UNDECIDED;
        }
    }
}

/// Changes the cause of a recorded termination, and moves it to the incident of that cause.
pub(in crate::health) fn change_cause(
    facts: &mut PodFacts,
    pod: &Pod,
    (index, nth): (ContainerIndex, u32),
    (cause, certainty): (Cause, Certainty),
    evidence: Option<KeyedEvidence>,
    context: &mut ReviewContext<'_>,
) {
    let Some(restart) = facts.restart_mut(index, nth) else {
        return;
    };
    let (from, ended, old_cause) = (restart.incident, restart.ended.clone(), restart.cause);
    let failing_since = restart.failing_since;
    let its = restart.terminations();
    (restart.cause, restart.certainty) = (cause, certainty);
    restart.decided |= certainty == Certainty::Direct;
    let alone = context
        .incidents
        .get(from)
        .is_some_and(|it| it.count <= its);
    let to = facts.open_on(Topic::Restart(index, cause));
    let to = if old_cause == cause {
        from
    } else if let Some(to) = to {
        to
    } else if alone {
        // Its incident has no other termination, so the incident changes its cause.
        for open in &mut facts.open {
            if open.id == from {
                open.topic = Topic::Restart(index, cause);
            }
        }
        from
    } else if facts.open.iter().any(|open| open.id == from) {
        let at = ended.finished.unwrap_or(context.now);
        facts.open_new(
            pod,
            Topic::Restart(index, cause),
            cause,
            certainty,
            at,
            context,
        )
    } else {
        from
    };
    if to != from {
        move_termination(facts, index, nth, (from, to), context);
    }
    let began = problem_start(facts, index, (cause, failing_since), &ended);
    context.incidents.edit(to, |edit| {
        edit.incident.cause = cause;
        edit.incident.certainty = if alone && to == from {
            certainty
        } else {
            more_certain(edit.incident.certainty, certainty)
        };
        if let Some(began) = began {
            edit.began(began);
        }
        if let Some(evidence) = evidence {
            edit.add_evidence(evidence);
        }
    });
}

/// Moves a termination, and the unknown ones before it, from one incident to another. Removes the first incident if it
/// is then empty.
fn move_termination(
    facts: &mut PodFacts,
    index: ContainerIndex,
    nth: u32,
    (from, to): (IncidentId, IncidentId),
    context: &mut ReviewContext<'_>,
) {
    let keys = Restart::keys(facts.uid, index, nth);
    let its = facts.restart(index, nth).map_or(1, Restart::terminations);
    let (mut evidence, mut left, mut ended) = (Vec::new(), 0, None);
    context.incidents.edit(from, |edit| {
        evidence = edit.take(&keys);
        edit.incident.count = edit.incident.count.saturating_sub(its);
        left = edit.incident.count;
    });
    if let Some(container) = index.of_mut(&mut facts.containers) {
        for restart in &mut container.restarts {
            if restart.nth == nth {
                restart.incident = to;
                ended = Some(restart.ended.clone());
            }
        }
        let mut others = container.restarts.iter().rev();
        let last = others.find(|restart| restart.incident == from);
        let last = last.map(|restart| restart.ended.clone());
        context
            .incidents
            .edit(from, |edit| edit.incident.last_ended = last);
    }
    if left == 0 {
        facts.open.retain(|open| open.id != from);
        merge(from, to, context);
    }
    context.incidents.edit(to, |edit| {
        edit.incident.count += its;
        let finished = edit.incident.last_ended.as_ref().and_then(|it| it.finished);
        if let Some(ended) = ended
            && ended.finished >= finished
        {
            edit.incident.last_ended = Some(ended);
        }
        for item in evidence {
            edit.add_evidence(item);
        }
    });
}

/// Reviews whether the restarts of a container are over: the container has run for long enough and is ready. The
/// incident then ends at the time at which it became ready.
pub(in crate::health) fn review_recovery(
    facts: &PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &ReviewContext<'_>,
) -> Option<Vec<Decision>> {
    let is_restart = |topic: &Topic| matches!(topic, Topic::Restart(of, _) if *of == index);
    let topics = facts.open.iter().map(|open| open.topic).filter(is_restart);
    let mut topics = topics.peekable();
    topics.peek()?;
    let (container, spec, status) = facts.container(pod, index)?;
    let at = match &status.state {
        State::Terminated(ended) if is_done(spec.role, ended) => {
            finished(ended).unwrap_or(context.now)
        }
        State::Running { .. } if status.ready => {
            let running = container.running?;
            let due = running.plus_nanos(WELL_AFTER);
            if context.now < due {
                return Some(vec![Decision::Wake(due)]);
            }
            container.was_ready.unwrap_or(running)
        }
        State::Terminated(_) | State::Running { .. } | State::Waiting(_) => return None,
    };
    Some(topics.map(|topic| Decision::End { topic, at }).collect())
}

/// Whether all app containers have terminated. The kubelet terminates the sidecars after that.
fn is_done_for(pod: &Pod) -> bool {
    let mut apps = pod.containers().filter(|(spec, _)| spec.role == Role::App);
    apps.all(|(_, status)| matches!(status.state, State::Terminated(_)))
}
