//! Groups of incidents with one cause: evictions by one node, and pods of one workload that have the same problem from
//! their start, as after a rollout. A group of two or more pods has one joint incident.
//!
//! The incident of each pod stays stored, and the joint incident is computed from them. So an incident whose cause
//! changes leaves the group, and snapshots contain only the pods' own incidents.
//!
//! Only incidents of one namespace are joined: a reader of one namespace must not learn the names of pods of another. A
//! node that evicts pods of three namespaces is an incident in each of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kubevitals_proto::vitals::{
    Affected, Cause, Evidence, Incident, IncidentKind, Involved, Workload,
};

use super::causes::more_certain;
use super::incident_record::{FIRST, GroupId, IncidentId, LAST, Record};
use super::messages;
use super::thresholds::WELL_AFTER;

/// The largest number of pods that a joint incident names.
const MAX_NAMED: usize = 20;

/// The number of pods whose evidence a joint incident has: half of them the first ones, half the last.
const WITH_EVIDENCE: usize = 8;

/// A larger group is updated at most once a second, because an update reads all members.
const LARGE: usize = 64;

/// The number of members that a group keeps when the limit of incidents is reached. Dropped members are only counted.
const MIN_MEMBERS: usize = 32;

/// What the incidents of a group share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GroupKey {
    namespace: String,
    scope: GroupScope,
    reason: IncidentKind,
    cause: Cause,
    container: String,
    /// The node's scarce resource, or the reason for which containers wait.
    detail: String,
    /// The exit code, for containers that exit by themselves.
    exit_code: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum GroupScope {
    Node(String),
    Workload(String, String),
}

impl GroupKey {
    /// The key of an incident; none if it belongs to its pod alone.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (incident, detail) = (&record.incident, record.shared_detail.as_ref()?);
        let involved = &incident.involved;
        let scope = if incident.reason == IncidentKind::Eviction {
            GroupScope::Node(involved.node.clone())
        } else {
            let workload = involved.workload.as_ref()?;
            GroupScope::Workload(workload.kind.clone(), workload.name.clone())
        };
        let exited = incident.cause == Cause::Exited;
        let ended = incident.last_ended.as_ref().filter(|_| exited);
        Some(Self {
            namespace: incident.metadata.namespace.clone(),
            scope,
            reason: incident.reason,
            cause: incident.cause,
            container: involved.container.clone(),
            detail: detail.to_string(),
            exit_code: ended.map(|ended| ended.exit_code),
        })
    }

    fn involved(&self) -> Involved {
        let (kind, name, node) = match &self.scope {
            GroupScope::Node(node) => ("Node", node, node.clone()),
            GroupScope::Workload(kind, name) => (&**kind, name, String::new()),
        };
        let workload = matches!(self.scope, GroupScope::Workload(..)).then(|| Workload {
            kind: kind.to_owned(),
            name: name.clone(),
        });
        Involved {
            kind: kind.to_owned(),
            namespace: self.namespace.clone(),
            name: name.clone(),
            uid: String::new(),
            container: self.container.clone(),
            node,
            workload,
        }
    }
}

/// A group of incidents.
#[derive(Debug)]
pub(super) struct Group {
    key: GroupKey,
    pub(super) members: BTreeSet<IncidentId>,
    /// The joint incident, if the group has two or more pods.
    pub(super) joint: Option<IncidentId>,
    /// The number of members that were dropped because of the limit, and the sum of their counts.
    dropped: (u64, u64),
}

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) by_id: BTreeMap<GroupId, Group>,
    by_key: HashMap<GroupKey, Vec<GroupId>>,
    of: HashMap<IncidentId, GroupId>,
    /// Large groups with changes that their joint incidents do not contain yet.
    pub(super) deferred: BTreeSet<GroupId>,
    next: GroupId,
}

impl Groups {
    /// The group of an incident, and whether it has this key.
    pub(super) fn group_of(
        &self,
        id: IncidentId,
        key: Option<&GroupKey>,
    ) -> Option<(GroupId, bool)> {
        let group = *self.of.get(&id)?;
        let same = self.by_id.get(&group).map(|group| &group.key) == key;
        Some((group, same))
    }

    /// The groups of a key to which an incident belongs by its time.
    pub(super) fn near(
        &self,
        key: &GroupKey,
        record: &Record,
        records: &BTreeMap<IncidentId, Record>,
    ) -> Vec<GroupId> {
        let all = self.by_key.get(key).into_iter().flatten().copied();
        all.filter(|group| {
            let members = self.by_id.get(group).map(|group| &group.members);
            let mut members = members
                .into_iter()
                .flatten()
                .filter_map(|id| records.get(id));
            members.any(|member| gap(&member.incident, &record.incident) <= WELL_AFTER)
        })
        .collect()
    }

    /// A new group of a key.
    pub(super) fn add(&mut self, key: &GroupKey) -> GroupId {
        let id = self.next;
        self.next += 1;
        let group = Group {
            key: key.clone(),
            members: BTreeSet::new(),
            joint: None,
            dropped: (0, 0),
        };
        self.by_id.insert(id, group);
        self.by_key.entry(key.clone()).or_default().push(id);
        id
    }

    /// Adds an incident to a group.
    pub(super) fn join(&mut self, id: IncidentId, group: GroupId) {
        if let Some(joined) = self.by_id.get_mut(&group) {
            joined.members.insert(id);
            self.of.insert(id, group);
        }
    }

    /// Removes an incident from its group.
    pub(super) fn leave(&mut self, id: IncidentId) -> Option<GroupId> {
        let group = self.of.remove(&id)?;
        self.by_id.get_mut(&group)?.members.remove(&id);
        Some(group)
    }

