//! The incidents that are remembered: opened, changed, ended, and in the end forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    API_VERSION, Cause, Certainty, Evidence, Incident, IncidentKind, Involved, Meta, Source,
};

use super::Limits;
use super::changes::{Change, Changes};
use super::groups::{GroupId, Groups, Key};
use crate::cluster::Uid;

/// An incident, for as long as it is remembered. In the order in which they were opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct IncidentId(u64);

impl IncidentId {
    /// Of one that is not remembered.
    pub(super) const DROPPED: Self = Self(u64::MAX);
}

/// Of very many pieces of evidence the first and the last so many are kept.
pub(super) const FIRST: usize = 8;
pub(super) const LAST: usize = 16;

/// Pieces of evidence of one incident, at most.
pub(super) const EVIDENCE: usize = FIRST + LAST;

/// The longest text of a piece of evidence: a message may be longer than anybody wants to read two dozen times.
pub(super) const LONGEST: usize = 400;

/// Names of withdrawn incidents that are remembered: another process may still have them.
const WITHDRAWN: usize = 256;

/// What makes a piece of evidence the same one when it is told again: the event's UID, or the end it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EvidenceKey(pub(super) u64);

impl EvidenceKey {
    pub(super) fn of(what: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// A piece of evidence that is to be added.
#[derive(Debug, Clone)]
pub(super) struct KeyedEvidence {
    pub(super) key: EvidenceKey,
    pub(super) evidence: Evidence,
}

impl KeyedEvidence {
    pub(super) fn new(key: EvidenceKey, time: Timestamp, source: Source, mut text: String) -> Self {
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST - '…'.len_utf8()));
            text.push('…');
        }
        let evidence = Evidence { time, source, text };
        Self { key, evidence }
    }
}

/// What a new incident begins with.
#[derive(Debug)]
pub(super) struct NewIncident {
    pub(super) reason: IncidentKind,
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) involved: Involved,
    pub(super) labels: Labels,
    pub(super) began: Timestamp,
    /// What else incidents of the same cause have in common, where one cause may befall several pods.
    pub(super) alike: Option<Box<str>>,
}

/// An incident, and what is known of it besides what is told.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) incident: Arc<Incident>,
    /// Of each piece of its evidence.
    pub(super) keys: Vec<EvidenceKey>,
    pub(super) version: u64,
    /// What else incidents of the same cause have in common, where one cause may befall several pods.
    pub(super) alike: Option<Box<str>>,
    /// Whether and how it is told.
    pub(super) role: GroupRole,
}

/// Whether an incident is told by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum GroupRole {
    /// It is.
    #[default]
    Single,
    /// It is told as part of this one.
    Member(IncidentId),
    /// It is what is told of others.
    Joint(GroupId),
}

/// What is changed of an incident.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    pub(super) incident: &'a mut Incident,
    keys: &'a mut Vec<EvidenceKey>,
}

impl Edit<'_> {
    /// Adds evidence in its place in time, or says anew what was said before.
    pub(super) fn add_evidence(&mut self, clue: KeyedEvidence) {
        self.seen(clue.evidence.time);
        let evidence = &mut self.incident.evidence;
        if let Some(at) = self.keys.iter().position(|key| *key == clue.key) {
            if evidence.get(at) == Some(&clue.evidence) {
                return;
            }
            evidence.remove(at);
            self.keys.remove(at);
        }
        let at = evidence.partition_point(|known| known.time <= clue.evidence.time);
        evidence.insert(at, clue.evidence);
        self.keys.insert(at, clue.key);
        if evidence.len() > EVIDENCE {
            evidence.remove(FIRST);
            self.keys.remove(FIRST);
        }
    }

    /// Whether there is evidence with this key.
    pub(super) fn has(&self, key: EvidenceKey) -> bool {
        self.keys.contains(&key)
    }

    /// Takes out the evidence with one of these keys.
    pub(super) fn take(&mut self, keys: &[EvidenceKey]) -> Vec<KeyedEvidence> {
        let mut taken = Vec::new();
        for key in keys {
            if let Some(at) = self.keys.iter().position(|known| known == key) {
                self.keys.remove(at);
                let evidence = self.incident.evidence.remove(at);
                taken.push(KeyedEvidence {
                    key: *key,
                    evidence,
                });
            }
        }
        taken
    }

    /// It was seen then.
    pub(super) fn seen(&mut self, at: Timestamp) {
        self.incident.last_seen = self.incident.last_seen.max(at);
    }

    /// It began no later than then.
    pub(super) fn began(&mut self, at: Timestamp) {
        if at < self.incident.began {
            self.incident.began = at;
            self.incident.metadata.creation_timestamp = Some(at);
        }
    }
}

