//! What is known, in a form that outlives the process. After it has been taken in again, what was told is not told anew:
//! each pod's ends are counted on from where they were, and what went on goes on.
//!
//! Not in it: the kubelets' counters, which are looked at anew within a minute; failures in a row, which events and
//! counters tell again; and earlier versions of pods.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, Ended, Incident, ProbeKind};
use serde::{Deserialize, Serialize};

use super::engine::{Engine, RETURN};
use super::facts::{ContainerFacts, Kill, Open, PodFacts, Restart};
use super::incidents::{ClueKey, IncidentId, Part, Record};
use super::tally::{Tally, Tells};
use super::topic::Topic;
use crate::cluster::{PodKey, Uid};

/// The form that is written, and the only one that is read.
const FORM: u32 = 1;

/// What is known of health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    form: u32,
    incidents: Vec<KeptIncident>,
    pods: Vec<KeptPod>,
    /// Nodes that are not ready, each with the place of its incident.
    nodes: Vec<(String, usize)>,
}

/// Why a snapshot is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It was written by another version of this program.
    #[error("it is of form {0}, and only form {FORM} can be read")]
    Form(u32),
    /// Something in it refers to an incident that is not in it.
    #[error("it is not whole: it speaks of an incident that is not in it")]
    Broken,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptIncident {
    incident: Incident,
    keys: Vec<u64>,
    #[serde(default)]
    alike: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptPod {
    namespace: String,
    name: String,
    uid: String,
    was_ready: bool,
    containers: Vec<KeptContainer>,
    open: Vec<(usize, KeptTopic)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptContainer {
    name: String,
    deaths: u32,
    restarts: Vec<KeptRestart>,
    kill: Option<KeptKill>,
    #[serde(default)]
    tallies: Vec<KeptTally>,
    #[serde(default)]
    unclaimed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptRestart {
    nth: u32,
    ended: Ended,
    cause: Cause,
    certainty: Certainty,
    failing: Option<Timestamp>,
    decided: bool,
    /// None if its incident is forgotten.
    incident: Option<usize>,
    noticed: Timestamp,
    #[serde(default)]
    refuted: bool,
    #[serde(default)]
    silent: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KeptTally {
    event: String,
    tells: KeptTells,
    first: Timestamp,
    last: Timestamp,
    ends: u32,
    claimed: u32,
    settled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum KeptTells {
    Killing(ProbeKind),
    Failing(ProbeKind),
    BackOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct KeptKill {
    kind: ProbeKind,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum KeptTopic {
    Restart(usize, Cause),
    Probe(usize, ProbeKind),
    Image(usize),
    NotReady,
}

impl Engine {
    /// What is known now.
    pub(super) fn export(&self) -> Snapshot {
        let mut places = HashMap::new();
        let mut incidents = Vec::new();
        for (id, record) in self.incidents.records() {
            // What is told of several is made of them anew.
            if matches!(record.part, Part::Whole(_)) {
                continue;
            }
            places.insert(id, incidents.len());
            incidents.push(KeptIncident {
                incident: (*record.incident).clone(),
                keys: record.keys.iter().map(|key| key.0).collect(),
                alike: record.alike.as_deref().map(str::to_owned),
            });
        }
        let place = |id: &IncidentId| places.get(id).copied();
        let pods = self.pods.values().filter(|facts| facts.gone.is_none());
        Snapshot {
            form: FORM,
            pods: pods
                .filter(|facts| !facts.uid.to_string().is_empty())
                .map(|facts| keep(facts, &place))
                .collect(),
            nodes: self
                .nodes
                .open()
                .filter_map(|(name, id)| Some((name.to_string(), place(&id)?)))
                .collect(),
            incidents,
        }
    }

    /// Takes in what was known when it was written; to be called before anything else is told.
    ///
    /// # Errors
    /// When it is of no use; then nothing is taken in.
    pub(super) fn import(
        &mut self,
        snapshot: Snapshot,
        now: Timestamp,
    ) -> Result<(), SnapshotError> {
        snapshot.check()?;
        let mut ids = Vec::new();
        let mut names = HashSet::new();
        for kept in snapshot.incidents {
            let KeptIncident {
                incident,
                keys,
                alike,
            } = kept;
            let meta = &incident.metadata;
            // Of two of one name there would be one to the API: the first.
            if !names.insert((meta.namespace.clone(), meta.name.clone())) {
                ids.push(None);
                continue;
            }
            let evidence = incident.evidence.len();
            let mut keys: Vec<ClueKey> = keys.into_iter().map(ClueKey).collect();
            keys.resize(evidence, ClueKey(0));
            ids.push(Some(self.incidents.add(Record {
                incident: Arc::new(incident),
                keys,
                version: 0,
                alike: alike.map(String::into),
                part: Part::Alone,
            })));
        }
        let id = |place: usize| ids.get(place).copied().flatten();
        let mut owned = HashSet::new();
        for pod in snapshot.pods.into_iter().take(self.limits.pods) {
            let facts = restore(pod, &id, now);
            owned.extend(facts.open.iter().map(|open| open.id));
            self.restore(facts, now.plus_nanos(RETURN));
        }
        for (name, place) in snapshot.nodes {
            if let Some(id) = id(place) {
                owned.insert(id);
                self.restored_nodes.insert(name, id);
            }
        }
        self.restored_at = Some(now);
        // What goes on for nobody would go on for ever.
        let open = self.incidents.records();
        let open = open.filter(|(id, record)| {
            let is_whole = matches!(record.part, Part::Whole(_));
            record.incident.ended.is_none() && !is_whole && !owned.contains(id)
        });
        let lost: Vec<_> = open
            .map(|(id, record)| (id, record.incident.last_seen))
            .collect();
        for (id, last_seen) in lost {
            self.incidents.end(id, last_seen);
        }
        Ok(())
    }
}

impl Snapshot {
    /// How many incidents it holds.
    pub fn incidents(&self) -> usize {
        self.incidents.len()
    }

    fn check(&self) -> Result<(), SnapshotError> {
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

fn keep(facts: &PodFacts, place: &impl Fn(&IncidentId) -> Option<usize>) -> KeptPod {
    let containers = facts.containers.iter().map(|container| KeptContainer {
        name: container.name.to_string(),
        deaths: container.deaths,
        restarts: container
            .restarts
            .iter()
            .map(|restart| KeptRestart {
                nth: restart.nth,
                ended: restart.ended.clone(),
                cause: restart.cause,
                certainty: restart.certainty,
                failing: restart.failing,
                decided: restart.decided,
                incident: place(&restart.incident),
                noticed: restart.noticed,
                refuted: restart.refuted,
                silent: restart.silent,
            })
            .collect(),
        kill: container.kill.map(|kill| KeptKill {
            kind: kill.kind,
            at: kill.at,
        }),
        tallies: container.tallies.iter().map(keep_tally).collect(),
        unclaimed: container.unclaimed,
    });
    let open = facts.open.iter().filter_map(|open| {
        let topic = match open.topic {
            Topic::Restart(c, cause) => KeptTopic::Restart(c, cause),
            Topic::Probe(c, kind) => KeptTopic::Probe(c, kind),
            Topic::Image(c) => KeptTopic::Image(c),
            Topic::NotReady => KeptTopic::NotReady,
        };
        Some((place(&open.id)?, topic))
    });
    KeptPod {
        namespace: facts.key.namespace.to_string(),
        name: facts.key.name.to_string(),
        uid: facts.uid.to_string(),
        was_ready: facts.was_ready,
        containers: containers.collect(),
        open: open.collect(),
    }
}

fn keep_tally(tally: &Tally) -> KeptTally {
    KeptTally {
        event: tally.event.to_string(),
        tells: match tally.tells {
            Tells::Killing(kind) => KeptTells::Killing(kind),
            Tells::Failing(kind) => KeptTells::Failing(kind),
            Tells::BackOff => KeptTells::BackOff,
        },
        first: tally.first,
        last: tally.last,
        ends: tally.ends,
        claimed: tally.claimed,
        settled: tally.settled,
    }
}

fn restore_tally(tally: KeptTally) -> Tally {
    Tally {
        event: Uid::of(&tally.event),
        tells: match tally.tells {
            KeptTells::Killing(kind) => Tells::Killing(kind),
            KeptTells::Failing(kind) => Tells::Failing(kind),
            KeptTells::BackOff => Tells::BackOff,
        },
        first: tally.first,
        last: tally.last,
        ends: tally.ends,
        claimed: tally.claimed,
        settled: tally.settled,
    }
}

fn restore(pod: KeptPod, id: &impl Fn(usize) -> Option<IncidentId>, now: Timestamp) -> PodFacts {
    let key = PodKey {
        namespace: pod.namespace.into(),
        name: pod.name.into(),
    };
    let mut facts = PodFacts::new(key, Uid::of(&pod.uid), now);
    facts.was_ready = pod.was_ready;
    let open = pod.open.into_iter().filter_map(|(place, topic)| {
        let topic = match topic {
            KeptTopic::Restart(c, cause) => Topic::Restart(c, cause),
            KeptTopic::Probe(c, kind) => Topic::Probe(c, kind),
            KeptTopic::Image(c) => Topic::Image(c),
            KeptTopic::NotReady => Topic::NotReady,
        };
        Some(Open {
            id: id(place)?,
            topic,
        })
    });
    facts.open = open.collect();
    let containers = pod.containers.into_iter().map(|container| {
        let mut known = ContainerFacts {
            name: container.name.into(),
            deaths: container.deaths,
            kill: container.kill.map(|kill| Kill {
                kind: kill.kind,
                at: kill.at,
            }),
            tallies: container.tallies.into_iter().map(restore_tally).collect(),
            unclaimed: container.unclaimed,
            ..ContainerFacts::default()
        };
        for restart in container.restarts {
            known.remember(Restart {
                nth: restart.nth,
                ended: restart.ended,
                cause: restart.cause,
                certainty: restart.certainty,
                failing: restart.failing,
                decided: restart.decided,
                incident: restart
                    .incident
                    .and_then(id)
                    .unwrap_or(IncidentId::FORGOTTEN),
                noticed: restart.noticed,
                refuted: restart.refuted,
                silent: restart.silent,
            });
        }
        known
    });
    facts.containers = containers.collect();
    facts
}
