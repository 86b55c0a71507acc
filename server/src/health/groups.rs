//! One cause that befell several pods is one incident: the pods that a node under pressure evicted, and the pods of one
//! workload that have failed alike from their start, as those of a rollout do.
//!
//! Each pod's own incident goes on underneath, and what is told is made of them: so an incident that turns out to be of
//! another cause leaves, and nothing of this has to outlive the process but the incidents themselves.
//!
//! Incidents of one namespace alone are joined. Who may read one namespace must not learn the names of pods of another,
//! so a node that evicts pods of three namespaces is an incident in each of the three.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kubevitals_proto::vitals::{
    Affected, Cause, Evidence, Incident, IncidentKind, Involved, Workload,
};

use super::incidents::{FIRST, IncidentId, LAST, Record};
use super::messages;
use super::restarts::surer;
use super::thresholds::WELL_AFTER;

/// The most pods that are named.
const NAMED: usize = 20;

/// The evidence of so many pods is told: of the first half as many, and of the last.
const SHOWN: usize = 8;

/// Groups of more than this are told at most once a second, for each time all of it is looked at.
const LARGE: usize = 64;

/// Incidents that are kept of one group when there is no room; of the others only their number is.
const LEAST: usize = 32;

/// What incidents have in common that have one cause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    namespace: String,
    scope: GroupScope,
    reason: IncidentKind,
    cause: Cause,
    container: String,
    /// The node's scarce resource, or the reason for which containers wait.
    detail: String,
    /// Of containers that exit by themselves.
    exit_code: Option<i32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum GroupScope {
    Node(String),
    Workload(String, String),
}

impl Key {
    /// What an incident may have in common with others; nothing if it is the pod's alone.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let (incident, detail) = (&record.incident, record.alike.as_ref()?);
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

/// Incidents of one cause. What is told of them is one record, as soon as they are of two pods.
#[derive(Debug)]
pub(super) struct Group {
    key: Key,
    pub(super) members: BTreeSet<IncidentId>,
    /// What is told instead of the members.
    pub(super) told: Option<IncidentId>,
    /// Members that were forgotten for want of room: how many, and how often it happened to them.
    forgotten: (u64, u64),
}

/// The number of a group.
pub(super) type GroupId = u64;

/// All groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    groups: BTreeMap<GroupId, Group>,
    by_key: HashMap<Key, Vec<GroupId>>,
    of: HashMap<IncidentId, GroupId>,
    /// Large ones of which something has changed that is not told yet.
    behind: BTreeSet<GroupId>,
    next: GroupId,
}

impl Groups {
    pub(super) fn get(&self, group: GroupId) -> Option<&Group> {
        self.groups.get(&group)
    }

    pub(super) fn get_mut(&mut self, group: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(&group)
    }

    /// The group of an incident, and whether it has this key.
    pub(super) fn group_of(&self, id: IncidentId, key: Option<&Key>) -> Option<(GroupId, bool)> {
        let group = *self.of.get(&id)?;
        let same = self.groups.get(&group).map(|group| &group.key) == key;
        Some((group, same))
    }

    /// Groups of a key that an incident of this time is part of: those that went on not long before or after it.
    pub(super) fn near(
        &self,
        key: &Key,
        record: &Record,
        records: &BTreeMap<IncidentId, Record>,
    ) -> Vec<GroupId> {
        let all = self.by_key.get(key).into_iter().flatten().copied();
        all.filter(|group| {
            let members = self.groups.get(group).map(|group| &group.members);
            let mut members = members
                .into_iter()
                .flatten()
                .filter_map(|id| records.get(id));
            members.any(|member| gap(&member.incident, &record.incident) <= WELL_AFTER)
        })
        .collect()
    }

    /// A new group of a key.
    pub(super) fn add(&mut self, key: &Key) -> GroupId {
        let id = self.next;
        self.next += 1;
        let group = Group {
            key: key.clone(),
            members: BTreeSet::new(),
            told: None,
            forgotten: (0, 0),
        };
        self.groups.insert(id, group);
        self.by_key.entry(key.clone()).or_default().push(id);
        id
    }

    /// Puts an incident into a group.
    pub(super) fn enter(&mut self, id: IncidentId, group: GroupId) {
        if let Some(known) = self.groups.get_mut(&group) {
            known.members.insert(id);
            self.of.insert(id, group);
        }
    }

    /// Takes an incident out of its group.
    pub(super) fn leave(&mut self, id: IncidentId) -> Option<GroupId> {
        let group = self.of.remove(&id)?;
        self.groups.get_mut(&group)?.members.remove(&id);
        Some(group)
    }

    /// Whether a group is so large that what has changed of it is told later, together with what else changes.
    pub(super) fn put_off(&mut self, group: GroupId) -> bool {
        let known = self.groups.get(&group);
        let large = known.is_some_and(|it| it.told.is_some() && it.members.len() > LARGE);
        large && {
            self.behind.insert(group);
            true
        }
    }

    /// The groups that were put off.
    pub(super) fn take_put_off(&mut self) -> BTreeSet<GroupId> {
        std::mem::take(&mut self.behind)
    }

    /// Whether there are any.
    pub(super) fn is_behind(&self) -> bool {
        !self.behind.is_empty()
    }

