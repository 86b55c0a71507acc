//! Applies changes to the facts about a pod: a new state of the pod, Events, and the counters of its probes.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

use super::container_index::ContainerIndex;
use super::facts::{ContainerFacts, Kill, PodFacts};
use super::pod_events::EventKind;
use super::probe_counters::ProbeId;
use super::review_context::ReviewContext;
use super::rules::{restart, tallied_terminations};
use super::streaks::{Streak, Streaks};
use super::tallies::Tally;
use super::terminations::running_since;
use super::thresholds::{RESTORE_TIMEOUT, SECOND, WELL_AFTER};
use crate::cluster::{Event, Pod};

impl PodFacts {
    /// Applies the current state of the pod.
    pub(super) fn apply_pod(
        &mut self,
        before: Option<&Pod>,
        pod: &Arc<Pod>,
        context: &mut ReviewContext<'_>,
    ) {
        if self.pod.is_none() {
            self.start(before, pod, context.now);
        }
        restart::record_terminations(self, pod, context);
        self.set_pod(before, pod, context.now);
        for index in ContainerIndex::all(self.containers.len()) {
            tallied_terminations::reconcile(self, pod, index, context);
        }
        // The counters may have arrived before the status.
        restart::decide(self, pod, context);
        self.review(context);
    }

    /// Applies an Event.
    pub(super) fn apply_event(
        &mut self,
        event: &Event,
        event_kind: EventKind,
        context: &mut ReviewContext<'_>,
    ) {
        let Some(more) = self.events.add(event, event_kind) else {
            return;
        };
        let index = event
            .container
            .as_deref()
            .and_then(|name| self.container_named(name));
        let pod = self.pod.clone();
        match (event_kind, index) {
            (EventKind::Unhealthy(kind), Some(index)) => {
                let is_deleted = pod.as_ref().is_some_and(|pod| pod.deleted_seconds > 0);
                if !is_deleted || kind == ProbeKind::Readiness {
                    self.attempt_failed(index, kind, event, more, context.now);
                }
            }
            (EventKind::Killing(kind), Some(index)) => {
                let at = event.last;
                if let Some(facts) = index.of_mut(&mut self.containers)
                    && facts.kill.is_none_or(|kill| kill.at <= at)
                {
                    facts.kill = Some(Kill { kind, at });
                }
            }
            _ => {}
        }
        if let (Some(pod), Some(index)) = (&pod, index) {
            self.tally(pod, index, event, event_kind);
            tallied_terminations::reconcile(self, pod, index, context);
        }
        self.review(context);
    }

    /// Applies the number of terminations that an Event counts.
    fn tally(&mut self, pod: &Pod, index: ContainerIndex, event: &Event, event_kind: EventKind) {
        let probe = match event_kind {
            EventKind::Unhealthy(kind) => index
                .of(&pod.template.containers)
                .and_then(|spec| spec.probe(kind)),
            _ => None,
        };
        let threshold = probe.map(|probe| probe.failure_threshold);
        if let Some(tally) = Tally::of(event, event_kind, threshold)
            && let Some(facts) = index.of_mut(&mut self.containers)
        {
            facts.add_tally(tally);
        }
    }

    fn attempt_failed(
        &mut self,
        index: ContainerIndex,
        kind: ProbeKind,
        event: &Event,
        more: u32,
        now: Timestamp,
    ) {
        let Some((facts, spec, status)) =
            self.pod.as_ref().and_then(|pod| self.container(pod, index))
        else {
            return;
        };
        let (Some(running), Some(probe)) = (running_since(status), spec.probe(kind)) else {
            return;
        };
        let period = i64::from(probe.period) * SECOND;
        let stale = now.since(event.last) > (3 * period).max(60 * SECOND);
        // Failures before the container's start, or before the probe succeeded again, no longer count.
        if event.last <= running || stale {
            return;
        }
        // A container that was never ready has failed since the Event's first time.
        let never = kind == ProbeKind::Readiness && facts.was_ready.is_none();
        let all = facts.streaks.of(kind).is_none()
            && event.first >= running
            && (never || more == event.count);
        // The time limits the number of attempts, whatever the Event says.
        let span = event.last.since(event.first) / period.max(SECOND);
        let most = u32::try_from(span).unwrap_or(u32::MAX).saturating_add(10);
        let counted = facts
            .counted_failures
            .filter(|_| kind == ProbeKind::Readiness);
        let count = event.count.min(most);
        let (by_events, since) = if all && !never {
            (count, event.first)
        } else if counted.is_some_and(|counted| event.last <= counted.last) {
            (0, event.last)
        } else {
            (more.min(most), if all { event.first } else { event.last })
        };
        let streak = Streak {
            since: Some(since),
            last: event.last,
            by_events,
            by_counters: 0,
            before: (
                if all && never {
                    count.saturating_sub(by_events)
                } else {
                    0
                },
                0,
            ),
            message: event.message.clone(),
        };
        if let Some(facts) = index.of_mut(&mut self.containers) {
            facts.streaks.failed(kind, streak);
        }
    }

    /// Applies the counters of the pod's probes.
    pub(super) fn apply_counters(&mut self, node: &str, context: &mut ReviewContext<'_>) {
        let Some(pod) = self.pod.clone() else { return };
        for (index, (spec, status)) in ContainerIndex::enumerate(pod.containers()) {
            for (kind, _) in spec.probes() {
                let id = ProbeId::of(&pod, &spec.name, kind);
                let (Some(seen), Some(facts)) = (
                    context.counters.of(node, id),
                    index.of_mut(&mut self.containers),
                ) else {
                    continue;
                };
                // Failed attempts of other probes of a ready container count.
                let over = kind == ProbeKind::Startup && status.started;
                // Failures before the container's start do not count.
                let earlier = facts
                    .running
                    .is_none_or(|running| running.since(seen.from) > 0);
                // A container that was never ready has also failed before the first reading.
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
        restart::decide(self, &pod, context);
        self.review(context);
    }

    /// The failing probes of each container. The pod's vitals change with them.
    pub(super) fn failing(&self) -> Vec<Vec<ProbeKind>> {
        let streaks = self.containers.iter().map(|facts| &facts.streaks);
        streaks.map(Streaks::kinds).collect()
    }

    /// The time until which these facts are stored for later Events and failures.
    pub(super) fn keep_until(&self, now: Timestamp) -> Option<Timestamp> {
        let events = self.events.fresh_until(now);
        let restored = self.since.plus_nanos(RESTORE_TIMEOUT);
        let containers = self.containers.iter();
        let ended = containers.filter_map(|facts| facts.ended_readiness);
        let until = ended.map(|ended| ended.at.plus_nanos(WELL_AFTER));
        let ended_readiness = until.filter(|until| *until > now).min();
        match &self.pod {
            None if !self.open.is_empty() => Some(restored.max(now.plus_nanos(SECOND))),
            None => None,
            Some(_) if self.deleted.is_some() => None,
            Some(_) => events.into_iter().chain(ended_readiness).min(),
        }
    }

    /// Whether these facts can be dropped.
    pub(super) fn is_idle(&self) -> bool {
        let quiet = |facts: &ContainerFacts| {
            facts.restarts.is_empty() && facts.streaks.is_empty() && facts.being_killed().is_none()
        };
        let done = match (&self.pod, self.deleted) {
            (_, Some(_)) | (None, None) => true,
            (Some(pod), None) => pod.phase.is_over() || pod.deleted_seconds > 0 || pod.ready.status,
        };
        done && self.open.is_empty() && self.containers.iter().all(quiet)
    }
}
