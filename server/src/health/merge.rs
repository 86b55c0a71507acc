//! Merging a snapshot of another process into the engine: of an earlier process of this server, from its state file or
//! the ConfigMap, or of another replica.
//!
//! An incident that both processes know stays one incident. If the snapshot's facts about a pod reach back further than
//! the engine's, the snapshot's facts replace them, and the pod's present state is applied on top. The result is what
//! the engine would have if this process had run since then. Otherwise the engine's facts stay.
//!
//! Snapshots are not trusted: [`super::sanitize`] bounds them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, IncidentKind};

use super::causes::more_certain;
use super::changes::Change;
use super::engine::Engine;
use super::facts::{ContainerFacts, PodFacts};
use super::incident_record::{Edit, GroupRole, IncidentId, KeyedEvidence, Record};
use super::incidents::Incidents;
use super::sanitize::sanitize;
use super::snapshot::{SavedIncident, SavedPod, Snapshot, SnapshotError};
use super::thresholds::RESTORE_TIMEOUT;
use crate::cluster::{Pod, Uid};

/// The reach of facts without a timestamp.
const NEVER: Timestamp = Timestamp(i64::MAX);

/// The result of merging a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MergeResult {
    /// Incidents that the engine did not have.
    pub added: usize,
    /// Incidents that the engine already had.
    pub known: usize,
    /// Incidents that are too old, that the engine has withdrawn, or that are invalid.
    pub left_out: usize,
}

/// The object, container and reason of an incident.
type Subject = ([String; 5], IncidentKind);

fn subject(incident: &Incident) -> Subject {
    let it = &incident.involved;
    let names = [&it.kind, &it.namespace, &it.name, &it.uid, &it.container];
    (names.map(String::clone), incident.reason)
}

/// The engine's incidents by subject, before the merge: two incidents of one snapshot are two, however similar.
type IncidentIndex = HashMap<Subject, Vec<IncidentId>>;

/// Which facts about a pod are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MergeChoice {
    /// The snapshot's: the engine has none.
    Add,
    /// The snapshot's, in place of the engine's.
    Replace,
    /// The engine's.
    Keep,
}

impl Engine {
    /// Merges a snapshot that was written at `written`.
    ///
    /// # Errors
    /// When the snapshot cannot be used; then nothing has changed.
    pub(super) fn merge(
        &mut self,
        snapshot: Snapshot,
        written: Timestamp,
        now: Timestamp,
    ) -> Result<MergeResult, SnapshotError> {
        snapshot.check()?;
        let written = written.min(now);
        let newer = written > self.as_of;
        let Snapshot {
            incidents,
            pods,
            nodes,
            announcements,
            ..
        } = snapshot;
        let choices = self.choices(&incidents, &pods, newer);
        let mut result = MergeResult::default();
        let ids = self.take_incidents(incidents, &choices, newer, &mut result, now);
        let id = |at: IncidentId| *ids.get(usize::try_from(at.0).ok()?)?;

        for pod in pods {
            let fits = self.pods.len() < self.limits.pods || self.pods.contains_key(&pod.uid);
            let stays = choices
                .get(&pod.uid)
                .is_none_or(|choice| *choice == MergeChoice::Keep);
            if !stays && fits {
                self.take_pod(pod, &id, now);
            }
        }
        for (name, at) in nodes {
            let has_incident = self.nodes.incident(&name).is_some();
            if let Some(id) = id(at).filter(|_| !has_incident) {
                self.restored_nodes.insert(name.clone(), id);
                let nodes = self.cluster.nodes();
                if let Some(node) = nodes.get(&*name) {
                    self.node(Some(node), Some(node), now);
                }
            }
        }
        if newer {
            self.settle_restored();
        }
        self.announcements.merge(announcements);
        self.restored_at.get_or_insert(now);
        self.as_of = self.as_of.max(written);
        self.end_unowned(ids.into_iter().flatten());
        Ok(result)
    }