    /// Drops a group, and gives what it was.
    pub(super) fn drop(&mut self, group: GroupId) -> Option<Group> {
        let dropped = self.groups.remove(&group)?;
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

    /// The incident of the largest group of which one may be forgotten: the group goes on to count it.
    pub(super) fn spare(&self) -> Option<(GroupId, IncidentId)> {
        let large = self
            .groups
            .iter()
            .filter(|(_, group)| group.members.len() > LEAST);
        let (id, group) = large.max_by_key(|(_, group)| group.members.len())?;
        Some((*id, *group.members.first()?))
    }
}

/// How long it was between two incidents; less than nothing if both went on at a time.
fn gap(one: &Incident, other: &Incident) -> i64 {
    let after = |one: &Incident, other: &Incident| match one.ended {
        Some(ended) => other.began.since(ended.max(one.last_seen)),
        None => i64::MIN,
    };
    after(one, other).max(after(other, one))
}

impl Group {
    /// Forgets a member, and goes on to count it.
    pub(super) fn forget(&mut self, record: &Record) {
        self.forgotten.0 += 1;
        self.forgotten.1 += record.incident.count;
    }

    /// The incident that is told of all members; nothing while they are of one pod.
    pub(super) fn incident(&self, records: &BTreeMap<IncidentId, Record>) -> Option<Incident> {
        let mut all: Vec<&Incident> = self
            .members
            .iter()
            .filter_map(|id| records.get(id).map(|record| &*record.incident))
            .collect();
        all.sort_by_key(|it| it.began);
        let pods: BTreeSet<&str> = all.iter().map(|it| &*it.involved.uid).collect();
        let count = pods.len() as u64 + self.forgotten.0;
        let (first, latest) = (all.first()?, all.iter().max_by_key(|it| it.last_seen)?);
        if count < 2 {
            return None;
        }
        let goes_on = all.iter().any(|it| it.ended.is_none());
        let ended = all.iter().filter_map(|it| it.ended).max();
        let certainty = all.iter().map(|it| it.certainty).reduce(surer)?;
        let last_ended = all.iter().filter_map(|it| it.last_ended.as_ref());
        let mut named = BTreeSet::new();
        let affected = all
            .iter()
            .filter(|it| named.insert(&*it.involved.uid))
            .take(NAMED)
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
            ended: ended.filter(|_| !goes_on),
            count: all.iter().map(|it| it.count).sum::<u64>() + self.forgotten.1,
            last_ended: last_ended.max_by_key(|it| it.finished).cloned(),
            evidence: evidence(&all),
            affected: affected.collect(),
            affected_count: count,
            ..Incident::default()
        };
        incident.message = match &self.key.scope {
            GroupScope::Node(node) => messages::evicted(node, &self.key.detail, count),
            GroupScope::Workload(kind, name) => {
                messages::alike(count, (kind, name), goes_on, &latest.message)
            }
        };
        Some(incident)
    }

    /// What tells this group from others in a name's digits.
    pub(super) fn identity(&self) -> impl std::hash::Hash + '_ {
        let Key {
            scope,
            cause,
            detail,
            exit_code,
            ..
        } = &self.key;
        (scope, cause, detail, exit_code)
    }
}

/// The evidence of the first and of the last pods, each with the pod's name.
fn evidence(all: &[&Incident]) -> Vec<Evidence> {
    let shown = all
        .iter()
        .enumerate()
        .filter(|(at, _)| *at < SHOWN / 2 || all.len() - at <= SHOWN / 2);
    let texts = shown.flat_map(|(_, it)| {
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

/// The resource that a node lacked for which it evicted a pod, as the kubelet's message has it; nothing if the pod was
/// evicted for a limit of its own, or by somebody else (pkg/kubelet/eviction/helpers.go).
pub(super) fn scarce(message: &str) -> Option<&'static str> {
    let lacked = message.split_once("The node was low on resource: ");
    if let Some((_, resource)) = lacked {
        return Some(match resource.split(['.', ' ']).next()? {
            "memory" => "memory",
            "ephemeral-storage" | "nodefs" | "imagefs" | "containerfs" => "storage",
            "inodes" => "inodes",
            "pids" => "process IDs",
            _ => "a resource",
        });
    }
    let (_, conditions) = message.split_once("The node had condition: [")?;
    Some(match conditions.split([']', ',', ' ']).next()? {
        "MemoryPressure" => "memory",
        "DiskPressure" => "storage",
        "PIDPressure" => "process IDs",
        _ => "a resource",
    })
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::time::Timestamp;

    use super::*;

    #[test]
    fn what_a_node_lacked_is_in_the_kubelet_s_words() {
        for (message, lacked) in [
            (
                "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ",
                Some("memory"),
            ),
            (
                "The node was low on resource: ephemeral-storage. Container c was using 1Gi, request is 0, has larger \
                 consumption of ephemeral-storage. ",
                Some("storage"),
            ),
            ("The node was low on resource: inodes. ", Some("inodes")),
            ("The node was low on resource: pids. ", Some("process IDs")),
            (
                "Pod was rejected: The node had condition: [DiskPressure]. ",
                Some("storage"),
            ),
            ("The node had condition: [MemoryPressure]. ", Some("memory")),
            (
                "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
                None,
            ),
            (
                "Usage of EmptyDir volume \"x\" exceeds the limit \"1Mi\". ",
                None,
            ),
            (
                "Container c exceeded its local ephemeral storage limit \"1Mi\". ",
                None,
            ),
            ("Preempted in order to admit critical pod", None),
            ("", None),
        ] {
            assert_eq!(scarce(message), lacked, "{message}");
        }
    }

    #[test]
    fn incidents_are_as_far_apart_as_one_ended_before_the_other_began() {
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
