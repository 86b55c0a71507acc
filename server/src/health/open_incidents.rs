//! Opens, closes and merges the incidents of a pod.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind};

use super::facts::{Open, PodFacts, involved};
use super::incident_record::{IncidentId, KeyedEvidence, NewIncident};
use super::review_context::ReviewContext;
use super::thresholds::{LOOP_GAP, WELL_AFTER};
use super::topic::Topic;
use crate::cluster::{Pod, time};

impl PodFacts {
    /// What an incident shares with those of other pods of the workload, if the pod was never healthy, as after a
    /// rollout. None for a pod that was healthy before.
    fn shared_detail(
        &self,
        pod: &Pod,
        topic: Topic,
        began: Timestamp,
        now: Timestamp,
    ) -> Option<Box<str>> {
        let owner = pod.owner.as_ref().filter(|owner| &*owner.kind != "Node")?;
        let created = pod.created()?;
        let from_start = |at: Timestamp| at.since(created) < WELL_AFTER;
        let unready = (!pod.ready.status)
            .then(|| time(pod.ready.since_seconds))
            .flatten();
        let always = match topic {
            Topic::Restart(index, _) => index.of(&self.containers).is_some_and(|facts| {
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

    /// Opens an incident about this pod.
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
            shared_detail: self.shared_detail(pod, topic, began, context.now),
        });
        if matches!(topic, Topic::Image(_) | Topic::NotReady) {
            context.incidents.edit(id, |edit| edit.incident.count = 1);
        }
        self.open.push(Open { id, topic });
        id
    }

    /// Ends all open incidents: the pod is deleted or has ended.
    pub(super) fn end_all(&mut self, at: Timestamp, why: &str, context: &mut ReviewContext<'_>) {
        for open in std::mem::take(&mut self.open) {
            context.incidents.end_because(open.id, at, why);
        }
    }

    /// Removes the open incident about a topic from the open ones, and returns it.
    pub(super) fn close(&mut self, topic: Topic) -> Option<IncidentId> {
        let place = self.open.iter().position(|open| open.topic == topic)?;
        Some(self.open.remove(place).id)
    }

    /// Removes the open incident about a topic, as if it had never been opened.
    pub(super) fn withdraw(&mut self, topic: Topic, context: &mut ReviewContext<'_>) {
        if let Some(id) = self.close(topic) {
            context.incidents.remove(id);
        }
    }
}

/// Merges an incident into another one, and removes it.
pub(super) fn merge(from: IncidentId, into: IncidentId, context: &mut ReviewContext<'_>) {
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
