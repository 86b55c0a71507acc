//! Derives the open incidents of a pod from the facts about it. Every change of a fact leads to a review, so that the
//! order in which changes arrive does not matter.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Certainty, Source};

use super::container_index::ContainerIndex;
use super::facts::{Open, PodFacts};
use super::incident_record::{Edit, EvidenceKey, IncidentId, KeyedEvidence};
use super::messages;
use super::pod_events::{EventKind, PodEvent};
use super::review_context::ReviewContext;
use super::rules::decision::{Decision, Extension};
use super::rules::{CONTAINER_RULES, failure, not_ready};
use super::thresholds::SLACK;
use super::topic::Topic;
use crate::cluster::{ContainerStatus, Phase, Pod, State};

impl PodFacts {
    /// Opens, extends and ends the pod's incidents according to the rules, and updates their messages and evidence.
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
                let at = failure::failed_at(self, &pod, context);
                self.end_all(at, "the pod failed", context);
                self.review_failure(&pod, at, context);
                return;
            }
            Phase::Succeeded => {
                let at = failure::last_termination(&pod).unwrap_or(context.now);
                return self.end_all(at, "the pod has done its work", context);
            }
            Phase::Pending | Phase::Running | Phase::Unknown => {}
        }
        if failure::will_fail(&pod) {
            let at = failure::failed_at(self, &pod, context);
            self.review_failure(&pod, at, context);
        }
        // The states of containers on a lost node are unknown.
        let node = pod.node.as_deref().unwrap_or_default();
        if context.nodes.is_lost(node) {
            // The node's condition may arrive after its pods' conditions: the node's incident then explains them.
            self.withdraw(Topic::NotReady, context);
            return;
        }
        for index in ContainerIndex::all(self.containers.len()) {
            for rule in CONTAINER_RULES {
                let decisions = rule(self, &pod, index, context);
                for decision in decisions.into_iter().flatten() {
                    self.apply_decision(&pod, decision, context);
                }
            }
        }
        if let Some(decision) = not_ready::review(self, &pod, context) {
            self.apply_decision(&pod, decision, context);
        }
        for open in self.open.clone() {
            self.update_incident(&pod, open.topic, open.id, context);
        }
    }

    fn apply_decision(&mut self, pod: &Pod, decision: Decision, context: &mut ReviewContext<'_>) {
        match decision {
            Decision::Open(it) => {
                let id = self.open_new(pod, it.topic, it.cause, it.certainty, it.began, context);
                if let Some((at, text)) = it.evidence {
                    let key = EvidenceKey::of("status");
                    let evidence = KeyedEvidence::new(key, at, Source::Status, text);
                    context
                        .incidents
                        .edit(id, |edit| edit.add_evidence(evidence));
                }
            }
            Decision::Reopen {
                topic,
                incident,
                at,
            } => {
                context.incidents.edit(incident.id, |edit| {
                    edit.incident.ended = None;
                    edit.seen(at);
                });
                let id = incident.id;
                self.open.push(Open { id, topic });
            }
            Decision::ChangeTopic { from, to, cause } => {
                for open in self.open.iter_mut().filter(|open| open.topic == from) {
                    open.topic = to;
                    let set_cause = |edit: &mut Edit<'_>| edit.incident.cause = cause;
                    context.incidents.edit(open.id, set_cause);
                }
            }
            Decision::Extend(extension) => {
                if let Some(id) = self.open_on(extension.topic) {
                    extend(id, extension, context);
                }
            }
            Decision::End { topic, at } => {
                if let Some(id) = self.close(topic) {
                    context.incidents.end(id, at);
                    self.update_incident(pod, topic, id, context);
                }
            }
            Decision::Withdraw(topic) => self.withdraw(topic, context),
            Decision::Wake(at) => self.wake_at(at),
            Decision::SetEndedReadiness(index, ended) => {
                if let Some(facts) = index.of_mut(&mut self.containers) {
                    facts.ended_readiness = ended;
                }
            }
            Decision::SetCountedFailures(index, counted) => {
                if let Some(facts) = index.of_mut(&mut self.containers) {
                    facts.counted_failures = counted;
                }
            }
        }
    }

    /// Records a failure once. Its incident ends at once.
    fn review_failure(&self, pod: &Pod, at: Timestamp, context: &mut ReviewContext<'_>) {
        let Some(failure) = failure::review(self, pod, at, context) else {
            return;
        };
        let id = context.incidents.open(failure.incident);
        context.incidents.edit(id, |edit| {
            edit.incident.message = failure.message;
            edit.incident.count = 1;
            edit.incident.last_ended = failure.last_ended;
            for evidence in failure.evidence {
                edit.add_evidence(evidence);
            }
            edit.incident.last_seen = at;
        });
        context.incidents.end(id, at);
    }

    /// Updates the message of an incident, and adds the Events about it as evidence.
    fn update_incident(
        &self,
        pod: &Pod,
        topic: Topic,
        id: IncidentId,
        context: &mut ReviewContext<'_>,
    ) {
        let container = topic.container();
        let container = container.and_then(|index| self.container(pod, index));
        let name = container.map(|(facts, ..)| &*facts.name);
        let Some(incident) = context.incidents.get(id).cloned() else {
            return;
        };
        let since = incident.began.plus_nanos(-SLACK);
        let until = incident.ended;
        let events = self.events.about(topic, name, since);
        let events = events.filter(|event| until.is_none_or(|until| event.first <= until));
        let evidence: Vec<KeyedEvidence> = events.map(PodEvent::evidence).collect();
        let message = match (topic, container) {
            (Topic::Restart(..), Some((_, spec, status))) => {
                messages::restarted(&incident, spec, status)
            }
            (Topic::Probe(_, kind), Some((facts, spec, _))) => {
                let event = self.events.latest(EventKind::Unhealthy(kind), &facts.name);
                let output = event.map_or("", |event| messages::output(&event.message));
                messages::probe_fails(&incident, kind, spec, output)
            }
            (Topic::Image(_), Some((_, spec, status))) => messages::image(&incident, spec, status),
            _ => messages::not_ready(&incident, messages::unready_container(pod)),
        };
        let first = match (topic, name) {
            (Topic::Image(_), Some(name)) => {
                let event = self.events.latest(EventKind::Pull, name);
                event.map(|event| event.first)
            }
            _ => None,
        };
        let back_off = match (topic, container) {
            (Topic::Restart(..), Some((_, _, status))) => back_off(status, context.now),
            _ => None,
        };
        context.incidents.edit(id, |edit| {
            for evidence in evidence {
                edit.add_evidence(evidence);
            }
            let is_new = |item: &KeyedEvidence| {
                let mut all = edit.incident.evidence.iter();
                all.all(|existing| existing.text != item.evidence.text)
            };
            if let Some(evidence) = back_off.filter(is_new) {
                edit.add_evidence(evidence);
            }
            if let Some(first) = first {
                edit.began(first);
            }
            edit.incident.message = message;
        });
    }
}

fn extend(id: IncidentId, extension: Extension, context: &mut ReviewContext<'_>) {
    context.incidents.edit(id, |edit| {
        edit.incident.certainty = Certainty::Direct;
        edit.incident.count = edit.incident.count.max(extension.count);
        if let Some(last_seen) = extension.last_seen {
            edit.seen(last_seen);
        }
        if let Some(began) = extension.began {
            edit.began(began);
        }
    });
}

/// The status of a container that waits for its restart, as evidence. The status has no time, so the evidence has
/// `now`.
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
