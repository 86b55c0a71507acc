//! From a container's ends to incidents: what belongs together is one, and evidence that comes late moves an end to
//! where it belongs.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{self, Cause, Certainty, IncidentKind, ProbeKind, Source};

use super::cause::Verdict;
use super::facts::{Open, PodFacts, Restart, involved};
use super::incidents::{Edit, IncidentId, KeyedEvidence, NewIncident};
use super::messages;
use super::review_context::ReviewContext;
use super::terminations::{ends, finished, is_done, time};
use super::thresholds::{LOOP_GAP, UNDECIDED, WELL_AFTER};
use super::topic::Topic;
use crate::cluster::{Ended, Pod, Role, State};

/// Causes that are a probe.
pub(super) const PROBES: [Cause; 2] = [Cause::LivenessProbe, Cause::StartupProbe];

impl PodFacts {
    /// Takes in the ends of containers that a pod tells of and that have not been told.
    pub(super) fn record_terminations(&mut self, pod: &Pod, context: &mut ReviewContext<'_>) {
        for c in 0..self.containers.len() {
            let Some((facts, spec, status)) = self.container(pod, c) else {
                continue;
            };
            let (now, known) = (status.ends(pod.stays_ended(spec)), facts.termination_count);
            if now < known {
                // While the kubelet changes its mind about what to say, the number may fall by one; by more, it counts
                // anew.
                if known - now > 1
                    && let Some(facts) = self.containers.get_mut(c)
                {
                    facts.termination_count = now;
                }
                continue;
            }
            let fresh = now - known;
            let mut told: Vec<(u32, Ended)> = ends(status)
                .filter(|(nth, _)| *nth > known && *nth <= now)
                .map(|(nth, ended)| (nth, ended.clone()))
                .collect();
            told.reverse();
            let role = spec.role;
            if let Some(facts) = self.containers.get_mut(c) {
                facts.termination_count = now;
            }
            // A pod that goes or is over takes its containers with it.
            if fresh == 0 || pod.deleted_seconds > 0 || pod.phase.is_over() {
                continue;
            }
            context.totals.restarts += u64::from(fresh);
            let silent = fresh.saturating_sub(u32::try_from(told.len()).unwrap_or(u32::MAX));
            if told.is_empty() {
                self.record_unknown_terminations(c, silent, context);
            }
            let mut unknown_before = silent;
            for (nth, ended) in told {
                if is_done(role, &ended) || (role == Role::Sidecar && is_done_for(pod)) {
                    continue;
                }
                self.record_termination(
                    pod,
                    c,
                    (nth, &ended),
                    std::mem::take(&mut unknown_before),
                    context,
                );
            }
        }
    }

    /// Ends of which the status tells only how many they were: they belong to the restarts that go on, or else wait for
    /// an Event that tells of them.
    fn record_unknown_terminations(
        &mut self,
        c: usize,
        ends: u32,
        context: &mut ReviewContext<'_>,
    ) {
        let is_restart = |open: &&Open| matches!(open.topic, Topic::Restart(of, _) if of == c);
        if let Some(open) = self.open.iter().find(is_restart) {
            let more = |edit: &mut Edit<'_>| edit.incident.count += u64::from(ends);
            context.incidents.edit(open.id, more);
        } else if let Some(facts) = self.containers.get_mut(c) {
            facts.unclaimed = facts.unclaimed.saturating_add(ends);
        }
    }

