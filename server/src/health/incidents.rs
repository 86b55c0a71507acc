//! The stored incidents: opened, changed, ended, and finally dropped.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{API_VERSION, Incident, IncidentKind, Meta, Source};

use super::changes::{Change, Changes};
use super::groups::Groups;
use super::incident_record::{
    Edit, EvidenceKey, GroupRole, IncidentId, KeyedEvidence, NewIncident, Record,
};
use super::limits::Limits;
use crate::cluster::Uid;

/// The largest number of stored names of withdrawn incidents. Another process may still have those incidents.
const MAX_WITHDRAWN: usize = 256;

/// The stored incidents.
#[derive(Debug, Default)]
pub(super) struct Incidents {
    pub(super) records: BTreeMap<IncidentId, Record>,
    /// The incidents by namespace and name.
    names: HashMap<(String, String), IncidentId>,
    /// The incidents about failed pods, by the UID of the pod.
    failures: HashMap<String, IncidentId>,
    pub(super) groups: Groups,
    withdrawn: VecDeque<(String, String)>,
    next: u64,
    limits: Limits,
    pub(super) changes: Changes,
    /// The number of incidents that were dropped because of the limit.
    pub(super) dropped: u64,
}

impl Incidents {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
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
            shared_detail: new.shared_detail,
            role: GroupRole::Single,
        })
    }

    /// Adds an incident, with a new version.
    pub(super) fn add(&mut self, mut record: Record) -> IncidentId {
        let id = IncidentId(self.next);
        self.next += 1;
        let meta = &record.incident.metadata;
        let name = full_name(meta);
        self.withdrawn.retain(|other| *other != name);
        self.names.insert(name, id);
        record.version = self.changes.record(Change::incident(meta, false));
        if let Some(pod) = failed_pod(&record.incident) {
            self.failures.insert(pod.to_owned(), id);
        }
        self.records.insert(id, record);
        self.regroup(id);
        self.enforce_limit();
        id
    }

    /// Changes an incident. Returns whether it differs. An incident that is not stored does not change.
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
            record.version = self.changes.record(change);
        }
        record.incident = Arc::new(incident);
        record.keys = keys;
        self.regroup(id);
        true
    }

    /// Ends an incident, unless it has ended. It cannot end before it begins.
    pub(super) fn end(&mut self, id: IncidentId, at: Timestamp) {
        self.edit(id, |edit| {
            let began = edit.incident.began;
            edit.incident.ended.get_or_insert(at.max(began));
        });
    }

    /// Ends an incident, with the reason as evidence.
    pub(super) fn end_because(&mut self, id: IncidentId, at: Timestamp, why: &str) {
        let key = EvidenceKey::of("end");
        let evidence = KeyedEvidence::new(key, at, Source::Status, why.to_owned());
        self.edit(id, |edit| edit.add_evidence(evidence));
        self.end(id, at);
    }

    /// Withdraws an incident: another one explains it.
    pub(super) fn remove(&mut self, id: IncidentId) -> Option<Record> {
        let group = self.groups.leave(id);
        let record = self.take(id);
        if let Some(record) = &record {
            if self.withdrawn.len() >= MAX_WITHDRAWN {
                self.withdrawn.pop_front();
            }
            let name = full_name(&record.incident.metadata);
            self.withdrawn.push_back(name);
        }
        if let Some(group) = group {
            self.update_group(group);
        }
        record
    }

    /// The incident with this metadata, unless it is a joint one.
    pub(super) fn named(&self, meta: &Meta) -> Option<IncidentId> {
        let id = *self.names.get(&full_name(meta))?;
        let is_joint = matches!(self.records.get(&id)?.role, GroupRole::Joint(_));
        (!is_joint).then_some(id)
    }

    /// Whether an incident of this namespace and name is stored.
    pub(super) fn has(&self, name: &(String, String)) -> bool {
        self.names.contains_key(name)
    }

    /// Whether an incident of this name was withdrawn.
    pub(super) fn is_withdrawn(&self, meta: &Meta) -> bool {
        self.withdrawn.contains(&full_name(meta))
    }

    /// Removes an incident.
    pub(super) fn take(&mut self, id: IncidentId) -> Option<Record> {
        let record = self.records.remove(&id)?;
        let meta = &record.incident.metadata;
        self.names.remove(&full_name(meta));
        if let Some(pod) = failed_pod(&record.incident)
            && self.failures.get(pod) == Some(&id)
        {
            self.failures.remove(pod);
        }
        if !matches!(record.role, GroupRole::Member(_)) {
            self.changes.record(Change::incident(meta, true));
        }
        Some(record)
    }

    /// Drops a visible incident, and with a joint incident its members.
    fn drop_incident(&mut self, id: IncidentId) {
        let Some(record) = self.take(id) else { return };
        if let GroupRole::Joint(group) = record.role {
            let dropped = self.groups.drop(group);
            for member in dropped.into_iter().flat_map(|group| group.members) {
                self.take(member);
            }
        } else if let Some(group) = self.groups.leave(id) {
            self.update_group(group);
        }
    }

    pub(super) fn get(&self, id: IncidentId) -> Option<&Arc<Incident>> {
        self.records.get(&id).map(|record| &record.incident)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (IncidentId, &Record)> {
        self.records.iter().map(|(id, record)| (*id, record))
    }

    /// The incidents of the API: joint ones in place of their members.
    pub(super) fn visible(&self) -> impl Iterator<Item = (IncidentId, &Record)> {
        self.records()
            .filter(|(_, record)| !matches!(record.role, GroupRole::Member(_)))
    }

    /// The incident of the API for an incident: itself, or the joint one.
    pub(super) fn visible_for(&self, id: IncidentId) -> Option<&Arc<Incident>> {
        match self.records.get(&id)?.role {
            GroupRole::Member(joint) => self.get(joint),
            GroupRole::Single | GroupRole::Joint(_) => self.get(id),
        }
    }

    /// The incident about the failure of a pod.
    pub(super) fn failure_of(&self, pod: Uid) -> Option<IncidentId> {
        self.failures.get(&pod.to_string()).copied()
    }

    /// Whether there is an incident about the failure of a pod. A pod fails once.
    pub(super) fn has_failure(&self, pod: Uid) -> bool {
        self.failure_of(pod).is_some()
    }

    /// The time for which ended incidents are stored, in nanoseconds.
    pub(super) fn retention(&self) -> i64 {
        i64::try_from(self.limits.age.as_nanos()).unwrap_or(i64::MAX)
    }

    /// Drops incidents that ended longer ago than the retention.
    pub(super) fn drop_old(&mut self, now: Timestamp) {
        let retention = self.retention();
        let old = |record: &Record| {
            let ended = record.incident.ended;
            ended.is_some_and(|ended| now.since(ended) > retention)
        };
        let old = self.visible().filter(|(_, record)| old(record));
        let old: Vec<IncidentId> = old.map(|(id, _)| id).collect();
        for id in old {
            self.drop_incident(id);
        }
    }

    /// Drops incidents above the limit: first the oldest ended ones, then members of large groups, then the oldest.
    fn enforce_limit(&mut self) {
        while self.records.len() > self.limits.incidents {
            let over = self
                .visible()
                .find(|(_, record)| record.incident.ended.is_some());
            let over = over.map(|(id, _)| id);
            if let Some((group, part)) = self.groups.spare().filter(|_| over.is_none()) {
                self.groups.leave(part);
                let record = self.take(part);
                if let Some((group, record)) = self.groups.by_id.get_mut(&group).zip(record) {
                    group.drop_member(&record);
                }
                self.update_group(group);
                continue;
            }
            let Some(id) = over.or_else(|| self.visible().next().map(|(id, _)| id)) else {
                return;
            };
            self.dropped += 1;
            self.drop_incident(id);
        }
    }

    /// The name of the pod, node or workload, with a short suffix that identifies the incident. The incident has the
    /// same name at every replica that saw it begin at the same time.
    pub(super) fn name(&self, namespace: &str, of: &str, identity: impl Hash) -> String {
        let mut salt = 0_u32;
        loop {
            let digits = EvidenceKey::of((&identity, salt)).0 >> 24;
            let mut name = of.to_owned();
            // With its suffix the name has at most 253 characters.
            name.truncate(name.floor_char_boundary(240));
            let name = format!("{name}-{digits:010x}");
            if !self
                .names
                .contains_key(&(namespace.to_owned(), name.clone()))
            {
                return name;
            }
            salt += 1;
        }
    }
}

