//! Terminations that Events count. The counts explain terminations whose status is known, and add terminations that
//! nothing else reports, such as those before the server first saw the pod.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, Source};

use super::restart::change_cause;
use crate::cluster::Pod;
use crate::health::causes::{cause_of, more_certain};
use crate::health::container_index::ContainerIndex;
use crate::health::facts::{PodFacts, Restart};
use crate::health::incident_record::{IncidentId, KeyedEvidence};
use crate::health::messages;
use crate::health::review_context::ReviewContext;
use crate::health::tallies::{Tally, TallyKind, was_killed};
use crate::health::thresholds::LOOP_GAP;
use crate::health::topic::Topic;

/// Reconciles the recorded terminations of a container with the counts of Events. The result does not depend on the
/// order in which both arrive, and repeating a count changes nothing.
pub(in crate::health) fn reconcile(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    context: &mut ReviewContext<'_>,
) {
    let Some(container) = index.of(&facts.containers) else {
        return;
    };
    // The end of a pod terminates its containers, which is no restart.
    if pod.deleted_seconds > 0 || pod.phase.is_over() {
        return;
    }
    for tally in container.tallies.clone() {
        explain(facts, pod, index, &tally, context);
    }
    infer(facts, pod, index, context);
    for tally in connected(facts, index, context.now) {
        claim(facts, pod, index, &tally, context);
    }
}

/// Sets the cause of terminations for which the kubelet reported a kill: those within the Event's time, as many as it
/// counts.
fn explain(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    tally: &Tally,
    context: &mut ReviewContext<'_>,
) {
    let (TallyKind::Killing(kind), Some(container)) = (tally.kind, index.of(&facts.containers))
    else {
        return;
    };
    let verdict = (cause_of(kind), Certainty::Direct);
    let is_known = |it: &&Restart| (it.cause, it.certainty) == verdict;
    let inside = || {
        container
            .restarts
            .iter()
            .rev()
            .filter(|it| tally.covers(&it.ended))
    };
    let recorded = inside().filter(is_known).count();
    let left = (tally.count.saturating_sub(tally.claimed) as usize).saturating_sub(recorded);
    let open = || inside().filter(|it| !is_known(it) && it.cause != Cause::OomKilled);
    let named = open().filter(|it| tally.names(&it.ended));
    let codes: Vec<i32> = inside()
        .filter(|it| is_known(it) || tally.names(&it.ended))
        .map(|it| it.ended.exit_code)
        .collect();
    let alike = |ended: &Ended| was_killed(ended) || codes.contains(&ended.exit_code);
    let others = open().filter(|it| !tally.names(&it.ended) && alike(&it.ended));
    let found: Vec<u32> = named.chain(others).take(left).map(|it| it.nth).collect();
    for nth in found {
        change_cause(facts, pod, (index, nth), verdict, None, context);
    }
}

/// Sets the likely cause of unexplained terminations in a loop whose other terminations are explained, so that later
/// evidence explains earlier terminations.
fn infer(facts: &mut PodFacts, pod: &Pod, index: ContainerIndex, context: &mut ReviewContext<'_>) {
    let Some((container, spec, _)) = facts.container(pod, index) else {
        return;
    };
    let probes = [
        (Cause::LivenessProbe, spec.liveness.is_some()),
        (Cause::StartupProbe, spec.startup.is_some()),
    ];
    let mut found = Vec::new();
    for restart in &container.restarts {
        let unexplained = matches!(restart.cause, Cause::Unknown | Cause::Exited);
        let goes_on = facts.open.iter().any(|open| open.id == restart.incident);
        if !unexplained || !goes_on || restart.refuted {
            continue;
        }
        let likely = probes.iter().find(|(cause, has)| {
            let same = |it: &&Restart| it.cause == *cause && it.certainty == Certainty::Direct;
            let recorded = container.restarts.iter().rev().find(same);
            let is_tallied = || {
                container
                    .tallies
                    .iter()
                    .any(|it| it.is_loop_of(*cause, &restart.ended))
            };
            *has && match recorded {
                Some(recorded) if recorded.ended.exit_code == restart.ended.exit_code => true,
                Some(_) => was_killed(&restart.ended),
                None => was_killed(&restart.ended) && is_tallied(),
            }
        });
        if let Some((cause, _)) = likely {
            found.push((restart.nth, *cause));
        }
    }
    for (nth, cause) in found {
        change_cause(
            facts,
            pod,
            (index, nth),
            (cause, Certainty::Likely),
            None,
            context,
        );
    }
}

/// The tallies of the loop to which the container's recorded terminations belong, from before the server first saw the
/// pod; the most certain first.
fn connected(facts: &PodFacts, index: ContainerIndex, now: Timestamp) -> Vec<Tally> {
    let Some(container) = index.of(&facts.containers) else {
        return Vec::new();
    };
    let finished = container.restarts.iter().filter_map(|it| it.ended.finished);
    let mut edge = finished.min().or(container.running).unwrap_or(now);
    let mut all: Vec<&Tally> = container.tallies.iter().collect();
    all.sort_by_key(|tally| std::cmp::Reverse(tally.last));
    let mut connected = Vec::new();
    for tally in all {
        if edge.since(tally.last) > LOOP_GAP {
            break;
        }
        edge = edge.min(tally.first);
        if !tally.settled && tally.first < facts.since {
            connected.push(tally.clone());
        }
    }
    connected.sort_by_key(|tally| tally.kind);
    connected
}

