//! Nodes that are not ready, and the pods that are not ready for it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, Involved, Source};

use super::incidents::{Edit, EvidenceKey, IncidentId, Incidents, KeyedEvidence, NewIncident};
use super::messages;
use super::thresholds::{LOOK_BACK, NODE_GRACE, SECOND};
use crate::cluster::{ConditionStatus, Node, Pod, Uid};

/// Losses that are over and still remembered: containers that they ended are told of later.
const PAST: usize = 256;

/// A container may be told to have ended so long after its node came back.
const AFTERWARDS: i64 = 60 * SECOND;

/// The nodes that are not ready.
#[derive(Debug, Default)]
pub(super) struct LostNodes {
    lost: HashMap<Arc<str>, Lost>,
    past: VecDeque<(Arc<str>, Timestamp, Timestamp)>,
}

#[derive(Debug)]
struct Lost {
    node: Arc<Node>,
    since: Timestamp,
    /// None while it may only be about to join.
    incident: Option<IncidentId>,
    /// Pods that are not ready for it, as they were told last.
    pods: HashMap<Uid, Arc<Pod>>,
    /// The most that they were at once.
    most: usize,
}

impl LostNodes {
    pub(super) fn is_lost(&self, node: &str) -> bool {
        self.lost.contains_key(node)
    }

    /// Whether it was lost around then.
    pub(super) fn was_lost(&self, node: &str, at: Timestamp) -> bool {
        let near = |since: Timestamp, until: Timestamp| {
            at.since(since) >= -AFTERWARDS && until.plus_nanos(AFTERWARDS).since(at) >= 0
        };
        let now = self.lost.get(node);
        now.is_some_and(|lost| near(lost.since, Timestamp(i64::MAX - AFTERWARDS)))
            || self
                .past
                .iter()
                .any(|(name, since, until)| **name == *node && near(*since, *until))
    }

    /// When it was last heard of again after it had been lost.
    pub(super) fn back_since(&self, node: &str) -> Option<Timestamp> {
        let mut past = self.past.iter().rev();
        past.find(|(name, ..)| **name == *node)
            .map(|(.., until)| *until)
    }

    /// The node's incident, if it has one that is not over.
    pub(super) fn incident(&self, node: &str) -> Option<IncidentId> {
        self.lost.get(node)?.incident
    }

    /// The incident of a node for which a pod is not ready.
    pub(super) fn incident_of(&self, node: &str, pod: Uid) -> Option<IncidentId> {
        let lost = self.lost.get(node)?;
        lost.incident.filter(|_| lost.pods.contains_key(&pod))
    }