    /// Which facts are used, by the UID of each pod in the snapshot.
    fn choices(
        &self,
        incidents: &[SavedIncident],
        pods: &[SavedPod],
        newer: bool,
    ) -> HashMap<Uid, MergeChoice> {
        let choice = |pod: &SavedPod| {
            let Some(facts) = self.pods.get(&pod.uid) else {
                return MergeChoice::Add;
            };
            let place = |id: IncidentId| usize::try_from(id.0).ok();
            let theirs = pod.open.iter();
            let theirs = theirs.filter_map(|(id, _)| incidents.get(place(*id)?));
            let theirs = theirs.map(|saved| saved.incident.began);
            let ours = facts.open.iter();
            let ours = ours.filter_map(|open| Some(self.incidents.get(open.id)?.began));
            let further = reach(&pod.containers, theirs) < reach(&facts.containers, ours);
            if further || (newer && facts.pod.is_none()) {
                MergeChoice::Replace
            } else {
                MergeChoice::Keep
            }
        };
        let pods = pods.iter().filter(|pod| pod.uid.is_some());
        pods.map(|pod| (pod.uid, choice(pod))).collect()
    }

    /// Merges the incidents. Returns the engine's ID of each, in the snapshot's order; none for one that is left out.
    fn take_incidents(
        &mut self,
        incidents: Vec<SavedIncident>,
        choices: &HashMap<Uid, MergeChoice>,
        newer: bool,
        result: &mut MergeResult,
        now: Timestamp,
    ) -> Vec<Option<IncidentId>> {
        let index = self.incident_index();
        let retention = self.incidents.retention();
        let mut ids = Vec::with_capacity(incidents.len());
        for incoming in incidents {
            let sane = sanitize(incoming, now).filter(|it| {
                let ended = it.incident.ended;
                ended.is_none_or(|ended| now.since(ended) <= retention)
                    && !self.incidents.is_withdrawn(&it.incident.metadata)
            });
            let Some(incoming) = sane else {
                result.left_out += 1;
                ids.push(None);
                continue;
            };
            let uid = Uid::of(&incoming.incident.involved.uid);
            let choice = choices.get(&uid).copied();
            ids.push(match self.same(&index, &incoming.incident, choice, newer) {
                Same::Is(id) => {
                    result.known += 1;
                    self.incidents
                        .edit(id, |edit| combine(edit, incoming, newer));
                    Some(id)
                }
                Same::IsPartOf => {
                    result.known += 1;
                    None
                }
                Same::No => {
                    result.added += 1;
                    Some(self.incidents.add(Record {
                        keys: incoming.keys,
                        incident: Arc::new(incoming.incident),
                        version: 0,
                        shared_detail: incoming.shared_detail,
                        role: GroupRole::Single,
                    }))
                }
            });
        }
        ids
    }

    fn incident_index(&self) -> IncidentIndex {
        let mut index = IncidentIndex::default();
        for (id, record) in self.incidents.records() {
            if matches!(record.role, GroupRole::Joint(_)) {
                continue;
            }
            let about = subject(&record.incident);
            index.entry(about).or_default().push(id);
        }
        index
    }

    /// Finds the engine's incident that is the same one: by name, or by object, container, reason and overlapping time.
    fn same(
        &self,
        index: &IncidentIndex,
        incident: &Incident,
        choice: Option<MergeChoice>,
        newer: bool,
    ) -> Same {
        if let Some(id) = self.incidents.named(&incident.metadata) {
            return Same::Is(id);
        }
        if choice == Some(MergeChoice::Replace) {
            // The engine's incidents of this pod are merged into it later.
            return Same::No;
        }
        let about = index.get(&subject(incident));
        let about = about.into_iter().flatten();
        let at_that_time: Vec<(IncidentId, &Arc<Incident>)> = about
            .filter_map(|id| Some((*id, self.incidents.get(*id)?)))
            .filter(|(_, other)| overlap(incident, other))
            .collect();
        let mut all = at_that_time.iter();
        match all.find(|(_, other)| other.cause == incident.cause) {
            Some((id, _)) => Same::Is(*id),
            // With another cause it is the same incident, judged by a process that knew less.
            None if choice.is_some() && !newer && !at_that_time.is_empty() => Same::IsPartOf,
            None => Same::No,
        }
    }

