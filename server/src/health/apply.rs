//! What changes the facts of one pod: the pod itself, events about it, and the counters of its probes.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

use super::engine::RETURN;
use super::facts::{ContainerFacts, Kill, PodFacts, Streak};
use super::pod_events::EventKind;
use super::probe_counters::ProbeId;
use super::review_context::ReviewContext;
use super::tallies::Tally;
use super::terminations::running_since;
use super::thresholds::{SECOND, WELL_AFTER};
use crate::cluster::{ContainerSpec, Event, Pod, Probe};

impl PodFacts {
    /// Takes in a pod as it is now.
    pub(super) fn tell(
        &mut self,
        before: Option<&Pod>,
        pod: &Arc<Pod>,
        context: &mut ReviewContext<'_>,
    ) {
        if self.pod.is_none() {
            self.meet(before, pod, context.now);
        }
        self.record_terminations(pod, context);
        self.take(before, pod, context.now);
        for c in 0..self.containers.len() {
            self.reconcile_tallies(pod, c, context);
        }
        // The counters may have told before the status did.
        self.decide(pod, context);
        self.review(context);
    }

    /// Takes in an event.
    pub(super) fn hear(
        &mut self,
        event: &Event,
        event_kind: EventKind,
        context: &mut ReviewContext<'_>,
    ) {
        let Some(more) = self.events.hear(event, event_kind) else {
            return;
        };
        let c = event.container.as_deref().and_then(|name| self.index(name));
        let pod = self.pod.clone();
        match (event_kind, c) {
            (EventKind::Unhealthy(kind), Some(c)) => {
                let going = pod.as_ref().is_some_and(|pod| pod.deleted_seconds > 0);
                if !going || kind == ProbeKind::Readiness {
                    self.attempt_failed(c, kind, event, more, context.now);
                }
            }
            (EventKind::Killing(kind), Some(c)) => {
                let at = event.last;
                if let Some(facts) = self.containers.get_mut(c)
                    && facts.kill.is_none_or(|kill| kill.at <= at)
                {
                    facts.kill = Some(Kill { kind, at });
                }
            }
            _ => {}
        }
        if let (Some(pod), Some(c)) = (&pod, c) {
            self.tally(pod, c, event, event_kind);
            self.reconcile_tallies(pod, c, context);
        }
        self.review(context);
    }

    /// Takes in what an event counts of a container's ends.
    fn tally(&mut self, pod: &Pod, c: usize, event: &Event, event_kind: EventKind) {
        let probe = match event_kind {
            EventKind::Unhealthy(kind) => pod
                .template
                .containers
                .get(c)
                .and_then(|spec| probe_of(spec, kind)),
            _ => None,
        };
        let threshold = probe.map(|probe| probe.failure_threshold);
        if let Some(tally) = Tally::of(event, event_kind, threshold)
            && let Some(facts) = self.containers.get_mut(c)
        {
            facts.count_ends(tally);
        }
    }

    fn attempt_failed(
        &mut self,
        c: usize,
        kind: ProbeKind,
        event: &Event,
        more: u32,
        now: Timestamp,
    ) {
        let Some((facts, spec, status)) = self.pod.as_ref().and_then(|pod| self.container(pod, c))
        else {
            return;
        };
        let (Some(running), Some(probe)) = (running_since(status), probe_of(spec, kind)) else {
            return;
        };
        let period = i64::from(probe.period) * SECOND;
        let stale = now.since(event.last) > (3 * period).max(60 * SECOND);
        // What it says of an earlier incarnation, or from before it succeeded again, is over.
        if event.last <= running || stale {
            return;
        }
        // A container that has never been ready has failed ever since the event was first told of it.
        let never = kind == ProbeKind::Readiness && facts.was_ready.is_none();
        let all = facts.streaks.of(kind).is_none()
            && event.first >= running
            && (never || more == event.count);
        // No more attempts than there was about time for, whatever is said.
        let span = event.last.since(event.first) / period.max(SECOND);
        let most = u32::try_from(span).unwrap_or(u32::MAX).saturating_add(10);
        let counted = facts
            .counted_before
            .filter(|_| kind == ProbeKind::Readiness);
        let count = event.count.min(most);
        let (heard, since) = if all && !never {
            (count, event.first)
        } else if counted.is_some_and(|(_, last)| event.last <= last) {
            (0, event.last)
        } else {
            (more.min(most), if all { event.first } else { event.last })
        };
        let streak = Streak {
            since: Some(since),
            last: event.last,
            heard,
            counted: 0,
            before: (
                if all && never {
                    count.saturating_sub(heard)
                } else {
                    0
                },
                0,
            ),
            message: event.message.clone(),
        };
        if let Some(facts) = self.containers.get_mut(c) {
            facts.streaks.failed(kind, streak);
        }
    }

