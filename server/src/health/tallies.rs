//! Ends of containers that Events count: they explain those whose status is known, and tell of others of which nothing
//! else does, as those before this server first saw the pod.
//!
//! The kubelet writes one Event for what repeats and counts it up, so one Event may tell of an hour of a crash loop. It
//! drops Events above 25 for a pod, so each count is a lower bound.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, ProbeKind, Source};

use super::cause::{cause_of, is_killed};
use super::facts::{ContainerFacts, PodFacts, Restart};
use super::incidents::{IncidentId, KeyedEvidence};
use super::messages;
use super::pod_events::EventKind;
use super::restarts::surer;
use super::review_context::ReviewContext;
use super::thresholds::{LOOP_GAP, SECOND, WELL_AFTER};
use super::topic::Topic;
use crate::cluster::{Event, Pod, Uid};

/// Events whose counts are remembered of one container.
const MOST: usize = 8;

/// What one Event counts of a container's ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tally {
    /// The Event's UID.
    pub(super) event: Uid,
    pub(super) kind: TallyKind,
    /// When the Event was seen first.
    pub(super) first: Timestamp,
    /// When it was seen last.
    pub(super) last: Timestamp,
    /// Ends that it tells of, at least.
    pub(super) ends: u32,
    /// Those among them that are counted for this Event alone: nothing else is known of them.
    pub(super) claimed: u32,
    /// Whether that is settled: what the Event counts from then on is seen as it happens.
    pub(super) settled: bool,
}

/// What an Event tells of ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TallyKind {
    /// The kubelet kills the container for this probe.
    Killing(ProbeKind),
    /// This probe fails; after as many failures as its threshold the kubelet kills.
    Failing(ProbeKind),
    /// The kubelet waits before it starts the container again.
    BackOff,
}

impl TallyKind {
    /// The cause of the ends, where it is told.
    fn cause(self) -> Option<Cause> {
        match self {
            Self::Killing(kind) | Self::Failing(kind) => Some(cause_of(kind)),
            Self::BackOff => None,
        }
    }

    fn certainty(self) -> Certainty {
        match self {
            Self::Killing(_) => Certainty::Direct,
            Self::Failing(_) | Self::BackOff => Certainty::Likely,
        }
    }
}

impl Tally {
    /// What an event about a container counts; nothing if it counts no ends. `threshold` is that of the probe it is
    /// about.
    pub(super) fn of(event: &Event, event_kind: EventKind, threshold: Option<u32>) -> Option<Self> {
        let (kind, ends) = match event_kind {
            EventKind::Killing(probe) => (TallyKind::Killing(probe), event.count),
            EventKind::Unhealthy(probe @ (ProbeKind::Liveness | ProbeKind::Startup)) => {
                (TallyKind::Failing(probe), event.count / threshold?.max(1))
            }
            // Old kubelets repeat it while they wait for one start.
            EventKind::BackOff => {
                let most = most_ends(event.last.since(event.first));
                (TallyKind::BackOff, event.count.min(most))
            }
            _ => return None,
        };
        Some(Self {
            event: event.uid,
            kind,
            first: event.first,
            last: event.last,
            ends,
            claimed: 0,
            settled: false,
        })
    }

    /// Whether the incarnation that ended so was going on within the Event's time.
    fn covers(&self, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        match self.kind {
            // It is told while the kubelet waits after the end.
            TallyKind::BackOff => {
                finished <= self.last && self.first.since(finished) <= 300 * SECOND
            }
            TallyKind::Killing(_) | TallyKind::Failing(_) => {
                started <= self.last && finished >= self.first
            }
        }
    }