/// The incidents.
#[derive(Debug)]
pub(super) struct Incidents {
    records: BTreeMap<IncidentId, Record>,
    names: HashSet<(String, String)>,
    /// Those that tell that a pod failed, by the pod's UID.
    failures: HashMap<String, IncidentId>,
    groups: Groups,
    withdrawn: VecDeque<(String, String)>,
    next: u64,
    limits: Limits,
    pub(super) changes: Changes,
    /// Forgotten because there were too many.
    pub(super) dropped: u64,
}

impl Incidents {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            records: BTreeMap::new(),
            names: HashSet::new(),
            failures: HashMap::new(),
            groups: Groups::default(),
            withdrawn: VecDeque::new(),
            next: 0,
            limits,
            changes: Changes::default(),
            dropped: 0,
        }
    }

    /// Opens an incident.
    pub(super) fn open(&mut self, new: NewIncident) -> IncidentId {
        let namespace = match &*new.involved.namespace {
            "" => "default",
            namespace => namespace,
        };
        let identity = (&new.involved.uid, &new.involved.container, new.reason);
        let name = self.name(namespace, &new.involved.name, (identity, new.began));
        let uid = new.involved.uid.clone();
        let incident = Incident {
            type_kind: "Incident".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: meta(namespace, name, uid, new.began, new.labels),
            reason: new.reason,
            cause: new.cause,
            certainty: new.certainty,
            involved: new.involved,
            began: new.began,
            last_seen: new.began,
            ..Incident::default()
        };
        self.add(Record {
            incident: Arc::new(incident),
            keys: Vec::new(),
            version: 0,
            alike: new.alike,
            role: GroupRole::Single,
        })
    }

    /// Adds one as it is; its version is told anew.
    pub(super) fn add(&mut self, mut record: Record) -> IncidentId {
        let id = IncidentId(self.next);
        self.next += 1;
        let meta = &record.incident.metadata;
        let name = (meta.namespace.clone(), meta.name.clone());
        self.withdrawn.retain(|other| *other != name);
        self.names.insert(name);
        record.version = self.changes.note(Change::incident(meta, false));
        if let Some(pod) = failed_pod(&record.incident) {
            self.failures.insert(pod.to_owned(), id);
        }
        self.records.insert(id, record);
        self.regroup(id);
        self.bound();
        id
    }

    /// Changes an incident; whether it is another than before. One that is not remembered is not changed.
    pub(super) fn edit(&mut self, id: IncidentId, change: impl FnOnce(&mut Edit<'_>)) -> bool {
        let Some(record) = self.records.get_mut(&id) else {
            return false;
        };
        let (mut incident, mut keys) = ((*record.incident).clone(), record.keys.clone());
        change(&mut Edit {
            incident: &mut incident,
            keys: &mut keys,
        });
        if incident == *record.incident {
            return false;
        }
        if !matches!(record.role, GroupRole::Member(_)) {
            let change = Change::incident(&incident.metadata, false);
            record.version = self.changes.note(change);
        }
        record.incident = Arc::new(incident);
        record.keys = keys;
        self.regroup(id);
        true
    }

    /// Ends an incident, unless it is over already. It cannot have ended before it began.
    pub(super) fn end(&mut self, id: IncidentId, at: Timestamp) {
        self.edit(id, |edit| {
            let began = edit.incident.began;
            edit.incident.ended.get_or_insert(at.max(began));
        });
    }

    /// Takes an incident back: it was another one's.
    pub(super) fn remove(&mut self, id: IncidentId) -> Option<Record> {
        let group = self.groups.leave(id);
        let record = self.take(id);
        if let Some(record) = &record {
            let meta = &record.incident.metadata;
            if self.withdrawn.len() >= WITHDRAWN {
                self.withdrawn.pop_front();
            }
            self.withdrawn
                .push_back((meta.namespace.clone(), meta.name.clone()));
        }
        if let Some(group) = group {
            self.tell(group);
        }
        record
    }

    /// Whether an incident of this name was withdrawn.
    pub(super) fn is_withdrawn(&self, namespace: &str, name: &str) -> bool {
        let mut names = self.withdrawn.iter();
        names.any(|(in_namespace, known)| in_namespace == namespace && known == name)
    }

    fn take(&mut self, id: IncidentId) -> Option<Record> {
        let record = self.records.remove(&id)?;
        let meta = &record.incident.metadata;
        self.names
            .remove(&(meta.namespace.clone(), meta.name.clone()));
        if let Some(pod) = failed_pod(&record.incident)
            && self.failures.get(pod) == Some(&id)
        {
            self.failures.remove(pod);
        }
        if !matches!(record.role, GroupRole::Member(_)) {
            self.changes.note(Change::incident(meta, true));
        }
        Some(record)
    }

    /// Forgets an incident that is told, and with it those that it is made of.
    fn forget(&mut self, id: IncidentId) {
        let Some(record) = self.take(id) else { return };
        if let GroupRole::Joint(group) = record.role {
            let dropped = self.groups.drop(group);
            for member in dropped.into_iter().flat_map(|group| group.members) {
                self.take(member);
            }
        } else if let Some(group) = self.groups.leave(id) {
            self.tell(group);
        }
    }

    pub(super) fn get(&self, id: IncidentId) -> Option<&Arc<Incident>> {
        self.records.get(&id).map(|record| &record.incident)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (IncidentId, &Record)> {
        self.records.iter().map(|(id, record)| (*id, record))
    }

    /// What is told: incidents, and of those that are of one cause what they are together.
    pub(super) fn visible(&self) -> impl Iterator<Item = (IncidentId, &Record)> {
        self.records()
            .filter(|(_, record)| !matches!(record.role, GroupRole::Member(_)))
    }

    /// The incident that is told for one: itself, or what it is part of.
    pub(super) fn visible_for(&self, id: IncidentId) -> Option<&Arc<Incident>> {
        match self.records.get(&id)?.role {
            GroupRole::Member(whole) => self.get(whole),
            GroupRole::Single | GroupRole::Joint(_) => self.get(id),
        }
    }

    /// The incident that tells that a pod failed.
    pub(super) fn failure_of(&self, pod: Uid) -> Option<IncidentId> {
        self.failures.get(&pod.to_string()).copied()
    }

    /// Whether it has been told that a pod failed: that happens once.
    pub(super) fn has_failure(&self, pod: Uid) -> bool {
        self.failure_of(pod).is_some()
    }

    /// For how many nanoseconds what is over is remembered.
    pub(super) fn kept(&self) -> i64 {
        i64::try_from(self.limits.age.as_nanos()).unwrap_or(i64::MAX)
    }

    /// Forgets what was over for longer than incidents are remembered.
    pub(super) fn age(&mut self, now: Timestamp) {
        let kept = self.kept();
        let old = |record: &Record| {
            let ended = record.incident.ended;
            ended.is_some_and(|ended| now.since(ended) > kept)
        };
        let old = self.visible().filter(|(_, record)| old(record));
        let old: Vec<IncidentId> = old.map(|(id, _)| id).collect();
        for id in old {
            self.forget(id);
        }
    }

    /// Of too many, forgets the oldest that are over, then parts of what many are parts of, and then the oldest.
    fn bound(&mut self) {
        while self.records.len() > self.limits.incidents {
            let over = self
                .visible()
                .find(|(_, record)| record.incident.ended.is_some());
            let over = over.map(|(id, _)| id);
            if let Some((group, part)) = self.groups.spare().filter(|_| over.is_none()) {
                self.groups.leave(part);
                let record = self.take(part);
                if let Some((group, record)) = self.groups.get_mut(group).zip(record) {
                    group.forget(&record);
                }
                self.tell(group);
                continue;
            }
            let Some(id) = over.or_else(|| self.visible().next().map(|(id, _)| id)) else {
                return;
            };
            self.dropped += 1;
            self.forget(id);
        }
    }

    /// Puts an incident with those of the same cause, as what it is now, and tells them anew.
    fn regroup(&mut self, id: IncidentId) {
        let Some(record) = self.records.get(&id) else {
            return;
        };
        if matches!(record.role, GroupRole::Joint(_)) {
            return;
        }
        let key = Key::of(record);
        let known = self.groups.group_of(id, key.as_ref());
        if let Some((group, true)) = known {
            if !self.groups.put_off(group) {
                self.tell(group);
            }
            return;
        }
        let near = key
            .as_ref()
            .map(|key| self.groups.near(key, record, &self.records));
        if let Some(left) = self.groups.leave(id) {
            self.tell(left);
            self.alone(id);
        }
        let (Some(key), Some(mut near)) = (key, near) else {
            return;
        };
        let group = near.pop().unwrap_or_else(|| self.groups.add(&key));
        self.groups.enter(id, group);
        for other in near {
            // It was between the two.
            let Some(dropped) = self.groups.drop(other) else {
                continue;
            };
            if let Some(told) = dropped.told {
                self.take(told);
            }
            for member in dropped.members {
                self.groups.enter(member, group);
            }
        }
        match self.groups.get(group).and_then(|group| group.told) {
            Some(whole) if self.groups.put_off(group) => self.hide(&BTreeSet::from([id]), whole),
            _ => self.tell(group),
        }
    }

    /// Tells of large groups what has changed of them.
    pub(super) fn flush(&mut self) {
        for group in self.groups.take_put_off() {
            self.tell(group);
        }
    }

    /// Whether [`Self::flush`] has something to do.
    pub(super) fn is_behind(&self) -> bool {
        self.groups.is_behind()
    }

    /// Tells what the incidents of a group are together, instead of each of them; or each, if they are of one pod.
    fn tell(&mut self, id: GroupId) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let (told, members) = (group.told, group.members.clone());
        let Some(mut incident) = group.incident(&self.records) else {
            if members.is_empty() {
                self.groups.drop(id);
            } else if let Some(group) = self.groups.get_mut(id) {
                group.told = None;
            }
            if let Some(told) = told {
                self.take(told);
            }
            for member in members {
                self.alone(member);
            }
            return;
        };
        incident.type_kind = "Incident".to_owned();
        incident.api_version = API_VERSION.to_owned();
        if let Some(record) = told.and_then(|told| self.records.get_mut(&told)) {
            incident.metadata = record.incident.metadata.clone();
            incident.metadata.creation_timestamp = Some(incident.began);
            if incident != *record.incident {
                let change = Change::incident(&incident.metadata, false);
                record.version = self.changes.note(change);
                record.incident = Arc::new(incident);
            }
            let whole = told.unwrap_or(IncidentId::DROPPED);
            return self.hide(&members, whole);
        }
        let namespace = incident.involved.namespace.clone();
        let identity = (group.identity(), incident.began);
        let name = self.name(&namespace, &incident.involved.name, identity);
        let labels = Labels::default();
        incident.metadata = meta(&namespace, name, String::new(), incident.began, labels);
        let whole = self.add(Record {
            incident: Arc::new(incident),
            keys: Vec::new(),
            version: 0,
            alike: None,
            role: GroupRole::Joint(id),
        });
        if let Some(group) = self.groups.get_mut(id) {
            group.told = Some(whole);
        }
        self.hide(&members, whole);
    }

    /// Tells incidents as parts of another.
    fn hide(&mut self, members: &BTreeSet<IncidentId>, whole: IncidentId) {
        for member in members {
            let Some(record) = self.records.get_mut(member) else {
                continue;
            };
            if record.role != GroupRole::Member(whole) {
                if record.role == GroupRole::Single {
                    let change = Change::incident(&record.incident.metadata, true);
                    self.changes.note(change);
                }
                record.role = GroupRole::Member(whole);
                self.changes.note(Change::pod(&record.incident.involved));
            }
        }
    }

    /// Tells an incident by itself.
    fn alone(&mut self, id: IncidentId) {
        if let Some(record) = self.records.get_mut(&id)
            && record.role != GroupRole::Single
        {
            record.role = GroupRole::Single;
            let change = Change::incident(&record.incident.metadata, false);
            record.version = self.changes.note(change);
            self.changes.note(Change::pod(&record.incident.involved));
        }
    }

    /// The name of the pod, node or workload, and something short that tells this incident from its others. The same
    /// incident has the same name at every replica that saw it begin alike.
    fn name(&self, namespace: &str, of: &str, identity: impl Hash) -> String {
        let mut salt = 0_u32;
        loop {
            let digits = EvidenceKey::of((&identity, salt)).0 >> 24;
            let mut name = of.to_owned();
            // With its dash and its digits the name has to be one: at most 253 characters.
            name.truncate(name.floor_char_boundary(240));
            let name = format!("{name}-{digits:010x}");
            if !self.names.contains(&(namespace.to_owned(), name.clone())) {
                return name;
            }
            salt += 1;
        }
    }
}