    /// One end; before it there were so many of which nothing is known but that they were.
    fn record_termination(
        &mut self,
        pod: &Pod,
        c: usize,
        (nth, ended): (u32, &Ended),
        unknown_before: u32,
        context: &mut ReviewContext<'_>,
    ) {
        let Some(verdict) = self.judge(pod, c, (nth, ended), context) else {
            return;
        };
        let at = finished(ended).unwrap_or(context.now);
        let failing = self.failing_since(c);
        let told = messages::ended(ended);
        let began = self.trouble_start(c, (verdict.cause, failing), &told);
        let began = began.unwrap_or(at);
        let id = self.incident_of(pod, c, &verdict, began, context);
        if let Some(facts) = self.containers.get_mut(c) {
            facts.remember(Restart {
                nth,
                ended: told.clone(),
                cause: verdict.cause,
                certainty: verdict.certainty,
                failing_since: failing,
                decided: verdict.decided,
                refuted: false,
                unknown_before,
                incident: id,
                noticed: context.now,
            });
        }
        let keys = Restart::keys(self.uid, c, nth);
        context.incidents.edit(id, |edit| {
            edit.began(began);
            edit.seen(at);
            edit.incident.count += 1 + u64::from(unknown_before);
            edit.incident.certainty = surer(edit.incident.certainty, verdict.certainty);
            edit.incident.last_ended = Some(told);
            for clue in verdict.clues {
                edit.add_evidence(clue);
            }
            if unknown_before > 0 {
                let text = messages::silent(unknown_before);
                edit.add_evidence(KeyedEvidence::new(keys[3], at, Source::Status, text));
            }
        });
    }

    /// The first failed attempt in a row of a probe for which a container may be killed, if it fails.
    fn failing_since(&self, c: usize) -> Option<Timestamp> {
        let streaks = &self.containers.get(c)?.streaks;
        let kinds = [ProbeKind::Startup, ProbeKind::Liveness].into_iter();
        kinds.filter_map(|kind| streaks.of(kind)?.since).min()
    }

    /// When what came to this end began: with the first failed attempt of the probe it was killed for, as far as that is
    /// known.
    fn trouble_start(
        &self,
        c: usize,
        (cause, failing): (Cause, Option<Timestamp>),
        ended: &vitals::Ended,
    ) -> Option<Timestamp> {
        let at = ended.finished?;
        if !PROBES.contains(&cause) {
            return Some(at);
        }
        // The kubelet's word may be about an end long ago.
        let kill = self.containers.get(c).and_then(|facts| facts.kill);
        let killed = kill.filter(|kill| kill.explains(ended)).map(|kill| kill.at);
        let first = failing.or(killed);
        Some(first.map_or(at, |first| first.min(at)))
    }

    /// The incident that an end belongs to: the one about earlier ends for the same cause; else one about a probe of
    /// this container, which this is what came of; else a new one.
    fn incident_of(
        &mut self,
        pod: &Pod,
        c: usize,
        verdict: &Verdict,
        began: Timestamp,
        context: &mut ReviewContext<'_>,
    ) -> IncidentId {
        let topic = Topic::Restart(c, verdict.cause);
        let is_probe = |topic: Topic| matches!(topic, Topic::Probe(of, _) if of == c);
        let probe = self.open.iter().position(|open| is_probe(open.topic));
        if let Some(id) = self.open_on(topic) {
            if let Some(probe) = probe {
                let probe = self.open.remove(probe);
                merge(probe.id, id, context);
            }
            return id;
        }
        if let Some(open) = probe.and_then(|probe| self.open.get_mut(probe)) {
            open.topic = topic;
            let id = open.id;
            context.incidents.edit(id, |edit| {
                edit.incident.reason = IncidentKind::Restart;
                edit.incident.cause = verdict.cause;
                edit.incident.certainty = verdict.certainty;
                // What counted failed attempts counts restarts from now on.
                edit.incident.count = 0;
            });
            return id;
        }
        self.open_new(pod, topic, verdict.cause, verdict.certainty, began, context)
    }

    /// What an incident has in common with those of other pods of its workload, if the pod has been in trouble from its
    /// start: then it may be a rollout's. A pod that was well before has its own.
    fn alike(&self, pod: &Pod, topic: Topic, began: Timestamp, now: Timestamp) -> Option<Box<str>> {
        let owner = pod.owner.as_ref().filter(|owner| &*owner.kind != "Node")?;
        let created = pod.created()?;
        let from_start = |at: Timestamp| at.since(created) < WELL_AFTER;
        let unready = (!pod.ready.status)
            .then(|| time(pod.ready.since_seconds))
            .flatten();
        let always = match topic {
            Topic::Restart(c, _) => self.containers.get(c).is_some_and(|facts| {
                i64::from(facts.termination_count).saturating_mul(LOOP_GAP) >= now.since(created)
            }),
            _ => unready.is_some_and(from_start),
        };
        if !always && !from_start(began) {
            return None;
        }
        let waits = pod
            .containers
            .iter()
            .find_map(|status| status.waiting_reason());
        match topic {
            Topic::NotReady => waits.map(Box::from),
            _ => Some(Box::from(&*owner.kind)),
        }
    }