/// Namespace and name.
fn full_name(meta: &Meta) -> (String, String) {
    (meta.namespace.clone(), meta.name.clone())
}

/// The UID of the failed pod, for an incident about a failure.
fn failed_pod(incident: &Incident) -> Option<&str> {
    let failed = matches!(
        incident.reason,
        IncidentKind::Eviction | IncidentKind::PodFailed
    );
    let uid = &*incident.involved.uid;
    (failed && !uid.is_empty()).then_some(uid)
}

/// The metadata of a new incident.
pub(super) fn meta(
    namespace: &str,
    name: String,
    uid: String,
    began: Timestamp,
    labels: Labels,
) -> Meta {
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

    use kubevitals_proto::vitals::{Cause, Certainty, Involved};

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
            shared_detail: None,
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
    fn evidence_is_in_the_order_of_time_and_unique() {
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
    fn first_and_last_evidence_stays() {
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
    fn ended_incidents_are_dropped_first() {
        let mut incidents = incidents(2);
        let open = incidents.open(new("a", 1));
        let over = incidents.open(new("b", 2));
        incidents.end(over, Timestamp::from_secs(3));
        let newest = incidents.open(new("c", 4));
        let stored: Vec<IncidentId> = incidents.records().map(|(id, _)| id).collect();
        assert_eq!(stored, [open, newest]);
        assert_eq!(incidents.dropped, 1);
    }

    #[test]
    fn incident_is_dropped_after_the_retention() {
        let mut incidents = incidents(10);
        let (open, over) = (incidents.open(new("a", 1)), incidents.open(new("b", 2)));
        incidents.end(over, Timestamp::from_secs(10));
        incidents.drop_old(Timestamp::from_secs(3610));
        assert!(incidents.get(over).is_some());
        incidents.drop_old(Timestamp::from_secs(3611));
        assert!(incidents.get(over).is_none() && incidents.get(open).is_some());
    }

    #[test]
    fn incident_cannot_end_before_it_begins_nor_twice() {
        let mut incidents = incidents(10);
        let id = incidents.open(new("a", 9));
        incidents.end(id, Timestamp::from_secs(4));
        incidents.end(id, Timestamp::from_secs(40));
        let ended = incidents.get(id).unwrap().ended;
        assert_eq!(ended, Some(Timestamp::from_secs(9)));
    }
}
