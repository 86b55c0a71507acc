//! The state of health that outlives the process. [`super::merge`] restores it: counts continue, and open incidents
//! stay open.
//!
//! A snapshot does not contain the kubelets' counters, which are read again within a minute; failures in a row, which
//! Events and counters report again; and earlier versions of pods.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::Incident;
use serde::{Deserialize, Serialize};

use super::announcements::SavedAnnouncement;
use super::bounded_list::{at_most, elements_at_most};
use super::engine::Engine;
use super::facts::{ContainerFacts, MAX_RESTARTS, Open, PodFacts};
use super::incident_record::{EvidenceKey, GroupRole, IncidentId, Record};
use super::topic::Topic;
use crate::cluster::{PodKey, Uid};

/// The version of the format. No other version is read.
const FORM: u32 = 1;

/// The state of health. The ID of an incident is its position in `incidents`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    form: u32,
    #[serde(deserialize_with = "elements_at_most::<4096, _, _>")]
    pub(super) incidents: Vec<SavedIncident>,
    #[serde(deserialize_with = "at_most::<20_000, _, _>")]
    pub(super) pods: Vec<SavedPod>,
    /// Nodes that are not ready, each with its incident.
    #[serde(deserialize_with = "at_most::<20_000, _, _>")]
    pub(super) nodes: Vec<(String, IncidentId)>,
    /// The last announcement about each incident that was announced.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "at_most::<4096, _, _>"
    )]
    pub(super) announcements: Vec<SavedAnnouncement>,
}

/// The version field alone, which every form has.
#[derive(Deserialize)]
struct Form {
    form: u32,
}

/// Why a snapshot cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Another version of this program wrote it.
    #[error("it is of form {0}, and only form {FORM} can be read")]
    Form(u32),
    /// Something in it refers to an incident that is not in it.
    #[error("it is not whole: it speaks of an incident that is not in it")]
    Broken,
    /// It is not valid JSON of this format.
    #[error("it is no list of incidents: at line {line}, column {column}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct SavedIncident {
    pub(super) incident: Incident,
    /// The keys of the evidence, in the same order.
    pub(super) keys: Vec<EvidenceKey>,
    /// What else incidents with a common cause share, if the cause may affect several pods.
    #[serde(default, rename = "alike")]
    pub(super) shared_detail: Option<Box<str>>,
}

impl From<&Record> for SavedIncident {
    fn from(record: &Record) -> Self {
        Self {
            incident: (*record.incident).clone(),
            keys: record.keys.clone(),
            shared_detail: record.shared_detail.clone(),
        }
    }
}

/// The facts about a pod that outlive the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: Uid,
    was_ready: bool,
    pub(super) containers: Vec<ContainerFacts>,
    pub(super) open: Vec<(IncidentId, Topic)>,
}

impl SavedPod {
    /// The facts with the IDs of a snapshot, which `id` returns for those of the engine.
    fn of(facts: &PodFacts, id: &impl Fn(IncidentId) -> Option<IncidentId>) -> Self {
        let mut pod = Self {
            namespace: facts.key.namespace.to_string(),
            name: facts.key.name.to_string(),
            uid: facts.uid,
            was_ready: facts.was_ready,
            containers: facts
                .containers
                .iter()
                .map(ContainerFacts::restored)
                .collect(),
            open: facts
                .open
                .iter()
                .map(|open| (open.id, open.topic))
                .collect(),
        };
        pod.renumber(id);
        pod
    }

    /// Replaces the IDs of incidents. Without a new ID, an incident is no longer stored.
    fn renumber(&mut self, id: &impl Fn(IncidentId) -> Option<IncidentId>) {
        let open = std::mem::take(&mut self.open).into_iter();
        self.open = open
            .filter_map(|(old, topic)| Some((id(old)?, topic)))
            .collect();
        for restart in self.containers.iter_mut().flat_map(|it| &mut it.restarts) {
            restart.incident = id(restart.incident).unwrap_or(IncidentId::DROPPED);
        }
    }

    /// The incidents to which it refers.
    fn incidents(&self) -> impl Iterator<Item = IncidentId> {
        let restarts = self.containers.iter().flat_map(|it| &it.restarts);
        let of_restarts = restarts.map(|restart| restart.incident);
        let stored = of_restarts.filter(|id| *id != IncidentId::DROPPED);
        self.open.iter().map(|(id, _)| *id).chain(stored)
    }

    /// Restores the facts, with the IDs that `id` returns for those of the snapshot.
    pub(super) fn restore(
        mut self,
        id: &impl Fn(IncidentId) -> Option<IncidentId>,
        now: Timestamp,
    ) -> PodFacts {
        self.renumber(id);
        let key = PodKey::new(self.namespace, self.name);
        let mut facts = PodFacts::new(key, self.uid, now);
        facts.was_ready = self.was_ready;
        let open = self.open.into_iter();
        facts.open = open.map(|(id, topic)| Open { id, topic }).collect();
        facts.containers = self.containers;
        for container in &mut facts.containers {
            let more = container.restarts.len().saturating_sub(MAX_RESTARTS);
            container.restarts.drain(..more);
        }
        facts
    }
}