    /// Opens an incident about this pod, with the events there are about it.
    pub(super) fn open_new(
        &mut self,
        pod: &Pod,
        topic: Topic,
        cause: Cause,
        certainty: Certainty,
        began: Timestamp,
        context: &mut ReviewContext<'_>,
    ) -> IncidentId {
        let reason = match topic {
            Topic::Restart(..) => IncidentKind::Restart,
            Topic::Probe(..) => IncidentKind::ProbeFailing,
            Topic::Image(_) => IncidentKind::ImagePull,
            Topic::NotReady => IncidentKind::PodNotReady,
        };
        let id = context.incidents.open(NewIncident {
            reason,
            cause,
            certainty,
            involved: involved(pod, topic.container()),
            labels: pod.labels.clone(),
            began,
            alike: self.alike(pod, topic, began, context.now),
        });
        if matches!(topic, Topic::Image(_) | Topic::NotReady) {
            context.incidents.edit(id, |edit| edit.incident.count = 1);
        }
        self.open.push(Open { id, topic });
        id
    }

    /// What the counters tell of ends that were not decided.
    pub(super) fn decide(&mut self, pod: &Pod, context: &mut ReviewContext<'_>) {
        for found in self.counter_verdicts(pod, context) {
            let (c, nth) = (found.c, found.nth);
            let verdict = found.verdict.or_else(|| {
                // The counters do not bear out what was taken from the ends before.
                let restart = self.restart(c, nth)?;
                PROBES
                    .contains(&restart.cause)
                    .then_some((Cause::Unknown, Certainty::Unknown))
            });
            let clue = found.clue.map(|(at, text)| {
                let keys = Restart::keys(self.uid, c, nth);
                KeyedEvidence::new(keys[2], at, Source::ProbeCounter, text)
            });
            if let Some(verdict) = verdict {
                self.change_cause(pod, (c, nth), verdict, clue, context);
            }
            if let Some(restart) = self.restart_mut(c, nth) {
                restart.decided = true;
                restart.refuted = found.verdict.is_none();
            }
        }
        for facts in &mut self.containers {
            for restart in &mut facts.restarts {
                restart.decided |= context.now.since(restart.noticed) > UNDECIDED;
            }
        }
    }

    pub(super) fn restart(&self, c: usize, nth: u32) -> Option<&Restart> {
        let mut restarts = self.containers.get(c)?.restarts.iter();
        restarts.find(|restart| restart.nth == nth)
    }

    pub(super) fn restart_mut(&mut self, c: usize, nth: u32) -> Option<&mut Restart> {
        let mut restarts = self.containers.get_mut(c)?.restarts.iter_mut();
        restarts.find(|restart| restart.nth == nth)
    }