    /// Takes in what the counters of its node tell.
    pub(super) fn count(&mut self, node: &str, context: &mut ReviewContext<'_>) {
        let Some(pod) = self.pod.clone() else { return };
        for (c, (spec, status)) in pod.containers().enumerate() {
            for kind in [
                ProbeKind::Liveness,
                ProbeKind::Readiness,
                ProbeKind::Startup,
            ] {
                let Some(seen) = context
                    .counters
                    .of(node, ProbeId::of(&pod, &spec.name, kind))
                else {
                    continue;
                };
                let Some(facts) = self.containers.get_mut(c) else {
                    continue;
                };
                let over = match kind {
                    ProbeKind::Startup => status.started,
                    // That the kubelet counts it as ready is the truth; that an attempt failed is told all the same.
                    ProbeKind::Readiness | ProbeKind::Liveness => false,
                };
                // What failed before this incarnation started is not its own.
                let earlier = facts
                    .running
                    .is_none_or(|running| running.since(seen.from) > 0);
                // One that was never ready has failed all along, also before the first look.
                let never = kind == ProbeKind::Readiness
                    && facts.was_ready.is_none()
                    && facts.running.is_some()
                    && status.restarts == 0;
                if never && seen.only_failures {
                    let before = seen.failures.saturating_sub(seen.failed);
                    facts.streaks.all_failed(kind, before, seen.to);
                }
                if seen.failed == 0 && seen.succeeded > 0 {
                    facts.streaks.end(kind, seen.to);
                } else if seen.failed > 0 && !over && !earlier {
                    facts
                        .streaks
                        .counted(kind, seen.failed, seen.succeeded == 0, seen.to);
                }
            }
        }
        self.decide(&pod, context);
        self.review(context);
    }

    /// The probes that fail: when this changes, something else is said of the pod.
    pub(super) fn failing(&self) -> Vec<(bool, bool, bool)> {
        let failing = |facts: &ContainerFacts| {
            let fails = |kind| facts.streaks.of(kind).is_some();
            (
                fails(ProbeKind::Liveness),
                fails(ProbeKind::Readiness),
                fails(ProbeKind::Startup),
            )
        };
        self.containers.iter().map(failing).collect()
    }

    /// Until when this is kept for what may still come.
    pub(super) fn keep_until(&self, now: Timestamp) -> Option<Timestamp> {
        let notes = self.events.fresh_until(now);
        let restored = self.since.plus_nanos(RETURN);
        let flapped = self.containers.iter().filter_map(|facts| facts.flapped);
        let flapped = flapped.map(|flapped| flapped.at.plus_nanos(WELL_AFTER));
        let flapped = flapped.filter(|until| *until > now).min();
        match &self.pod {
            None if !self.open.is_empty() => Some(restored.max(now.plus_nanos(SECOND))),
            None => None,
            Some(_) if self.gone.is_some() => None,
            Some(_) => notes.into_iter().chain(flapped).min(),
        }
    }

    /// Whether nothing is worth keeping.
    pub(super) fn is_idle(&self) -> bool {
        let quiet = |facts: &ContainerFacts| {
            facts.restarts.is_empty() && facts.streaks.is_empty() && facts.being_killed().is_none()
        };
        let done = match (&self.pod, self.gone) {
            (_, Some(_)) | (None, None) => true,
            (Some(pod), None) => pod.phase.is_over() || pod.deleted_seconds > 0 || pod.ready.status,
        };
        done && self.open.is_empty() && self.containers.iter().all(quiet)
    }
}

/// A container's probe of this kind.
pub(super) fn probe_of(spec: &ContainerSpec, kind: ProbeKind) -> Option<&Probe> {
    match kind {
        ProbeKind::Liveness => spec.liveness.as_ref(),
        ProbeKind::Readiness => spec.readiness.as_ref(),
        ProbeKind::Startup => spec.startup.as_ref(),
    }
}