impl Engine {
    /// The current state.
    pub(super) fn export(&self) -> Snapshot {
        // Joint incidents are computed again.
        let records = self.incidents.records();
        let saved = records.filter(|(_, record)| !matches!(record.role, GroupRole::Joint(_)));
        let (ids, incidents): (Vec<IncidentId>, Vec<SavedIncident>) = saved
            .map(|(id, record)| (id, SavedIncident::from(record)))
            .unzip();
        let id = positions(&ids);
        let pods = self.pods.values().filter(|facts| facts.deleted.is_none());
        let pods = pods.filter(|facts| facts.uid.is_some());
        let mut pods: Vec<SavedPod> = pods.map(|facts| SavedPod::of(facts, &id)).collect();
        // Sorted, so that the same state gives the same bytes.
        pods.sort_by(|a, b| (&a.namespace, &a.name, a.uid).cmp(&(&b.namespace, &b.name, b.uid)));
        let nodes = self.nodes.open();
        let nodes = nodes.filter_map(|(name, old)| Some((name.to_string(), id(old)?)));
        Snapshot {
            form: FORM,
            nodes: nodes.collect(),
            incidents,
            pods,
            announcements: self.announcements.save(),
        }
    }
}

/// Returns the position of an incident in a list.
fn positions(ids: &[IncidentId]) -> impl Fn(IncidentId) -> Option<IncidentId> {
    let numbered = (0..).map(IncidentId);
    let positions: HashMap<IncidentId, IncidentId> = ids.iter().copied().zip(numbered).collect();
    move |id| positions.get(&id).copied()
}

impl Default for Snapshot {
    /// The snapshot of a healthy cluster.
    fn default() -> Self {
        Self {
            form: FORM,
            incidents: Vec::new(),
            pods: Vec::new(),
            nodes: Vec::new(),
            announcements: Vec::new(),
        }
    }
}

impl Snapshot {
    /// The version of the format. No other version is read.
    pub const FORM: u32 = FORM;

    /// Parses a snapshot from JSON.
    ///
    /// # Errors
    /// When it is of another form, which is recognized even if nothing else in it is, or malformed.
    pub fn from_json(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let malformed = |error: serde_json::Error| SnapshotError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let Form { form } = serde_json::from_slice(bytes).map_err(malformed)?;
        if form != FORM {
            return Err(SnapshotError::Form(form));
        }
        let snapshot: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        snapshot.check()?;
        Ok(snapshot)
    }

    /// The number of incidents.
    pub fn incidents(&self) -> usize {
        self.incidents.len()
    }

    /// The snapshot with at most `most` incidents: open ones before ended ones, and of each the ones that were seen
    /// last. Pods that refer to none of them are left out.
    #[must_use]
    pub fn newest(&self, most: usize) -> Self {
        if self.incidents.len() <= most {
            return self.clone();
        }
        let mut selected: Vec<(IncidentId, &SavedIncident)> =
            (0..).map(IncidentId).zip(&self.incidents).collect();
        selected.sort_by_key(|(_, selected)| {
            let incident = &selected.incident;
            (incident.ended.is_some(), Reverse(incident.last_seen))
        });
        selected.truncate(most);
        selected.sort_by_key(|(id, _)| *id);
        let (ids, incidents): (Vec<IncidentId>, Vec<SavedIncident>) = selected
            .into_iter()
            .map(|(id, selected)| (id, selected.clone()))
            .unzip();
        let id = positions(&ids);
        let pods = self.pods.iter().filter_map(|pod| {
            let mut pod = pod.clone();
            pod.renumber(&id);
            let has_incidents = pod.incidents().next().is_some();
            has_incidents.then_some(pod)
        });
        let nodes = self.nodes.iter();
        let nodes = nodes.filter_map(|(name, old)| Some((name.clone(), id(*old)?)));
        Self {
            form: self.form,
            pods: pods.collect(),
            nodes: nodes.collect(),
            incidents,
            announcements: self.announcements.clone(),
        }
    }

    /// A digest of the incidents, independent of their order, and of what was announced: equal for two replicas that
    /// serve the same incidents and have announced the same.
    /// Only comparable within one build of the program.
    pub fn digest(&self) -> u64 {
        let mut incidents: Vec<&Incident> = self.incidents.iter().map(|it| &it.incident).collect();
        incidents.sort_by_key(|it| (&it.metadata.namespace, &it.metadata.name));
        let mut hasher = DefaultHasher::new();
        for incident in incidents {
            // Serializing an incident cannot fail.
            serde_json::to_vec(incident)
                .unwrap_or_default()
                .hash(&mut hasher);
        }
        self.announcements.hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        if self.form != FORM {
            return Err(SnapshotError::Form(self.form));
        }
        let of_pods = self.pods.iter().flat_map(SavedPod::incidents);
        let of_nodes = self.nodes.iter().map(|(_, id)| *id);
        let is_missing = |id: IncidentId| id.0 >= self.incidents.len() as u64;
        if of_pods.chain(of_nodes).any(is_missing) {
            return Err(SnapshotError::Broken);
        }
        Ok(())
    }
}
