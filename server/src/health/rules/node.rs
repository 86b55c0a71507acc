//! NodeNotReady: a node is not ready. Pods that are not ready because of their node are counted in its incident. A node
//! that joins has some minutes to become ready.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, Involved, Source};

use crate::cluster::{ConditionStatus, Node, Pod, Uid, time};
use crate::health::incident_record::{Edit, EvidenceKey, IncidentId, KeyedEvidence, NewIncident};
use crate::health::incidents::Incidents;
use crate::health::messages;
use crate::health::thresholds::{LOOK_BACK, NODE_GRACE, SECOND};

/// The largest number of stored recoveries. Containers that terminated with their node are reported later.
const MAX_RECOVERIES: usize = 256;

/// The longest time after a node's recovery in which a termination may belong to the loss.
const TOLERANCE: i64 = 60 * SECOND;

/// The nodes that are not ready.
#[derive(Debug, Default)]
pub(in crate::health) struct LostNodes {
    lost: HashMap<Arc<str>, Lost>,
    /// Earlier losses: the node, their start and their end.
    recovered: VecDeque<(Arc<str>, Timestamp, Timestamp)>,
}

#[derive(Debug)]
struct Lost {
    node: Arc<Node>,
    since: Timestamp,
    /// None while the node may be joining.
    incident: Option<IncidentId>,
    /// The last states of pods that are not ready because of the node.
    pods: HashMap<Uid, Arc<Pod>>,
    /// The largest number of such pods at one time.
    max_pods: usize,
}

impl LostNodes {
    pub(in crate::health) fn is_lost(&self, node: &str) -> bool {
        self.lost.contains_key(node)
    }

    /// Whether a node was lost around a time.
    pub(in crate::health) fn was_lost(&self, node: &str, at: Timestamp) -> bool {
        let near = |since: Timestamp, until: Timestamp| {
            at.since(since) >= -TOLERANCE && until.plus_nanos(TOLERANCE).since(at) >= 0
        };
        let now = self.lost.get(node);
        now.is_some_and(|lost| near(lost.since, Timestamp(i64::MAX - TOLERANCE)))
            || self
                .recovered
                .iter()
                .any(|(name, since, until)| **name == *node && near(*since, *until))
    }

    /// The time of a node's last recovery.
    pub(in crate::health) fn back_since(&self, node: &str) -> Option<Timestamp> {
        let mut past = self.recovered.iter().rev();
        past.find(|(name, ..)| **name == *node)
            .map(|(.., until)| *until)
    }

    /// The open incident of a node.
    pub(in crate::health) fn incident(&self, node: &str) -> Option<IncidentId> {
        self.lost.get(node)?.incident
    }

    /// The incident of a node because of which a pod is not ready.
    pub(in crate::health) fn incident_of(&self, node: &str, pod: Uid) -> Option<IncidentId> {
        let lost = self.lost.get(node)?;
        lost.incident.filter(|_| lost.pods.contains_key(&pod))
    }

    /// The nodes with an open incident.
    pub(in crate::health) fn open(&self) -> impl Iterator<Item = (&Arc<str>, IncidentId)> {
        let lost = self.lost.iter();
        lost.filter_map(|(name, lost)| Some((name, lost.incident?)))
    }

    /// Applies the state of a node. Returns the pods that were not ready because of it when the node becomes ready.
    pub(in crate::health) fn apply(
        &mut self,
        node: &Arc<Node>,
        restored: Option<IncidentId>,
        now: Timestamp,
        incidents: &mut Incidents,
    ) -> Vec<Arc<Pod>> {
        if node.ready {
            let at = node.ready_since.unwrap_or(now);
            let gone = self.lost.remove(&node.name);
            if let Some(id) = gone.as_ref().and_then(|it| it.incident).or(restored) {
                incidents.end(id, at);
                let pods = gone.as_ref().map_or(0, |it| it.max_pods);
                update_incident(id, node, pods, incidents);
            }
            let Some(lost) = gone else {
                return Vec::new();
            };
            if self.recovered.len() >= MAX_RECOVERIES {
                self.recovered.pop_front();
            }
            self.recovered
                .push_back((Arc::clone(&node.name), lost.since, at));
            return lost.pods.into_values().collect();
        }
        let since = node.ready_since.unwrap_or(now);
        let lost = self
            .lost
            .entry(Arc::clone(&node.name))
            .or_insert_with(|| Lost {
                node: Arc::clone(node),
                since,
                incident: restored,
                pods: HashMap::new(),
                max_pods: 0,
            });
        lost.node = Arc::clone(node);
        lost.incident = lost.incident.or(restored);
        lost.update(now, incidents);
        Vec::new()
    }