    /// Whether the Event was seen, the first or the last time, while that incarnation was going on.
    fn names(&self, ended: &Ended) -> bool {
        let within = |at| ended.started <= Some(at) && Some(at) <= ended.finished;
        ended.started.is_some() && (within(self.first) || within(self.last))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// The most ends of a container within a span: the kubelet waits 10 s before it starts it again, then twice as long each
/// time, up to 300 s (`backOffPeriod`, `MaxContainerBackOff`).
fn most_ends(span: i64) -> u32 {
    let (mut ends, mut left) = (1, span);
    for wait in [10, 20, 40, 80, 160] {
        left -= wait * SECOND;
        if left < 0 {
            return ends;
        }
        ends += 1;
    }
    ends.saturating_add(u32::try_from(left / (300 * SECOND)).unwrap_or(u32::MAX))
}

impl ContainerFacts {
    /// Remembers what an Event counts; of too many the one that was seen last longest ago is forgotten.
    pub(super) fn count_ends(&mut self, tally: Tally) {
        if let Some(known) = self.tallies.iter_mut().find(|it| it.event == tally.event) {
            known.first = known.first.min(tally.first);
            known.last = known.last.max(tally.last);
            known.ends = known.ends.max(tally.ends);
            return;
        }
        if self.tallies.len() >= MOST
            && let Some(oldest) = (0..self.tallies.len())
                .min_by_key(|at| self.tallies.get(*at).map(|tally| tally.last))
        {
            self.tallies.remove(oldest);
        }
        self.tallies.push(tally);
        self.tallies.sort_by_key(|tally| (tally.kind, tally.first));
    }
}

impl PodFacts {
    /// Makes what is known of a container's ends and what Events count of them agree. Whatever was told first, the same
    /// comes of it, and nothing new of what is told again.
    pub(super) fn reconcile_tallies(
        &mut self,
        pod: &Pod,
        c: usize,
        context: &mut ReviewContext<'_>,
    ) {
        let Some(facts) = self.containers.get(c) else {
            return;
        };
        // A pod that goes or is over takes its containers with it.
        if pod.deleted_seconds > 0 || pod.phase.is_over() {
            return;
        }
        for tally in facts.tallies.clone() {
            self.explain(pod, c, &tally, context);
        }
        self.infer(pod, c, context);
        for tally in self.connected(c, context.now) {
            self.claim(pod, c, &tally, context);
        }
    }

    /// The kubelet's word for killing a container explains the ends within its time, as many as it counts.
    fn explain(&mut self, pod: &Pod, c: usize, tally: &Tally, context: &mut ReviewContext<'_>) {
        let (TallyKind::Killing(kind), Some(facts)) = (tally.kind, self.containers.get(c)) else {
            return;
        };
        let verdict = (cause_of(kind), Certainty::Direct);
        let is_known = |it: &&Restart| (it.cause, it.certainty) == verdict;
        let inside = || {
            facts
                .restarts
                .iter()
                .rev()
                .filter(|it| tally.covers(&it.ended))
        };
        let known = inside().filter(is_known).count();
        let left = (tally.ends.saturating_sub(tally.claimed) as usize).saturating_sub(known);
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
            self.change_cause(pod, (c, nth), verdict, None, context);
        }
    }

    /// Ends that nothing explains, in a loop whose other ends are explained: those are likely to be for the same. So
    /// what is learned later explains what came before.
    fn infer(&mut self, pod: &Pod, c: usize, context: &mut ReviewContext<'_>) {
        let Some((facts, spec, _)) = self.container(pod, c) else {
            return;
        };
        let probes = [
            (Cause::LivenessProbe, spec.liveness.is_some()),
            (Cause::StartupProbe, spec.startup.is_some()),
        ];
        let mut found = Vec::new();
        for restart in &facts.restarts {
            let unexplained = matches!(restart.cause, Cause::Unknown | Cause::Exited);
            let goes_on = self.open.iter().any(|open| open.id == restart.incident);
            if !unexplained || !goes_on || restart.refuted {
                continue;
            }
            let likely = probes.iter().find(|(cause, has)| {
                let same = |it: &&Restart| it.cause == *cause && it.certainty == Certainty::Direct;
                let known = facts.restarts.iter().rev().find(same);
                let told = || {
                    facts
                        .tallies
                        .iter()
                        .any(|it| it.is_loop_of(*cause, &restart.ended))
                };
                *has && match known {
                    Some(known) if known.ended.exit_code == restart.ended.exit_code => true,
                    Some(_) => was_killed(&restart.ended),
                    None => was_killed(&restart.ended) && told(),
                }
            });
            if let Some((cause, _)) = likely {
                found.push((restart.nth, *cause));
            }
        }
        for (nth, cause) in found {
            self.change_cause(pod, (c, nth), (cause, Certainty::Likely), None, context);
        }
    }

    /// What Events count of the time before the first sight, of the loop that the container's known ends are of: the surest
    /// first.
    fn connected(&self, c: usize, now: Timestamp) -> Vec<Tally> {
        let Some(facts) = self.containers.get(c) else {
            return Vec::new();
        };
        let ends = facts.restarts.iter().filter_map(|it| it.ended.finished);
        let mut edge = ends.min().or(facts.running).unwrap_or(now);
        let mut all: Vec<&Tally> = facts.tallies.iter().collect();
        all.sort_by_key(|tally| std::cmp::Reverse(tally.last));
        let mut connected = Vec::new();
        for tally in all {
            if edge.since(tally.last) > LOOP_GAP {
                break;
            }
            edge = edge.min(tally.first);
            if !tally.settled && tally.first < self.since {
                connected.push(tally.clone());
            }
        }
        connected.sort_by_key(|tally| tally.kind);
        connected
    }

    /// Counts the ends that an Event tells of and nothing else does, once.
    fn claim(&mut self, pod: &Pod, c: usize, tally: &Tally, context: &mut ReviewContext<'_>) {
        if let Some(facts) = self.containers.get_mut(c) {
            let its = facts.tallies.iter_mut().find(|it| it.event == tally.event);
            its.into_iter().for_each(|it| it.settled = true);
        }
        let Some(facts) = self.containers.get(c) else {
            return;
        };
        let cause = tally.kind.cause();
        let is_its =
            |it: &&Restart| tally.covers(&it.ended) && cause.is_none_or(|cause| it.cause == cause);
        let known = facts.restarts.iter().filter(is_its).count();
        let others = facts.tallies.iter().filter(|it| it.event != tally.event);
        let others = others.filter(|it| it.overlaps(tally));
        let others: u32 = match tally.kind {
            TallyKind::Killing(_) => 0,
            TallyKind::Failing(_) => others
                .filter(|it| it.kind < tally.kind && it.kind.cause() == cause)
                .map(|it| it.ends)
                .fold(0, u32::saturating_add),
            TallyKind::BackOff => others.map(|it| it.claimed).fold(0, u32::saturating_add),
        };
        // That the incarnation that runs is to be killed is no end yet.
        let coming = facts.running.is_some_and(|running| tally.last >= running);
        let known = u32::try_from(known).unwrap_or(u32::MAX);
        let mut need = tally
            .ends
            .saturating_sub(known)
            .saturating_sub(tally.claimed)
            .saturating_sub(others)
            .saturating_sub(u32::from(coming && cause.is_some()));
        if need == 0 {
            return;
        }
        let unknown_before: Vec<(u32, u32)> = facts
            .restarts
            .iter()
            .filter(|it| {
                it.unknown_before > 0 && it.ended.started.is_some_and(|at| tally.first <= at)
            })
            .map(|it| (it.nth, it.unknown_before))
            .collect();
        let unclaimed = facts.unclaimed;
        for (nth, unknown) in unknown_before {
            let taken = need.min(unknown);
            need -= taken;
            let Some(from) = self.restart(c, nth).map(|it| it.incident) else {
                continue;
            };
            if cause.is_none() {
                context.incidents.edit(from, |edit| edit.began(tally.first));
            } else if let Some(to) = self.incident_for_tally(pod, c, tally, taken > 0, context) {
                self.move_unknown((c, nth), taken, (from, to), context);
                self.record_claim(c, tally, taken, to, context);
            }
        }
        let taken = need.min(unclaimed);
        if taken > 0
            && let Some(to) = self.incident_for_tally(pod, c, tally, true, context)
        {
            context
                .incidents
                .edit(to, |edit| edit.incident.count += u64::from(taken));
            if let Some(facts) = self.containers.get_mut(c) {
                facts.unclaimed -= taken;
            }
            self.record_claim(c, tally, taken, to, context);
        }
    }

    /// The incident to which ends belong that an Event tells of.
    fn incident_for_tally(
        &mut self,
        pod: &Pod,
        c: usize,
        tally: &Tally,
        any: bool,
        context: &mut ReviewContext<'_>,
    ) -> Option<IncidentId> {
        let cause = tally.kind.cause();
        let restarts = &self.containers.get(c)?.restarts;
        let known = match cause {
            Some(cause) => restarts.iter().rev().find(|it| it.cause == cause),
            None => {
                let after = |it: &&Restart| it.ended.finished >= Some(tally.first);
                restarts.iter().find(after).or(restarts.back())
            }
        };
        let known = known.map(|it| it.incident);
        let open = || self.open_on(Topic::Restart(c, cause?));
        match (known.or_else(open), cause) {
            (Some(id), _) => Some(id),
            (None, Some(cause)) if any => {
                let topic = Topic::Restart(c, cause);
                let sure = tally.kind.certainty();
                Some(self.open_new(pod, topic, cause, sure, tally.first, context))
            }
            (None, _) => None,
        }
    }

    /// Moves ends of which nothing was known from one incident to another; they may be the same.
    fn move_unknown(
        &mut self,
        (c, nth): (usize, u32),
        taken: u32,
        (from, to): (IncidentId, IncidentId),
        context: &mut ReviewContext<'_>,
    ) {
        let uid = self.uid;
        let Some(restart) = self.restart_mut(c, nth) else {
            return;
        };
        restart.unknown_before -= taken;
        let (left, at) = (
            restart.unknown_before,
            restart.ended.finished.unwrap_or(context.now),
        );
        context.incidents.edit(from, |edit| {
            let key = Restart::keys(uid, c, nth)[3];
            edit.take(&[key]);
            if left > 0 {
                edit.add_evidence(KeyedEvidence::new(
                    key,
                    at,
                    Source::Status,
                    messages::silent(left),
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

    /// PodEvents that an Event is the reason why so many ends are counted in an incident.
    fn record_claim(
        &mut self,
        c: usize,
        tally: &Tally,
        taken: u32,
        to: IncidentId,
        context: &mut ReviewContext<'_>,
    ) {
        let facts = self.containers.get_mut(c);
        let known = facts.and_then(|it| it.tallies.iter_mut().find(|it| it.event == tally.event));
        if let Some(known) = known {
            known.claimed += taken;
        }
        context.incidents.edit(to, |edit| {
            edit.began(tally.first);
            if tally.kind.cause().is_some() {
                let sure = surer(edit.incident.certainty, tally.kind.certainty());
                edit.incident.certainty = sure;
            }
        });
    }
}

impl Tally {
    /// Whether an end is of the loop in which this Event tells of ends for a cause: it came soon after, and the container
    /// was not well in between; or its probe was failing then.
    fn is_loop_of(&self, cause: Cause, ended: &Ended) -> bool {
        let (Some(started), Some(finished)) = (ended.started, ended.finished) else {
            return false;
        };
        if self.kind.cause() != Some(cause) || self.ends == 0 {
            return false;
        }
        let soon = finished >= self.first && finished.since(self.last) <= LOOP_GAP;
        match self.kind {
            TallyKind::Killing(_) => soon && finished.since(started) < WELL_AFTER,
            TallyKind::Failing(_) => self.names(ended),
            TallyKind::BackOff => false,
        }
    }
}

/// Whether a container was ended by somebody else, as its end tells.
fn was_killed(ended: &Ended) -> bool {
    is_killed(ended.exit_code, ended.signal.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_lets_no_more_ends_through_than_it_has_time_for() {
        for (seconds, ends) in [
            (-5, 1),
            (0, 1),
            (9, 1),
            (10, 2),
            (30, 3),
            (310, 6),
            (609, 6),
            (610, 7),
            (3600, 16),
        ] {
            assert_eq!(most_ends(seconds * SECOND), ends, "{seconds}");
        }
        assert!(most_ends(i64::MAX) > 16);
    }
}