    /// Replaces the facts about a pod, and applies the pod's present state on top of them.
    fn take_pod(
        &mut self,
        pod: SavedPod,
        id: &impl Fn(IncidentId) -> Option<IncidentId>,
        now: Timestamp,
    ) {
        let mut facts = pod.restore(id, now);
        let uid = facts.uid;
        // The engine knows that these have ended.
        facts.open.retain(|open| goes_on(&self.incidents, open.id));
        self.incidents
            .changes
            .record(Change::Pod(facts.key.clone()));
        let theirs: HashSet<IncidentId> = of_facts(&facts).collect();
        let before = self.take_out(uid);
        let mut replaced = Vec::new();
        let applied = before.and_then(|before| {
            let open = before.open.iter().map(|open| open.id);
            let own = open.filter(|id| !theirs.contains(id));
            replaced.extend(own.filter_map(|id| self.incidents.remove(id)));
            let closed = of_facts(&before).filter(|id| !theirs.contains(id));
            replaced.extend(self.take_closed(closed, &theirs));
            facts.events = before.events;
            facts.was_ready |= before.was_ready;
            let pod = before.pod?;
            facts.containers = before
                .containers
                .into_iter()
                .map(|now| go_on(&facts.containers, now))
                .collect();
            facts.pod = Some(Arc::clone(&pod));
            Some(pod)
        });
        let key = facts.key.clone();
        self.restore(facts, now.plus_nanos(RESTORE_TIMEOUT));
        let was_applied = applied.is_some();
        let is_it = |pod: &Arc<Pod>| pod.uid == uid;
        let present = self.cluster.pods().get(&key).cloned().filter(is_it);
        if let Some(pod) = applied.or(present) {
            self.with(uid, now, |facts, context| {
                facts.apply_pod(was_applied.then_some(&*pod), &pod, context);
            });
        }
        for record in replaced {
            self.absorb(record);
        }
    }

    /// Removes those of these ended incidents that one of `theirs` covers. Returns them.
    fn take_closed(
        &mut self,
        closed: impl Iterator<Item = IncidentId>,
        theirs: &HashSet<IncidentId>,
    ) -> Vec<Record> {
        let is_covered = |incident: &Incident| {
            let mut theirs = theirs.iter().filter_map(|id| self.incidents.get(*id));
            theirs.any(|other| is_same(other, incident))
        };
        let both: HashSet<IncidentId> = closed
            .filter(|id| self.incidents.get(*id).is_some_and(|it| is_covered(it)))
            .collect();
        both.into_iter()
            .filter_map(|id| self.incidents.remove(id))
            .collect()
    }

    /// Merges an incident that was removed into the one that covers it.
    fn absorb(&mut self, record: Record) {
        let is_it = |it: &Record| is_same(&it.incident, &record.incident);
        let into = self.incidents.records().find(|(_, it)| is_it(it));
        if let Some(id) = into.map(|(id, _)| id) {
            let own = SavedIncident::from(&record);
            self.incidents.edit(id, |edit| combine(edit, own, false));
        }
    }

    /// Closes, for pods that the watch has not reported yet, what the newer snapshot says has ended.
    fn settle_restored(&mut self) {
        let incidents = &self.incidents;
        let silent = self.pods.values_mut().filter(|it| it.pod.is_none());
        for facts in silent {
            facts.open.retain(|open| goes_on(incidents, open.id));
        }
    }