    /// Another cause of an end that was told: it moves to the incident of that cause.
    pub(super) fn change_cause(
        &mut self,
        pod: &Pod,
        (c, nth): (usize, u32),
        (cause, certainty): (Cause, Certainty),
        clue: Option<KeyedEvidence>,
        context: &mut ReviewContext<'_>,
    ) {
        let Some(restart) = self.restart_mut(c, nth) else {
            return;
        };
        let (from, told, was) = (restart.incident, restart.ended.clone(), restart.cause);
        let failing = restart.failing_since;
        let its = restart.ends();
        (restart.cause, restart.certainty) = (cause, certainty);
        restart.decided |= certainty == Certainty::Direct;
        let alone = context
            .incidents
            .get(from)
            .is_some_and(|it| it.count <= its);
        let to = self.open_on(Topic::Restart(c, cause));
        let to = if was == cause {
            from
        } else if let Some(to) = to {
            to
        } else if alone {
            // It is all there is to its incident: that is what it was about.
            for open in &mut self.open {
                if open.id == from {
                    open.topic = Topic::Restart(c, cause);
                }
            }
            from
        } else if self.open.iter().any(|open| open.id == from) {
            let at = told.finished.unwrap_or(context.now);
            self.open_new(pod, Topic::Restart(c, cause), cause, certainty, at, context)
        } else {
            from
        };
        if to != from {
            self.move_termination(c, nth, (from, to), context);
        }
        let began = self.trouble_start(c, (cause, failing), &told);
        context.incidents.edit(to, |edit| {
            edit.incident.cause = cause;
            edit.incident.certainty = if alone && to == from {
                certainty
            } else {
                surer(edit.incident.certainty, certainty)
            };
            if let Some(began) = began {
                edit.began(began);
            }
            if let Some(clue) = clue {
                edit.add_evidence(clue);
            }
        });
    }

    /// Takes an end out of one incident into another, and with it those before it of which nothing is known; the first is
    /// taken back if nothing is left of it.
    fn move_termination(
        &mut self,
        c: usize,
        nth: u32,
        (from, to): (IncidentId, IncidentId),
        context: &mut ReviewContext<'_>,
    ) {
        let keys = Restart::keys(self.uid, c, nth);
        let its = self.restart(c, nth).map_or(1, Restart::ends);
        let (mut clues, mut left, mut told) = (Vec::new(), 0, None);
        context.incidents.edit(from, |edit| {
            clues = edit.take(&keys);
            edit.incident.count = edit.incident.count.saturating_sub(its);
            left = edit.incident.count;
        });
        if let Some(facts) = self.containers.get_mut(c) {
            for restart in &mut facts.restarts {
                if restart.nth == nth {
                    restart.incident = to;
                    told = Some(restart.ended.clone());
                }
            }
            let mut others = facts.restarts.iter().rev();
            let last = others.find(|restart| restart.incident == from);
            let last = last.map(|restart| restart.ended.clone());
            context
                .incidents
                .edit(from, |edit| edit.incident.last_ended = last);
        }
        if left == 0 {
            self.open.retain(|open| open.id != from);
            merge(from, to, context);
        }
        context.incidents.edit(to, |edit| {
            edit.incident.count += its;
            let known = edit.incident.last_ended.as_ref().and_then(|it| it.finished);
            if let Some(told) = told
                && told.finished >= known
            {
                edit.incident.last_ended = Some(told);
            }
            for clue in clues {
                edit.add_evidence(clue);
            }
        });
    }
}

/// Whether what the pod is for has ended: its sidecars are ended after that.
fn is_done_for(pod: &Pod) -> bool {
    let mut apps = pod.containers().filter(|(spec, _)| spec.role == Role::App);
    apps.all(|(_, status)| matches!(status.state, State::Terminated(_)))
}

/// Takes an incident back into another one.
fn merge(from: IncidentId, into: IncidentId, context: &mut ReviewContext<'_>) {
    let Some(record) = context.incidents.remove(from) else {
        return;
    };
    let keys = record.keys.iter().copied();
    let evidence = record.incident.evidence.iter().cloned();
    context.incidents.edit(into, |edit| {
        edit.began(record.incident.began);
        for (key, evidence) in keys.zip(evidence) {
            edit.add_evidence(KeyedEvidence { key, evidence });
        }
    });
}

/// The surer of two: an incident is as sure as the surest of what it is made of, and its evidence tells of the others.
pub(super) fn surer(one: Certainty, other: Certainty) -> Certainty {
    one.min(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_said_is_surer_than_what_follows() {
        let all = [Certainty::Direct, Certainty::Likely, Certainty::Unknown];
        for (n, one) in all.into_iter().enumerate() {
            for other in all.into_iter().skip(n) {
                assert_eq!(surer(one, other), one);
                assert_eq!(surer(other, one), one);
            }
        }
    }
}