/// Adds the terminations that only this Event counts to an incident, once.
fn claim(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    tally: &Tally,
    context: &mut ReviewContext<'_>,
) {
    if let Some(container) = index.of_mut(&mut facts.containers) {
        let its = container
            .tallies
            .iter_mut()
            .find(|it| it.event == tally.event);
        its.into_iter().for_each(|it| it.settled = true);
    }
    let Some(container) = index.of(&facts.containers) else {
        return;
    };
    let cause = tally.kind.cause();
    let is_its =
        |it: &&Restart| tally.covers(&it.ended) && cause.is_none_or(|cause| it.cause == cause);
    let recorded = container.restarts.iter().filter(is_its).count();
    let others = container
        .tallies
        .iter()
        .filter(|it| it.event != tally.event);
    let others = others.filter(|it| it.overlaps(tally));
    let others: u32 = match tally.kind {
        TallyKind::Killing(_) => 0,
        TallyKind::Failing(_) => others
            .filter(|it| it.kind < tally.kind && it.kind.cause() == cause)
            .map(|it| it.count)
            .fold(0, u32::saturating_add),
        TallyKind::BackOff => others.map(|it| it.claimed).fold(0, u32::saturating_add),
    };
    // A kill of the running container is not a termination yet.
    let is_pending = container
        .running
        .is_some_and(|running| tally.last >= running);
    let recorded = u32::try_from(recorded).unwrap_or(u32::MAX);
    let mut need = tally
        .count
        .saturating_sub(recorded)
        .saturating_sub(tally.claimed)
        .saturating_sub(others)
        .saturating_sub(u32::from(is_pending && cause.is_some()));
    if need == 0 {
        return;
    }
    let unknown_before: Vec<(u32, u32)> = container
        .restarts
        .iter()
        .filter(|it| it.unknown_before > 0 && it.ended.started.is_some_and(|at| tally.first <= at))
        .map(|it| (it.nth, it.unknown_before))
        .collect();
    let unclaimed = container.unclaimed;
    for (nth, unknown) in unknown_before {
        let taken = need.min(unknown);
        need -= taken;
        let Some(from) = facts.restart(index, nth).map(|it| it.incident) else {
            continue;
        };
        if cause.is_none() {
            context.incidents.edit(from, |edit| edit.began(tally.first));
        } else if let Some(to) = incident_for_tally(facts, pod, index, tally, taken > 0, context) {
            move_unknown(facts, (index, nth), taken, (from, to), context);
            record_claim(facts, index, tally, taken, to, context);
        }
    }
    let taken = need.min(unclaimed);
    if taken > 0
        && let Some(to) = incident_for_tally(facts, pod, index, tally, true, context)
    {
        context
            .incidents
            .edit(to, |edit| edit.incident.count += u64::from(taken));
        if let Some(container) = index.of_mut(&mut facts.containers) {
            container.unclaimed -= taken;
        }
        record_claim(facts, index, tally, taken, to, context);
    }
}

/// The incident to which the terminations of a tally belong.
fn incident_for_tally(
    facts: &mut PodFacts,
    pod: &Pod,
    index: ContainerIndex,
    tally: &Tally,
    any: bool,
    context: &mut ReviewContext<'_>,
) -> Option<IncidentId> {
    let cause = tally.kind.cause();
    let restarts = &index.of(&facts.containers)?.restarts;
    let recorded = match cause {
        Some(cause) => restarts.iter().rev().find(|it| it.cause == cause),
        None => {
            let after = |it: &&Restart| it.ended.finished >= Some(tally.first);
            restarts.iter().find(after).or(restarts.back())
        }
    };
    let recorded = recorded.map(|it| it.incident);
    let open = || facts.open_on(Topic::Restart(index, cause?));
    match (recorded.or_else(open), cause) {
        (Some(id), _) => Some(id),
        (None, Some(cause)) if any => {
            let topic = Topic::Restart(index, cause);
            let sure = tally.kind.certainty();
            Some(facts.open_new(pod, topic, cause, sure, tally.first, context))
        }
        (None, _) => None,
    }
}

/// Moves unknown terminations from one incident to another, which may be the same.
fn move_unknown(
    facts: &mut PodFacts,
    (index, nth): (ContainerIndex, u32),
    taken: u32,
    (from, to): (IncidentId, IncidentId),
    context: &mut ReviewContext<'_>,
) {
    let uid = facts.uid;
    let Some(restart) = facts.restart_mut(index, nth) else {
        return;
    };
    restart.unknown_before -= taken;
    let (left, at) = (
        restart.unknown_before,
        restart.ended.finished.unwrap_or(context.now),
    );
    context.incidents.edit(from, |edit| {
        let key = Restart::keys(uid, index, nth)[3];
        edit.take(&[key]);
        if left > 0 {
            edit.add_evidence(KeyedEvidence::new(
                key,
                at,
                Source::Status,
                messages::unknown_terminations(left),
            ));
        }
    });
    if from != to {
        let moved = u64::from(taken);
        context.incidents.edit(from, |edit| {
            edit.incident.count = edit.incident.count.saturating_sub(moved);
        });
        context
            .incidents
            .edit(to, |edit| edit.incident.count += moved);
    }
}

/// Records how many terminations an incident counts because of this Event.
fn record_claim(
    facts: &mut PodFacts,
    index: ContainerIndex,
    tally: &Tally,
    taken: u32,
    to: IncidentId,
    context: &mut ReviewContext<'_>,
) {
    let container = index.of_mut(&mut facts.containers);
    let recorded =
        container.and_then(|it| it.tallies.iter_mut().find(|it| it.event == tally.event));
    if let Some(recorded) = recorded {
        recorded.claimed += taken;
    }
    context.incidents.edit(to, |edit| {
        edit.began(tally.first);
        if tally.kind.cause().is_some() {
            let sure = more_certain(edit.incident.certainty, tally.kind.certainty());
            edit.incident.certainty = sure;
        }
    });
}