    /// Whether a group is so large that its joint incident is updated later. Registers it for the next update.
    pub(super) fn defer(&mut self, group: GroupId) -> bool {
        let is_large = |it: &Group| it.joint.is_some() && it.members.len() > LARGE;
        let large = self.by_id.get(&group).is_some_and(is_large);
        if large {
            self.deferred.insert(group);
        }
        large
    }

    /// Removes a group.
    pub(super) fn drop(&mut self, group: GroupId) -> Option<Group> {
        let dropped = self.by_id.remove(&group)?;
        for member in &dropped.members {
            self.of.remove(member);
        }
        if let Some(ids) = self.by_key.get_mut(&dropped.key) {
            ids.retain(|id| *id != group);
            if ids.is_empty() {
                self.by_key.remove(&dropped.key);
            }
        }
        Some(dropped)
    }

    /// An incident of the largest group that may be dropped.
    pub(super) fn spare(&self) -> Option<(GroupId, IncidentId)> {
        let large = self
            .by_id
            .iter()
            .filter(|(_, group)| group.members.len() > MIN_MEMBERS);
        let (id, group) = large.max_by_key(|(_, group)| group.members.len())?;
        Some((*id, *group.members.first()?))
    }
}

/// The time between two incidents; negative if they overlap.
fn gap(one: &Incident, other: &Incident) -> i64 {
    let after = |one: &Incident, other: &Incident| match one.ended {
        Some(ended) => other.began.since(ended.max(one.last_seen)),
        None => i64::MIN,
    };
    after(one, other).max(after(other, one))
}

impl Group {
    /// Counts a member that is dropped.
    pub(super) fn drop_member(&mut self, record: &Record) {
        self.dropped.0 += 1;
        self.dropped.1 += record.incident.count;
    }

    /// The joint incident of all members; none for a single pod.
    pub(super) fn incident(&self, records: &BTreeMap<IncidentId, Record>) -> Option<Incident> {
        let mut all: Vec<&Incident> = self
            .members
            .iter()
            .filter_map(|id| records.get(id).map(|record| &*record.incident))
            .collect();
        all.sort_by_key(|it| it.began);
        let pods: BTreeSet<&str> = all.iter().map(|it| &*it.involved.uid).collect();
        let count = pods.len() as u64 + self.dropped.0;
        let (first, latest) = (all.first()?, all.iter().max_by_key(|it| it.last_seen)?);
        if count < 2 {
            return None;
        }
        let is_open = all.iter().any(|it| it.ended.is_none());
        let ended = all.iter().filter_map(|it| it.ended).max();
        let certainty = all.iter().map(|it| it.certainty).reduce(more_certain)?;
        let last_ended = all.iter().filter_map(|it| it.last_ended.as_ref());
        let mut named = BTreeSet::new();
        let affected = all
            .iter()
            .filter(|it| named.insert(&*it.involved.uid))
            .take(MAX_NAMED)
            .map(|it| Affected {
                name: it.involved.name.clone(),
                uid: it.involved.uid.clone(),
            });
        let mut incident = Incident {
            reason: self.key.reason,
            cause: self.key.cause,
            certainty,
            involved: self.key.involved(),
            began: first.began,
            last_seen: latest.last_seen,
            ended: ended.filter(|_| !is_open),
            count: all.iter().map(|it| it.count).sum::<u64>() + self.dropped.1,
            last_ended: last_ended.max_by_key(|it| it.finished).cloned(),
            evidence: evidence(&all),
            affected: affected.collect(),
            affected_count: count,
            ..Incident::default()
        };
        incident.message = match &self.key.scope {
            GroupScope::Node(node) => messages::evicted(node, &self.key.detail, count),
            GroupScope::Workload(kind, name) => {
                messages::alike(count, (kind, name), is_open, &latest.message)
            }
        };
        Some(incident)
    }

    /// What identifies this group, for the suffix of a name.
    pub(super) fn identity(&self) -> impl std::hash::Hash + '_ {
        let GroupKey {
            scope,
            cause,
            detail,
            exit_code,
            ..
        } = &self.key;
        (scope, cause, detail, exit_code)
    }
}

/// The evidence of the first and of the last pods, with the pods' names.
fn evidence(all: &[&Incident]) -> Vec<Evidence> {
    let selected = all
        .iter()
        .enumerate()
        .filter(|(at, _)| *at < WITH_EVIDENCE / 2 || all.len() - at <= WITH_EVIDENCE / 2);
    let texts = selected.flat_map(|(_, it)| {
        it.evidence.iter().map(|evidence| Evidence {
            text: format!("{}: {}", it.involved.name, evidence.text),
            ..evidence.clone()
        })
    });
    let mut texts: Vec<Evidence> = texts.collect();
    texts.sort_by_key(|evidence| evidence.time);
    let middle = texts.len().saturating_sub(LAST).max(FIRST);
    if texts.len() > FIRST + LAST {
        texts.drain(FIRST..middle);
    }
    texts
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;

    #[test]
    fn gap_is_from_the_end_of_one_to_the_begin_of_the_other() {
        let of = |began: i64, ended: Option<i64>| Incident {
            began: Timestamp::from_secs(began),
            last_seen: Timestamp::from_secs(began),
            ended: ended.map(Timestamp::from_secs),
            ..Incident::default()
        };
        let seconds = |one: &Incident, other: &Incident| gap(one, other).div_euclid(1_000_000_000);
        assert_eq!(seconds(&of(0, Some(5)), &of(25, Some(30))), 20);
        assert_eq!(seconds(&of(25, Some(30)), &of(0, Some(5))), 20);
        assert!(seconds(&of(0, None), &of(100, None)) < 0);
        assert!(seconds(&of(0, Some(50)), &of(10, None)) < 0);
    }
}