/// The UID of the pod that failed, if that is what an incident tells.
fn failed_pod(incident: &Incident) -> Option<&str> {
    let failed = matches!(
        incident.reason,
        IncidentKind::Eviction | IncidentKind::PodFailed
    );
    let uid = &*incident.involved.uid;
    (failed && !uid.is_empty()).then_some(uid)
}

fn meta(namespace: &str, name: String, uid: String, began: Timestamp, labels: Labels) -> Meta {
    Meta {
        name,
        namespace: namespace.to_owned(),
        uid,
        creation_timestamp: Some(began),
        labels,
        ..Meta::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn new(name: &str, began: i64) -> NewIncident {
        NewIncident {
            reason: IncidentKind::Restart,
            cause: Cause::Exited,
            certainty: Certainty::Direct,
            involved: Involved {
                kind: "Pod".to_owned(),
                namespace: "shop".to_owned(),
                name: name.to_owned(),
                uid: name.to_owned(),
                ..Involved::default()
            },
            labels: Labels::default(),
            began: Timestamp::from_secs(began),
            alike: None,
        }
    }

    fn incidents(most: usize) -> Incidents {
        Incidents::new(Limits {
            incidents: most,
            age: Duration::from_secs(3600),
            ..Limits::default()
        })
    }

    fn clue(key: u64, at: i64, text: &str) -> KeyedEvidence {
        let at = Timestamp::from_secs(at);
        KeyedEvidence::new(EvidenceKey(key), at, Source::Event, text.to_owned())
    }

    #[test]
    fn names_are_stable_and_unique() {
        let mut incidents = incidents(10);
        let first = incidents.open(new("web-1", 5));
        let second = incidents.open(new("web-1", 5));
        let name = |incidents: &Incidents, id| incidents.get(id).unwrap().metadata.name.clone();
        assert!(name(&incidents, first).starts_with("web-1-"));
        assert_ne!(name(&incidents, first), name(&incidents, second));
        let mut others = self::incidents(10);
        let other = others.open(new("web-1", 5));
        assert_eq!(name(&others, other), name(&incidents, first));
        let long = others.open(new(&"x".repeat(253), 5));
        assert_eq!(name(&others, long).len(), 251);
    }

    #[test]
    fn evidence_is_in_the_order_of_time_and_said_once() {
        let mut incidents = incidents(10);
        let id = incidents.open(new("web-1", 5));
        incidents.edit(id, |edit| {
            edit.add_evidence(clue(1, 9, "late"));
            edit.add_evidence(clue(2, 7, "once"));
            edit.add_evidence(clue(2, 8, "twice"));
        });
        let incident = incidents.get(id).unwrap();
        let texts: Vec<&str> = incident.evidence.iter().map(|it| &*it.text).collect();
        assert_eq!(texts, ["twice", "late"]);
        assert_eq!(incident.last_seen, Timestamp::from_secs(9));
        assert!(!incidents.edit(id, |edit| edit.add_evidence(clue(1, 9, "late"))));
    }

    #[test]
    fn of_very_much_evidence_the_first_and_the_last_is_kept() {
        let mut incidents = incidents(10);
        let id = incidents.open(new("web-1", 5));
        for n in 0..100 {
            incidents.edit(id, |edit| edit.add_evidence(clue(n, 10, &n.to_string())));
        }
        let evidence = &incidents.get(id).unwrap().evidence;
        let texts: Vec<&str> = evidence.iter().map(|it| &*it.text).collect();
        let mut expected: Vec<String> = (0..8).map(|n| n.to_string()).collect();
        expected.extend((84..100).map(|n| n.to_string()));
        assert_eq!(texts, expected);
    }

    #[test]
    fn of_too_many_incidents_those_that_are_over_go_first() {
        let mut incidents = incidents(2);
        let open = incidents.open(new("a", 1));
        let over = incidents.open(new("b", 2));
        incidents.end(over, Timestamp::from_secs(3));
        let newest = incidents.open(new("c", 4));
        let kept: Vec<IncidentId> = incidents.records().map(|(id, _)| id).collect();
        assert_eq!(kept, [open, newest]);
        assert_eq!(incidents.dropped, 1);
    }

    #[test]
    fn an_incident_is_forgotten_when_it_has_been_over_for_long() {
        let mut incidents = incidents(10);
        let (open, over) = (incidents.open(new("a", 1)), incidents.open(new("b", 2)));
        incidents.end(over, Timestamp::from_secs(10));
        incidents.age(Timestamp::from_secs(3610));
        assert!(incidents.get(over).is_some());
        incidents.age(Timestamp::from_secs(3611));
        assert!(incidents.get(over).is_none() && incidents.get(open).is_some());
    }

    #[test]
    fn it_cannot_end_before_it_began_nor_twice() {
        let mut incidents = incidents(10);
        let id = incidents.open(new("a", 9));
        incidents.end(id, Timestamp::from_secs(4));
        incidents.end(id, Timestamp::from_secs(40));
        let ended = incidents.get(id).unwrap().ended;
        assert_eq!(ended, Some(Timestamp::from_secs(9)));
    }
}