    /// Applies the deletion of a node, which ends its incident.
    pub(in crate::health) fn delete(
        &mut self,
        node: &str,
        now: Timestamp,
        incidents: &mut Incidents,
    ) {
        if let Some(lost) = self.lost.remove(node)
            && let Some(id) = lost.incident
        {
            incidents.end_because(id, now, "the node was deleted");
            update_incident(id, &lost.node, lost.max_pods, incidents);
        }
    }

    /// Counts a pod if it is not ready because of its node.
    pub(in crate::health) fn count(&mut self, pod: &Arc<Pod>, incidents: &mut Incidents) {
        let Some(lost) = pod.node.as_ref().and_then(|node| self.lost.get_mut(node)) else {
            return;
        };
        // The node controller sets the pod to not ready, and leaves the states of its containers.
        let is_affected = !pod.ready.status
            && !pod.phase.is_over()
            && pod
                .containers()
                .all(|(spec, status)| !spec.role.stays() || status.ready);
        let changed = if is_affected {
            lost.pods.insert(pod.uid, Arc::clone(pod)).is_none()
        } else {
            lost.pods.remove(&pod.uid).is_some() && !pod.ready.status
        };
        lost.max_pods = lost.max_pods.max(lost.pods.len());
        if changed && let Some(id) = lost.incident {
            update_incident(id, &lost.node, lost.pods.len(), incidents);
        }
    }

    /// Applies the deletion of a pod. The count of affected pods stays.
    pub(in crate::health) fn forget(&mut self, pod: &Pod) {
        if let Some(lost) = pod.node.as_ref().and_then(|node| self.lost.get_mut(node)) {
            // The pod need not be reviewed when the node recovers.
            lost.pods.remove(&pod.uid);
        }
    }

    /// Opens the incidents of nodes that have not joined in time.
    pub(in crate::health) fn tick(&mut self, now: Timestamp, incidents: &mut Incidents) {
        for lost in self.lost.values_mut() {
            lost.update(now, incidents);
        }
    }

    /// The time at which the next joining node is overdue.
    pub(in crate::health) fn due(&self) -> Option<Timestamp> {
        let joining = self.lost.values().filter(|lost| lost.incident.is_none());
        joining.filter_map(Lost::due).min()
    }
}

impl Lost {
    /// The time at which a joining node is overdue.
    fn due(&self) -> Option<Timestamp> {
        Some(self.node.created()?.plus_nanos(NODE_GRACE))
    }

    fn update(&mut self, now: Timestamp, incidents: &mut Incidents) {
        if let Some(id) = self.incident {
            update_incident(id, &self.node, self.pods.len(), incidents);
            return;
        }
        if self.due().is_some_and(|due| now < due) {
            return;
        }
        let unready = self.node.unready.as_ref();
        let is_unknown = unready.is_some_and(|it| it.status == ConditionStatus::Unknown);
        let (cause, certainty) = if is_unknown {
            (Cause::NodeLost, Certainty::Direct)
        } else {
            (Cause::Unknown, Certainty::Unknown)
        };
        let id = incidents.open(NewIncident {
            reason: IncidentKind::NodeNotReady,
            cause,
            certainty,
            involved: Involved {
                kind: "Node".to_owned(),
                name: self.node.name.to_string(),
                uid: self.node.uid.to_string(),
                node: self.node.name.to_string(),
                ..Involved::default()
            },
            // The incident is in `default`, whose readers may not be allowed to read nodes.
            labels: Labels::default(),
            began: self.since,
            shared_detail: None,
        });
        self.incident = Some(id);
        incidents.edit(id, |edit| edit.incident.count = 1);
        update_incident(id, &self.node, self.pods.len(), incidents);
    }
}

/// Updates the message and the evidence of a node's incident.
fn update_incident(id: IncidentId, node: &Node, pods: usize, incidents: &mut Incidents) {
    let Some(incident) = incidents.get(id).cloned() else {
        return;
    };
    let message = messages::node(&incident, node, pods);
    let conditions = node.conditions.iter().chain(&node.unready);
    let evidence: Vec<KeyedEvidence> = conditions
        .map(|condition| {
            // The message is left out, because only readers of nodes may see it.
            let reason = condition.reason.as_deref().unwrap_or_default();
            let status = condition.status.as_str();
            let text = format!("{}={status}: {reason}", condition.kind);
            let at = time(condition.since_seconds).unwrap_or(incident.began);
            KeyedEvidence::new(EvidenceKey::of(&condition.kind), at, Source::Status, text)
        })
        .collect();
    let is_recent = |it: &KeyedEvidence| incident.began.since(it.evidence.time) <= LOOK_BACK;
    incidents.edit(id, |edit: &mut Edit<'_>| {
        if let Some(ended) = edit.incident.ended {
            edit.seen(ended);
        } else {
            for item in evidence.into_iter().filter(is_recent) {
                edit.add_evidence(item);
            }
        }
        edit.incident.message = message;
    });
}