    /// Ends those of these incidents that no pod and no node has open: nothing would ever end them.
    fn end_unowned(&mut self, ids: impl Iterator<Item = IncidentId>) {
        let of_pods = self.pods.values().flat_map(|facts| &facts.open);
        let of_pods = of_pods.map(|open| open.id);
        let of_nodes = self.nodes.open().map(|(_, id)| id);
        let restored = self.restored_nodes.values().copied();
        let owned: HashSet<IncidentId> = of_pods.chain(of_nodes).chain(restored).collect();
        for id in ids.filter(|id| !owned.contains(id)) {
            if let Some(incident) = self.incidents.get(id) {
                let last_seen = incident.last_seen;
                self.incidents.end(id, last_seen);
            }
        }
    }
}

/// Whether an incident is stored and has not ended.
fn goes_on(incidents: &Incidents, id: IncidentId) -> bool {
    let incident = incidents.get(id);
    incident.is_some_and(|incident| incident.ended.is_none())
}

/// Whether an incident of a snapshot is one of the engine's.
enum Same {
    /// It is this one.
    Is(IncidentId),
    /// The engine describes it as another incident.
    IsPartOf,
    /// It is not.
    No,
}

/// The earliest time in the facts about a pod: the first termination, or the start of the first open incident.
fn reach(containers: &[ContainerFacts], began: impl Iterator<Item = Timestamp>) -> Timestamp {
    let restarts = containers.iter().flat_map(|it| &it.restarts);
    let finished = restarts.filter_map(|restart| restart.ended.finished);
    finished.chain(began).min().unwrap_or(NEVER)
}

/// The incidents that a pod's facts refer to.
fn of_facts(facts: &PodFacts) -> impl Iterator<Item = IncidentId> {
    let restarts = facts.containers.iter().flat_map(|it| &it.restarts);
    let open = facts.open.iter().map(|open| open.id);
    open.chain(restarts.map(|restart| restart.incident))
}

/// A container's present facts, with the restarts and the counts of terminations from the earlier facts.
fn go_on(before: &[ContainerFacts], now: ContainerFacts) -> ContainerFacts {
    let Some(before) = before.iter().find(|before| before.name == now.name) else {
        return now;
    };
    let mut facts = ContainerFacts {
        termination_count: before.termination_count,
        restarts: before.restarts.clone(),
        kill: now.kill.or(before.kill),
        ended_readiness: None,
        tallies: before.tallies.clone(),
        unclaimed: before.unclaimed,
        ..now
    };
    for tally in now.tallies {
        facts.add_tally(tally);
    }
    facts
}

/// Whether two incidents are about the same subject at the same time.
fn is_same(one: &Incident, other: &Incident) -> bool {
    subject(one) == subject(other) && overlap(one, other)
}

/// Whether the times of two incidents overlap.
fn overlap(one: &Incident, other: &Incident) -> bool {
    let until = |incident: &Incident| incident.ended.unwrap_or(Timestamp(i64::MAX));
    one.began <= until(other) && other.began <= until(one)
}

/// Merges another process's version of an incident. Count and last-seen take the larger; if the other version is
/// `newer`, it decides whether the incident has ended.
fn combine(edit: &mut Edit<'_>, incoming: SavedIncident, newer: bool) {
    let SavedIncident { incident, keys, .. } = incoming;
    let existing = &mut *edit.incident;
    let more = incident.count > existing.count;
    if newer {
        existing.reason = incident.reason;
        existing.cause = incident.cause;
        existing.certainty = incident.certainty;
        existing.ended = incident.ended;
    } else if existing.cause == incident.cause {
        existing.certainty = more_certain(existing.certainty, incident.certainty);
    }
    if newer || (more && existing.cause == incident.cause) {
        existing.message = incident.message;
        existing.last_ended = incident.last_ended;
    }
    existing.count = existing.count.max(incident.count);
    edit.began(incident.began);
    edit.seen(incident.last_seen);
    for (key, evidence) in keys.into_iter().zip(incident.evidence) {
        if newer || !edit.has(key) {
            edit.add_evidence(KeyedEvidence { key, evidence });
        }
    }
}
