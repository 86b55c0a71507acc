//! From what is known of a pod to which incidents go on: looked at anew whenever something about it changes, so that
//! it does not matter in which order things are told.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, ProbeKind, Source};

use super::cause::cause_of;
use super::facts::{Flapped, Open, PodFacts, involved};
use super::groups::scarce;
use super::incidents::{EvidenceKey, IncidentId, KeyedEvidence, NewIncident};
use super::messages;
use super::pod_events::EventKind;
use super::review_context::ReviewContext;
use super::terminations::{finished, running_since, time};
use super::thresholds::{LOOK_BACK, SECOND, SLACK, STARTUP_GRACE, UNEXPLAINED, WELL_AFTER};
use super::topic::Topic;
use crate::cluster::{ContainerSpec, ContainerStatus, Phase, Pod, Probe, Role, State};

/// Reasons for which a container waits that are about its image (pkg/kubelet/images/types.go).
pub(crate) const IMAGE: [&str; 7] = [
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

impl PodFacts {
    /// Opens what goes on and is not told, ends what is over, and says all of it as it is now.
    pub(super) fn review(&mut self, context: &mut ReviewContext<'_>) {
        self.wake = None;
        let Some(pod) = self.pod.clone() else {
            return;
        };
        if pod.deleted_seconds > 0 {
            let by = Timestamp::from_secs(pod.deleted_seconds.into());
            self.end_all(context.now.min(by), "the pod is being deleted", context);
            return;
        }
        match pod.phase {
            Phase::Failed => {
                let at = self.failed_at(&pod, context);
                self.end_all(at, "the pod failed", context);
                self.fail(&pod, at, context);
                return;
            }
            Phase::Succeeded => {
                let at = last_end(&pod).unwrap_or(context.now);
                return self.end_all(at, "the pod has done its work", context);
            }
            Phase::Pending | Phase::Running | Phase::Unknown => {}
        }
        let node = pod.node.as_deref().unwrap_or_default();
        let stays_failed = pod.containers().any(|(spec, status)| {
            let failed = matches!(&status.state, State::Terminated(ended) if ended.exit_code != 0);
            failed && pod.stays_ended(spec)
        });
        if stays_failed {
            // The pod fails with its last container: what is to come of it is known before.
            let at = self.failed_at(&pod, context);
            self.fail(&pod, at, context);
        }
        // Of the containers of a node that is not heard of nothing is known, neither good nor bad.
        if context.nodes.is_lost(node) {
            // That the node is lost may be told long after its pods: then that is what it was about.
            if let Some(at) = self
                .open
                .iter()
                .position(|open| open.topic == Topic::NotReady)
            {
                let open = self.open.remove(at);
                context.incidents.remove(open.id);
            }
            return;
        }
        for c in 0..self.containers.len() {
            self.review_image(&pod, c, context);
            self.review_killing(&pod, c, context);
            self.review_readiness(&pod, c, context);
            self.review_restarts(&pod, c, context);
        }
        self.review_pod(&pod, context);
        for open in self.open.clone() {
            self.say(&pod, open.topic, open.id, context);
        }
    }

    fn review_image(&mut self, pod: &Pod, c: usize, context: &mut ReviewContext<'_>) {
        let Some((facts, _, status)) = self.container(pod, c) else {
            return;
        };
        let topic = Topic::Image(c);
        let waits = status.waiting_reason();
        if let Some(reason) = waits.filter(|reason| IMAGE.contains(reason)) {
            if self.open_on(topic).is_none() {
                // The status does not say since when; the event does.
                let told = self.events.latest(EventKind::Pull, &facts.name);
                let began = told.map_or(context.now, |note| note.first.min(context.now));
                let evidence = format!("waits: {reason}");
                let (cause, sure) = (Cause::ImageUnavailable, Certainty::Direct);
                let id = self.open_new(pod, topic, cause, sure, began, context);
                self.status_clue(id, began, evidence, context);
            }
        } else if let Some(since) = running_since(status) {
            self.end(pod, topic, since, context);
        } else if let State::Terminated(ended) = &status.state {
            let at = finished(ended).unwrap_or(context.now);
            self.end(pod, topic, at, context);
        }
    }

    /// Liveness and startup probes: they count when they have failed so often that the kubelet kills, or when it says
    /// that it does.
    fn review_killing(&mut self, pod: &Pod, c: usize, context: &mut ReviewContext<'_>) {
        let Some((facts, spec, _)) = self.container(pod, c) else {
            return;
        };
        if facts.running.is_none() {
            return;
        }
        let kill = facts.being_killed();
        for (kind, probe) in [
            (ProbeKind::Liveness, &spec.liveness),
            (ProbeKind::Startup, &spec.startup),
        ] {
            let topic = Topic::Probe(c, kind);
            let streak = self
                .containers
                .get(c)
                .and_then(|it| it.streaks.of(kind).cloned());
            let threshold = probe
                .as_ref()
                .map_or(u32::MAX, |probe| probe.failure_threshold);
            let counts = streak.as_ref().is_some_and(|it| it.failures() >= threshold);
            let kill = kill.filter(|kill| kill.kind == kind);
            if !counts && kill.is_none() {
                let at = context.now;
                self.end(pod, topic, at, context);
                continue;
            }
            // While it is known to be restarted for it again and again, that it is about to be once more is no news.
            if self.open_on(Topic::Restart(c, cause_of(kind))).is_some() {
                continue;
            }
            let failing = streak.as_ref().and_then(|it| it.since);
            let known = failing.into_iter().chain(kill.map(|kill| kill.at)).min();
            let last = streak.as_ref().map(|it| it.last);
            let began = known.or(last).unwrap_or(context.now);
            let cause = cause_of(kind);
            // What fails with it is part of it.
            let readiness = Topic::Probe(c, ProbeKind::Readiness);
            let id = if let Some(id) = self.open_on(topic) {
                id
            } else if let Some(id) = self.open_on(readiness) {
                self.retitle(readiness, topic);
                context
                    .incidents
                    .edit(id, |edit| edit.incident.cause = cause);
                id
            } else {
                self.open_new(pod, topic, cause, Certainty::Direct, began, context)
            };
            let failures = streak
                .map_or(0, |it| it.failures())
                .max(threshold.min(u32::MAX - 1));
            context.incidents.edit(id, |edit| {
                edit.began(began);
                edit.incident.certainty = Certainty::Direct;
                edit.incident.count = edit.incident.count.max(failures.into());
                if let Some(last) = last {
                    edit.seen(last);
                }
            });
        }
    }

    fn review_readiness(&mut self, pod: &Pod, c: usize, context: &mut ReviewContext<'_>) {
        let Some((facts, spec, status)) = self.container(pod, c) else {
            return;
        };
        let topic = Topic::Probe(c, ProbeKind::Readiness);
        let Some(probe) = &spec.readiness else { return };
        if status.ready {
            let at = ready_since(pod).filter(|at| facts.running.is_some_and(|since| *at >= since));
            let at = at.unwrap_or(context.now);
            if let Some(id) = self.open_on(topic) {
                let count = context.incidents.get(id).map_or(0, |it| it.count);
                if let Some(facts) = self.containers.get_mut(c) {
                    facts.flapped = Some(Flapped { id, at });
                    facts.counted_before = Some((count, at));
                }
                self.end(pod, topic, at, context);
            }
            return;
        }
        let (Some(running), true) = (facts.running, status.started) else {
            return;
        };
        let streak = facts.streaks.of(ProbeKind::Readiness).cloned();
        let killed =
            facts.streaks.of(ProbeKind::Liveness).is_some() || facts.being_killed().is_some();
        let unready = time(pod.ready.since_seconds).filter(|at| *at >= running);
        if self.open_on(topic).is_none() {
            // What hangs fails both probes, and is about to be killed: that is then what it is about.
            if killed {
                return;
            }
            if facts.was_ready.is_none() {
                let delay = i64::from(probe.initial_delay) * SECOND;
                let until = running.plus_nanos(STARTUP_GRACE.saturating_add(delay));
                if context.now < until {
                    self.wake_at(until);
                    return;
                }
            }
            // A kubelet that was started again holds every container to be unready until its first attempt: what takes
            // readiness away then is no attempt that failed.
            if streak.is_none() {
                let back = context
                    .nodes
                    .back_since(pod.node.as_deref().unwrap_or_default());
                let since = unready.max(back).unwrap_or(running);
                let until = since.plus_nanos(first_attempt(probe).max(UNEXPLAINED));
                if context.now < until {
                    self.wake_at(until);
                    return;
                }
            }
            let failing = streak.as_ref().and_then(|it| it.since);
            let began = failing.or(unready).unwrap_or(running);
            // Running, started, and unready for long: it can only be its probe; that an attempt failed makes it certain.
            let sure = if streak.is_some() {
                Certainty::Direct
            } else {
                Certainty::Likely
            };
            if self.reopen(c, topic, began, context) {
                return self.review_readiness(pod, c, context);
            }
            let id = self.open_new(pod, topic, Cause::ReadinessProbe, sure, began, context);
            let at = unready.unwrap_or(began);
            let evidence = who_is_ready(pod, &spec.name);
            self.status_clue(id, at, evidence, context);
            if let Some(facts) = self.containers.get_mut(c) {
                facts.counted_before = None;
            }
        }
        let Some(id) = self.open_on(topic) else {
            return;
        };
        let Some(streak) = streak else {
            // What fails from now on comes on top.
            let so_far = context.incidents.get(id).map(|it| (it.count, it.last_seen));
            if let Some(facts) = self.containers.get_mut(c) {
                facts.counted_before = so_far;
            }
            return;
        };
        let before = self.containers.get(c).and_then(|it| it.counted_before);
        let before = before.map_or(0, |(count, _)| count);
        let failures = before.saturating_add(streak.newly().into());
        let failures = failures.max(streak.failures().into());
        context.incidents.edit(id, |edit| {
            edit.incident.certainty = Certainty::Direct;
            edit.incident.count = edit.incident.count.max(failures);
            edit.seen(streak.last);
            if let Some(since) = streak.since {
                edit.began(since);
            }
        });
    }

    /// What flaps is one incident: the one that was over goes on, if that was lately.
    fn reopen(
        &mut self,
        c: usize,
        topic: Topic,
        began: Timestamp,
        context: &mut ReviewContext<'_>,
    ) -> bool {
        let Some(facts) = self.containers.get_mut(c) else {
            return false;
        };
        let lately = |it: &Flapped| began.since(it.at) < WELL_AFTER;
        let Some(flapped) = facts.flapped.filter(lately) else {
            facts.flapped = None;
            return false;
        };
        let reopened = context.incidents.edit(flapped.id, |edit| {
            edit.incident.ended = None;
            edit.seen(began);
        });
        if reopened {
            let id = flapped.id;
            self.open.push(Open { id, topic });
        } else {
            facts.flapped = None;
        }
        reopened
    }

    /// Restarts are over when the container has run for long enough and is ready: then since it became ready.
    fn review_restarts(&mut self, pod: &Pod, c: usize, context: &mut ReviewContext<'_>) {
        let Some((facts, spec, status)) = self.container(pod, c) else {
            return;
        };
        let is_restart = |topic: Topic| matches!(topic, Topic::Restart(of, _) if of == c);
        if !self.open.iter().any(|open| is_restart(open.topic)) {
            return;
        }
        let over = match &status.state {
            State::Terminated(ended) if ended.exit_code == 0 && spec.role == Role::Init => {
                Some(finished(ended).unwrap_or(context.now))
            }
            State::Running { .. } if status.ready => {
                let Some(running) = facts.running else { return };
                let due = running.plus_nanos(WELL_AFTER);
                if context.now < due {
                    self.wake_at(due);
                    return;
                }
                Some(facts.was_ready.unwrap_or(running))
            }
            _ => None,
        };
        let Some(over) = over else { return };
        let topics: Vec<Topic> = self.open.iter().map(|open| open.topic).collect();
        for topic in topics.into_iter().filter(|topic| is_restart(*topic)) {
            self.end(pod, topic, over, context);
        }
    }

    /// The pod as a whole, if nothing else tells why it is not ready.
    fn review_pod(&mut self, pod: &Pod, context: &mut ReviewContext<'_>) {
        let topic = Topic::NotReady;
        if pod.ready.status {
            let at = ready_since(pod).unwrap_or(context.now);
            self.end(pod, topic, at, context);
            return;
        }
        let others = self.open.iter().any(|open| open.topic != topic);
        if others {
            // Another incident has come to tell why: this one was about that.
            if let Some(at) = self.open.iter().position(|open| open.topic == topic) {
                let open = self.open.remove(at);
                context.incidents.remove(open.id);
            }
            return;
        }
        if self.open_on(topic).is_some() {
            return;
        }
        let waits = waiting(pod);
        let broken = waits.and_then(|(_, status)| status.waiting_reason());
        let broken = broken.is_some_and(|reason| reason.ends_with("Error"));
        let created = pod.created().unwrap_or(context.now);
        let (since, grace) = if self.was_ready && waits.is_none() {
            (
                time(pod.ready.since_seconds).unwrap_or(context.now),
                UNEXPLAINED,
            )
        } else if self.was_ready {
            (
                time(pod.ready.since_seconds).unwrap_or(context.now),
                STARTUP_GRACE,
            )
        } else if broken {
            (created, STARTUP_GRACE)
        } else {
            return;
        };
        // When its node has come back, the pod's turn to be told ready again comes after.
        let node = pod.node.as_deref().unwrap_or_default();
        let back = context.nodes.back_since(node);
        let until = back.map_or(since, |back| back.max(since)).plus_nanos(grace);
        if context.now < until {
            self.wake_at(until);
            return;
        }
        let (cause, sure) = (Cause::Unknown, Certainty::Unknown);
        let id = self.open_new(pod, topic, cause, sure, since, context);
        self.status_clue(
            id,
            since,
            "the pod's condition Ready is not True".to_owned(),
            context,
        );
    }

    /// When a pod failed.
    fn failed_at(&self, pod: &Pod, context: &ReviewContext<'_>) -> Timestamp {
        let evicted = pod.reason() == Some("Evicted");
        let told = self
            .events
            .any(EventKind::Evicted)
            .map(|note| note.last)
            .filter(|_| evicted);
        let unready = time(pod.ready.since_seconds);
        last_end(pod).or(told).or(unready).unwrap_or(context.now)
    }

    /// The pod has failed, or is sure to: that is told once, at the time it happened, and is over with it.
    fn fail(&mut self, pod: &Pod, at: Timestamp, context: &mut ReviewContext<'_>) {
        if context.incidents.has_failure(self.uid) || context.now.since(at) > LOOK_BACK {
            return;
        }
        let failed = pod.containers().enumerate().find(|(_, (_, status))| {
            matches!(&status.state, State::Terminated(ended) if ended.exit_code != 0)
        });
        let ended = failed.and_then(|(_, (spec, status))| match &status.state {
            State::Terminated(ended) => Some((spec, &**ended)),
            _ => None,
        });
        let oom = ended.is_some_and(|(_, it)| it.reason.as_deref() == Some("OOMKilled"));
        let (reason, cause) = match pod.reason() {
            Some("Evicted") => (IncidentKind::Eviction, Cause::NodePressure),
            Some("NodeLost" | "NodeShutdown" | "Shutdown" | "Terminated") => {
                (IncidentKind::PodFailed, Cause::NodeLost)
            }
            Some(_) => (IncidentKind::PodFailed, Cause::Unknown),
            None if oom => (IncidentKind::PodFailed, Cause::OomKilled),
            None if ended.is_some() => (IncidentKind::PodFailed, Cause::Exited),
            None => (IncidentKind::PodFailed, Cause::Unknown),
        };
        let container = failed.filter(|_| pod.reason().is_none()).map(|(c, _)| c);
        let certainty = if cause == Cause::Unknown {
            Certainty::Unknown
        } else {
            Certainty::Direct
        };
        let lacked = pod.message().and_then(scarce);
        let (cause, certainty, alike) = match reason {
            // A limit of its own, for one.
            IncidentKind::Eviction if lacked.is_none() && pod.message().is_some() => {
                (Cause::Unknown, Certainty::Unknown, None)
            }
            IncidentKind::Eviction => (cause, certainty, lacked.map(Box::from)),
            _ => (cause, certainty, failed_alike(pod)),
        };
        let id = context.incidents.open(NewIncident {
            reason,
            cause,
            certainty,
            involved: involved(pod, container),
            labels: pod.labels.clone(),
            began: at,
            alike,
        });
        let said = pod.message().map(str::trim).unwrap_or_default();
        let message = match (pod.reason(), ended) {
            (Some("Evicted"), _) => format!("The pod was evicted: {said}"),
            (Some(reason), _) if said.is_empty() => format!("The pod failed: {reason}"),
            (Some(reason), _) => format!("The pod failed: {reason}: {said}"),
            (None, Some((spec, ended))) => format!(
                "Container {} ended with exit {} and is not started again: the pod has failed",
                spec.name, ended.exit_code
            ),
            (None, None) => "The pod failed, and does not say why".to_owned(),
        };
        let notes: Vec<KeyedEvidence> = self
            .events
            .any(EventKind::Evicted)
            .into_iter()
            .map(super::pod_events::PodEvent::evidence)
            .collect();
        let lived =
            ended.and_then(|(_, it)| Some(finished(it)?.since(super::terminations::started(it)?)));
        let status = match (pod.reason(), ended) {
            (None, Some((_, ended))) => messages::how_it_ended(ended, lived),
            (Some(reason), _) => format!("{reason}: {said}"),
            (None, None) => "phase Failed".to_owned(),
        };
        context.incidents.edit(id, |edit| {
            edit.incident.message = message;
            edit.incident.count = 1;
            edit.incident.last_ended = ended.map(|(_, ended)| messages::ended(ended));
            for clue in notes {
                edit.add_evidence(clue);
            }
            edit.add_evidence(KeyedEvidence::new(
                EvidenceKey::of("status"),
                at,
                Source::Status,
                status,
            ));
            edit.incident.last_seen = at;
        });
        context.incidents.end(id, at);
    }

    /// The pod goes, or is over: so is what went on with it.
    pub(super) fn end_all(&mut self, at: Timestamp, why: &str, context: &mut ReviewContext<'_>) {
        for open in std::mem::take(&mut self.open) {
            context.incidents.edit(open.id, |edit| {
                let key = EvidenceKey::of("end");
                edit.add_evidence(KeyedEvidence::new(key, at, Source::Status, why.to_owned()));
            });
            context.incidents.end(open.id, at);
        }
    }

    /// Ends the incident about this, if there is one.
    fn end(&mut self, pod: &Pod, topic: Topic, at: Timestamp, context: &mut ReviewContext<'_>) {
        let Some(place) = self.open.iter().position(|open| open.topic == topic) else {
            return;
        };
        let open = self.open.remove(place);
        context.incidents.end(open.id, at);
        self.say(pod, topic, open.id, context);
    }

    fn retitle(&mut self, from: Topic, to: Topic) {
        for open in &mut self.open {
            if open.topic == from {
                open.topic = to;
            }
        }
    }

    fn status_clue(
        &self,
        id: IncidentId,
        at: Timestamp,
        text: String,
        context: &mut ReviewContext<'_>,
    ) {
        context.incidents.edit(id, |edit| {
            edit.add_evidence(KeyedEvidence::new(
                EvidenceKey::of("status"),
                at,
                Source::Status,
                text,
            ));
        });
    }

    /// Says an incident as it is now, with the events there are about it.
    fn say(&self, pod: &Pod, topic: Topic, id: IncidentId, context: &mut ReviewContext<'_>) {
        let container = topic.container().and_then(|c| self.container(pod, c));
        let name = container.map(|(facts, ..)| &*facts.name);
        let Some(incident) = context.incidents.get(id).cloned() else {
            return;
        };
        let since = incident.began.plus_nanos(-SLACK);
        let until = incident.ended;
        let notes = self.events.about(topic, name, since);
        let notes = notes.filter(|note| until.is_none_or(|until| note.first <= until));
        let clues: Vec<KeyedEvidence> = notes.map(super::pod_events::PodEvent::evidence).collect();
        let message = self.message(&incident, pod, topic);
        let first = match topic {
            Topic::Image(_) => {
                let told = name.and_then(|name| self.events.latest(EventKind::Pull, name));
                told.map(|note| note.first)
            }
            _ => None,
        };
        let back_off = match (topic, container) {
            (Topic::Restart(..), Some((_, _, status))) => back_off(status, context.now),
            _ => None,
        };
        context.incidents.edit(id, |edit| {
            for clue in clues {
                edit.add_evidence(clue);
            }
            if let Some(clue) = back_off
                && edit
                    .incident
                    .evidence
                    .iter()
                    .all(|known| known.text != clue.evidence.text)
            {
                edit.add_evidence(clue);
            }
            if let Some(first) = first {
                edit.began(first);
            }
            edit.incident.message = message;
        });
    }

    fn message(
        &self,
        incident: &kubevitals_proto::vitals::Incident,
        pod: &Pod,
        topic: Topic,
    ) -> String {
        let container = topic.container().and_then(|c| self.container(pod, c));
        match (topic, container) {
            (Topic::Restart(..), Some((_, spec, status))) => {
                messages::restarted(incident, spec, status)
            }
            (Topic::Probe(_, kind), Some((facts, spec, _))) => {
                let note = self.events.latest(EventKind::Unhealthy(kind), &facts.name);
                let said = note.map_or("", |note| messages::output(&note.message));
                messages::probe_fails(incident, kind, spec, said)
            }
            (Topic::Image(_), Some((_, spec, status))) => messages::image(incident, spec, status),
            _ => messages::not_ready(incident, waiting(pod)),
        }
    }
}

/// What the kubelet says while it waits to start a container again, which it does not say since when.
fn back_off(status: &ContainerStatus, now: Timestamp) -> Option<KeyedEvidence> {
    let State::Waiting(Some(waiting)) = &status.state else {
        return None;
    };
    let (reason, message) = (waiting.reason.as_deref()?, waiting.message.as_deref()?);
    let key = EvidenceKey::of("back-off");
    Some(KeyedEvidence::new(
        key,
        now,
        Source::Status,
        format!("{reason}: {message}"),
    ))
}

/// `container app is not ready, sidecar is`.
fn who_is_ready(pod: &Pod, container: &str) -> String {
    let ready = pod
        .containers()
        .filter(|(spec, status)| spec.role.stays() && status.ready);
    let ready: Vec<&str> = ready.map(|(spec, _)| &*spec.name).collect();
    match &*ready {
        [] => format!("container {container} is not ready"),
        [one] => format!("container {container} is not ready, {one} is"),
        many => format!(
            "container {container} is not ready, {} are",
            many.join(", ")
        ),
    }
}

/// What a pod that failed has in common with others of its Job.
fn failed_alike(pod: &Pod) -> Option<Box<str>> {
    let owner = pod.owner.as_ref().filter(|owner| &*owner.kind != "Node")?;
    Some(Box::from(pod.reason().unwrap_or(&owner.kind)))
}

/// How long a probe's first attempt takes to be over, at most.
pub(super) fn first_attempt(probe: &Probe) -> i64 {
    let seconds = probe
        .initial_delay
        .saturating_add(probe.period)
        .saturating_add(probe.timeout);
    i64::from(seconds) * SECOND
}

/// Since when a pod is ready.
fn ready_since(pod: &Pod) -> Option<Timestamp> {
    time(pod.ready.since_seconds).filter(|_| pod.ready.status)
}

/// The first of the containers that stay that is not ready.
fn waiting(pod: &Pod) -> Option<(&ContainerSpec, &ContainerStatus)> {
    let mut containers = pod.containers();
    containers.find(|(spec, status)| {
        let done = spec.role == Role::Init
            && matches!(&status.state, State::Terminated(ended) if ended.exit_code == 0);
        !done && !status.ready
    })
}

/// When the last of a pod's containers ended.
fn last_end(pod: &Pod) -> Option<Timestamp> {
    let ends = pod
        .containers
        .iter()
        .filter_map(|status| match &status.state {
            State::Terminated(ended) => finished(ended),
            State::Waiting(_) | State::Running { .. } => None,
        });
    ends.max()
}
