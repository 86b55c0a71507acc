//! The state of health that outlives the process. [`super::merge`] restores it: counts continue, and open incidents
//! stay open.
//!
//! A snapshot does not contain the kubelets' counters, which are read again within a minute; failures in a row, which
//! Events and counters report again; and earlier versions of pods.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, Incident, ProbeKind};
use serde::{Deserialize, Serialize};

use super::bounded_list::{at_most, elements_at_most};
use super::container_index::ContainerIndex;
use super::engine::Engine;
use super::facts::{ContainerFacts, Kill, Open, PodFacts, Restart};
use super::incident_record::{GroupRole, IncidentId};
use super::tallies::{Tally, TallyKind};
use super::topic::Topic;
use crate::cluster::{PodKey, Uid};

/// The version of the format. No other version is read.
const FORM: u32 = 1;

/// The state of health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    form: u32,
    #[serde(deserialize_with = "elements_at_most::<4096, _, _>")]
    pub(super) incidents: Vec<SavedIncident>,
    #[serde(deserialize_with = "at_most::<20_000, _, _>")]
    pub(super) pods: Vec<SavedPod>,
    /// Nodes that are not ready, each with the index of its incident.
    #[serde(deserialize_with = "at_most::<20_000, _, _>")]
    pub(super) nodes: Vec<(String, usize)>,
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
    pub(super) keys: Vec<u64>,
    /// What else incidents with a common cause share, if the cause may affect several pods.
    #[serde(default, rename = "alike")]
    pub(super) shared_detail: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedPod {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    was_ready: bool,
    pub(super) containers: Vec<SavedContainer>,
    pub(super) open: Vec<(usize, SavedTopic)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedContainer {
    name: String,
    #[serde(rename = "deaths")]
    termination_count: u32,
    pub(super) restarts: Vec<SavedRestart>,
    kill: Option<SavedKill>,
    #[serde(default)]
    tallies: Vec<SavedTally>,
    #[serde(default)]
    unclaimed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedRestart {
    nth: u32,
    pub(super) ended: Ended,
    cause: Cause,
    certainty: Certainty,
    #[serde(rename = "failing")]
    failing_since: Option<Timestamp>,
    decided: bool,
    /// None if its incident is no longer stored.
    incident: Option<usize>,
    noticed: Timestamp,
    #[serde(default)]
    refuted: bool,
    #[serde(default, rename = "silent")]
    unknown_before: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedTally {
    event: String,
    #[serde(rename = "tells")]
    kind: SavedTallyKind,
    first: Timestamp,
    last: Timestamp,
    ends: u32,
    claimed: u32,
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum SavedTallyKind {
    Killing(ProbeKind),
    Failing(ProbeKind),
    BackOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct SavedKill {
    kind: ProbeKind,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SavedTopic {
    Restart(usize, Cause),
    Probe(usize, ProbeKind),
    Image(usize),
    NotReady,
}

impl Engine {
    /// The current state.
    pub(super) fn export(&self) -> Snapshot {
        let mut places = HashMap::new();
        let mut incidents = Vec::new();
        for (id, record) in self.incidents.records() {
            // Joint incidents are computed again.
            if matches!(record.role, GroupRole::Joint(_)) {
                continue;
            }
            places.insert(id, incidents.len());
            incidents.push(SavedIncident {
                incident: (*record.incident).clone(),
                keys: record.keys.iter().map(|key| key.0).collect(),
                shared_detail: record.shared_detail.as_deref().map(str::to_owned),
            });
        }
        let place = |id: &IncidentId| places.get(id).copied();
        let pods = self.pods.values().filter(|facts| facts.deleted.is_none());
        let pods = pods.filter(|facts| facts.uid.is_some());
        let mut pods: Vec<SavedPod> = pods.map(|facts| save(facts, &place)).collect();
        // Sorted, so that the same state gives the same bytes.
        pods.sort_by(|a, b| (&a.namespace, &a.name, &a.uid).cmp(&(&b.namespace, &b.name, &b.uid)));
        Snapshot {
            form: FORM,
            pods,
            nodes: self
                .nodes
                .open()
                .filter_map(|(name, id)| Some((name.to_string(), place(&id)?)))
                .collect(),
            incidents,
        }
    }
}

impl Default for Snapshot {
    /// The snapshot of a healthy cluster.
    fn default() -> Self {
        Self {
            form: FORM,
            incidents: Vec::new(),
            pods: Vec::new(),
            nodes: Vec::new(),
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
        let mut selected: Vec<(usize, &SavedIncident)> =
            self.incidents.iter().enumerate().collect();
        selected.sort_by_key(|(_, selected)| {
            let incident = &selected.incident;
            (incident.ended.is_some(), Reverse(incident.last_seen))
        });
        selected.truncate(most);
        selected.sort_by_key(|(position, _)| *position);
        let positions: HashMap<usize, usize> = selected
            .iter()
            .enumerate()
            .map(|(new, (old, _))| (*old, new))
            .collect();
        let position = |old: usize| positions.get(&old).copied();
        let pods = self.pods.iter().filter_map(|pod| {
            let mut pod = pod.clone();
            pod.open = pod
                .open
                .iter()
                .filter_map(|(old, topic)| Some((position(*old)?, *topic)))
                .collect();
            let mut of_use = !pod.open.is_empty();
            for restart in pod.containers.iter_mut().flat_map(|it| &mut it.restarts) {
                restart.incident = restart.incident.and_then(position);
                of_use |= restart.incident.is_some();
            }
            of_use.then_some(pod)
        });
        let nodes = self.nodes.iter();
        Self {
            form: self.form,
            pods: pods.collect(),
            nodes: nodes
                .filter_map(|(name, old)| Some((name.clone(), position(*old)?)))
                .collect(),
            incidents: selected
                .into_iter()
                .map(|(_, selected)| selected.clone())
                .collect(),
        }
    }

    /// A digest of the incidents, independent of their order: equal for two replicas that serve the same incidents.
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
        hasher.finish()
    }

    pub(super) fn check(&self) -> Result<(), SnapshotError> {
        if self.form != FORM {
            return Err(SnapshotError::Form(self.form));
        }
        let of_pods = self.pods.iter().flat_map(|pod| {
            let restarts = pod
                .containers
                .iter()
                .flat_map(|container| &container.restarts);
            let open = pod.open.iter().map(|(place, _)| *place);
            open.chain(restarts.filter_map(|restart| restart.incident))
        });
        let of_nodes = self.nodes.iter().map(|(_, place)| *place);
        if of_pods
            .chain(of_nodes)
            .any(|place| place >= self.incidents.len())
        {
            return Err(SnapshotError::Broken);
        }
        Ok(())
    }
}

fn save(facts: &PodFacts, place: &impl Fn(&IncidentId) -> Option<usize>) -> SavedPod {
    let containers = facts.containers.iter().map(|container| SavedContainer {
        name: container.name.to_string(),
        termination_count: container.termination_count,
        restarts: container
            .restarts
            .iter()
            .map(|restart| SavedRestart {
                nth: restart.nth,
                ended: restart.ended.clone(),
                cause: restart.cause,
                certainty: restart.certainty,
                failing_since: restart.failing_since,
                decided: restart.decided,
                incident: place(&restart.incident),
                noticed: restart.noticed,
                refuted: restart.refuted,
                unknown_before: restart.unknown_before,
            })
            .collect(),
        kill: container.kill.map(|kill| SavedKill {
            kind: kill.kind,
            at: kill.at,
        }),
        tallies: container.tallies.iter().map(save_tally).collect(),
        unclaimed: container.unclaimed,
    });
    let open = facts.open.iter().filter_map(|open| {
        let topic = match open.topic {
            Topic::Restart(index, cause) => SavedTopic::Restart(index.0, cause),
            Topic::Probe(index, kind) => SavedTopic::Probe(index.0, kind),
            Topic::Image(index) => SavedTopic::Image(index.0),
            Topic::NotReady => SavedTopic::NotReady,
        };
        Some((place(&open.id)?, topic))
    });
    SavedPod {
        namespace: facts.key.namespace.to_string(),
        name: facts.key.name.to_string(),
        uid: facts.uid.to_string(),
        was_ready: facts.was_ready,
        containers: containers.collect(),
        open: open.collect(),
    }
}

fn save_tally(tally: &Tally) -> SavedTally {
    SavedTally {
        event: tally.event.to_string(),
        kind: match tally.kind {
            TallyKind::Killing(kind) => SavedTallyKind::Killing(kind),
            TallyKind::Failing(kind) => SavedTallyKind::Failing(kind),
            TallyKind::BackOff => SavedTallyKind::BackOff,
        },
        first: tally.first,
        last: tally.last,
        ends: tally.ends,
        claimed: tally.claimed,
        settled: tally.settled,
    }
}

fn restore_tally(tally: SavedTally) -> Tally {
    Tally {
        event: Uid::of(&tally.event),
        kind: match tally.kind {
            SavedTallyKind::Killing(kind) => TallyKind::Killing(kind),
            SavedTallyKind::Failing(kind) => TallyKind::Failing(kind),
            SavedTallyKind::BackOff => TallyKind::BackOff,
        },
        first: tally.first,
        last: tally.last,
        ends: tally.ends,
        claimed: tally.claimed,
        settled: tally.settled,
    }
}

/// Restores the facts about a pod.
pub(super) fn restore(
    pod: SavedPod,
    id: &impl Fn(usize) -> Option<IncidentId>,
    now: Timestamp,
) -> PodFacts {
    let key = PodKey {
        namespace: pod.namespace.into(),
        name: pod.name.into(),
    };
    let mut facts = PodFacts::new(key, Uid::of(&pod.uid), now);
    facts.was_ready = pod.was_ready;
    let open = pod.open.into_iter().filter_map(|(place, topic)| {
        let topic = match topic {
            SavedTopic::Restart(c, cause) => Topic::Restart(ContainerIndex(c), cause),
            SavedTopic::Probe(c, kind) => Topic::Probe(ContainerIndex(c), kind),
            SavedTopic::Image(c) => Topic::Image(ContainerIndex(c)),
            SavedTopic::NotReady => Topic::NotReady,
        };
        Some(Open {
            id: id(place)?,
            topic,
        })
    });
    facts.open = open.collect();
    let containers = pod.containers.into_iter().map(|container| {
        let mut facts = ContainerFacts {
            name: container.name.into(),
            termination_count: container.termination_count,
            kill: container.kill.map(|kill| Kill {
                kind: kill.kind,
                at: kill.at,
            }),
            tallies: container.tallies.into_iter().map(restore_tally).collect(),
            unclaimed: container.unclaimed,
            ..ContainerFacts::default()
        };
        for restart in container.restarts {
            facts.add_restart(Restart {
                nth: restart.nth,
                ended: restart.ended,
                cause: restart.cause,
                certainty: restart.certainty,
                failing_since: restart.failing_since,
                decided: restart.decided,
                incident: restart.incident.and_then(id).unwrap_or(IncidentId::DROPPED),
                noticed: restart.noticed,
                refuted: restart.refuted,
                unknown_before: restart.unknown_before,
            });
        }
        facts
    });
    facts.containers = containers.collect();
    facts
}