    /// Nodes whose incidents go on, each with its incident.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Arc<str>, IncidentId)> {
        let lost = self.lost.iter();
        lost.filter_map(|(name, lost)| Some((name, lost.incident?)))
    }

    /// Takes in a node. When it comes back, gives the pods that were not ready for it.
    pub(super) fn take(
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
                let pods = gone.as_ref().map_or(0, |it| it.most);
                say(id, node, pods, incidents);
            }
            let Some(lost) = gone else {
                return Vec::new();
            };
            if self.past.len() >= PAST {
                self.past.pop_front();
            }
            self.past
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
                most: 0,
            });
        lost.node = Arc::clone(node);
        lost.incident = lost.incident.or(restored);
        lost.tell(now, incidents);
        Vec::new()
    }

    /// A node is gone: so is what was wrong with it.
    pub(super) fn gone(&mut self, node: &str, now: Timestamp, incidents: &mut Incidents) {
        if let Some(lost) = self.lost.remove(node)
            && let Some(id) = lost.incident
        {
            incidents.edit(id, |edit| {
                let key = EvidenceKey::of("end");
                edit.add_evidence(KeyedEvidence::new(
                    key,
                    now,
                    Source::Status,
                    "the node was deleted".to_owned(),
                ));
            });
            incidents.end(id, now);
            say(id, &lost.node, lost.most, incidents);
        }
    }

    /// A pod on a node that is not ready: whether it is not ready for it is to be counted.
    pub(super) fn count(&mut self, pod: &Arc<Pod>, incidents: &mut Incidents) {
        let Some(lost) = pod.node.as_ref().and_then(|node| self.lost.get_mut(node)) else {
            return;
        };
        // The node controller takes Ready away and leaves the containers as they were.
        let for_it = !pod.ready.status
            && !pod.phase.is_over()
            && pod
                .containers()
                .all(|(spec, status)| !spec.role.stays() || status.ready);
        let news = if for_it {
            lost.pods.insert(pod.uid, Arc::clone(pod)).is_none()
        } else {
            lost.pods.remove(&pod.uid).is_some() && !pod.ready.status
        };
        lost.most = lost.most.max(lost.pods.len());
        if news && let Some(id) = lost.incident {
            say(id, &lost.node, lost.pods.len(), incidents);
        }
    }

    /// A pod is gone. That it was not ready for its node stays counted.
    pub(super) fn forget(&mut self, pod: &Pod) {
        if let Some(lost) = pod.node.as_ref().and_then(|node| self.lost.get_mut(node))
            && let Some(known) = lost.pods.get_mut(&pod.uid)
            && known.uid == pod.uid
        {
            // Nothing is to be looked at again when the node comes back.
            lost.pods.remove(&pod.uid);
        }
    }

    /// Tells of nodes that have had their time to join.
    pub(super) fn tick(&mut self, now: Timestamp, incidents: &mut Incidents) {
        for lost in self.lost.values_mut() {
            lost.tell(now, incidents);
        }
    }

    /// When the next of them has had its time.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let silent = self.lost.values().filter(|lost| lost.incident.is_none());
        silent.filter_map(Lost::due).min()
    }
}

impl Lost {
    /// When a node that may only be about to join has had its time.
    fn due(&self) -> Option<Timestamp> {
        Some(self.node.created()?.plus_nanos(NODE_GRACE))
    }

    fn tell(&mut self, now: Timestamp, incidents: &mut Incidents) {
        if let Some(id) = self.incident {
            say(id, &self.node, self.pods.len(), incidents);
            return;
        }
        if self.due().is_some_and(|due| now < due) {
            return;
        }
        let unready = self.node.unready.as_ref();
        let silent = unready.is_some_and(|it| it.status == ConditionStatus::Unknown);
        let (cause, certainty) = if silent {
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
            // It is in `default`, whose readers may not be let to see nodes.
            labels: Labels::default(),
            began: self.since,
            alike: None,
        });
        self.incident = Some(id);
        incidents.edit(id, |edit| edit.incident.count = 1);
        say(id, &self.node, self.pods.len(), incidents);
    }
}

/// Says a node's incident as it is now.
fn say(id: IncidentId, node: &Node, pods: usize, incidents: &mut Incidents) {
    let Some(incident) = incidents.get(id).cloned() else {
        return;
    };
    let message = messages::node(&incident, node, pods);
    let conditions = node.conditions.iter().chain(&node.unready);
    let clues: Vec<KeyedEvidence> = conditions
        .map(|condition| {
            // Its message is for those who may see nodes, as the labels are.
            let reason = condition.reason.as_deref().unwrap_or_default();
            let status = condition.status.as_str();
            let text = format!("{}={status}: {reason}", condition.kind);
            let at = super::terminations::time(condition.since_seconds).unwrap_or(incident.began);
            KeyedEvidence::new(EvidenceKey::of(&condition.kind), at, Source::Status, text)
        })
        .collect();
    let fresh = |clue: &KeyedEvidence| incident.began.since(clue.evidence.time) <= LOOK_BACK;
    incidents.edit(id, |edit: &mut Edit<'_>| {
        if let Some(ended) = edit.incident.ended {
            edit.seen(ended);
        } else {
            for clue in clues.into_iter().filter(fresh) {
                edit.add_evidence(clue);
            }
        }
        edit.incident.message = message;
    });
}
