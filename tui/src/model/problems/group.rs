//! A group: its members, and its row in words.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use kubevitals_proto::objects::scarce_resource;
use kubevitals_proto::time::Timestamp;

use super::cause::{NodeCause, Shared};
use super::symptom::{Number, Symptom};
use crate::model::format;
use crate::model::name::{Key, Name, Workload};
use crate::model::row::{IncidentRow, NodeRow, PodRow, ProblemRow, Replicas, Row as _, Urgency};
use crate::model::scope::{Open, ProblemScope, Scope};
use crate::model::world::World;

/// The members of a problem.
#[derive(Debug, Default)]
pub(super) struct Group<'a> {
    pub(super) pods: Vec<&'a PodRow>,
    incidents: Vec<&'a Arc<IncidentRow>>,
    node: Option<&'a NodeRow>,
    /// What the members show, and whether that is over.
    symptoms: BTreeSet<(bool, Symptom)>,
    urgency: Urgency,
    /// The earliest time since which an urgent member has its problem, or else any member.
    since: Option<(bool, Timestamp)>,
}

impl<'a> Group<'a> {
    pub(super) fn add_node(&mut self, node: &'a NodeRow, urgency: Urgency) {
        self.node = Some(node);
        self.add(urgency, None);
    }

    pub(super) fn add_incident(&mut self, row: &'a Arc<IncidentRow>, now: Timestamp) {
        let urgency = match row.is_open_at(now) {
            true if row.is_of_node() => Urgency::Critical,
            true => Urgency::Warning,
            false => Urgency::Over,
        };
        self.incidents.push(row);
        self.symptoms
            .insert((urgency == Urgency::Over, Symptom::of_incident(row)));
        self.add(urgency, Some(row.incident.began));
    }

    pub(super) fn add_pod(
        &mut self,
        pod: &'a PodRow,
        symptom: Symptom,
        urgency: Urgency,
        since: Option<Timestamp>,
    ) {
        self.pods.push(pod);
        self.symptoms.insert((urgency == Urgency::Over, symptom));
        self.add(urgency, since);
    }

    fn add(&mut self, urgency: Urgency, since: Option<Timestamp>) {
        self.urgency = self.urgency.max(urgency);
        let Some(since) = since else {
            return;
        };
        // The begin of what is urgent counts: the incident of an hour ago does not make a new one old.
        let new = (!urgency.is_urgent(), since);
        self.since = Some(self.since.map_or(new, |before| before.min(new)));
    }

    /// The number of affected pods: those that exist, and those that incidents name or count.
    fn affected(&self) -> u64 {
        let mut names: BTreeSet<(&str, &str)> = BTreeSet::new();
        names.extend(self.pods.iter().map(|pod| (&*pod.namespace, &*pod.name)));
        // An incident is in one namespace. A later one counts the same pods again.
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for row in &self.incidents {
            let incident = &row.incident;
            let namespace = incident.involved.namespace.as_str();
            if row.is_of_pod() {
                names.insert((namespace, &incident.involved.name));
            }
            names.extend(incident.affected.iter().map(|pod| (namespace, &*pod.name)));
            let count = counts.entry(namespace).or_default();
            *count = incident.affected_count.max(*count);
        }
        let named = u64::try_from(names.len()).unwrap_or(u64::MAX);
        named.max(counts.into_values().fold(0, u64::saturating_add))
    }

    /// The name of the pod, if there is one only.
    fn only_pod(&self) -> Option<&str> {
        let of_incident = || self.incidents.iter().find(|row| row.is_of_pod());
        match &*self.pods {
            [] => of_incident().map(|row| &*row.incident.involved.name),
            [only] => Some(&only.name),
            _ => None,
        }
    }

    fn number(&self, affected: u64) -> Number {
        match (self.urgency, affected) {
            (Urgency::Over, _) => Number::Over,
            (_, 1) => Number::One,
            _ => Number::Several,
        }
    }

    /// Whether a container has ended more than once.
    fn is_repeated(&self) -> bool {
        let mut incidents = self.incidents.iter();
        incidents.any(|row| row.incident.count > row.incident.affected_count.max(1))
            || self
                .pods
                .iter()
                .any(|pod| &*pod.status == "CrashLoopBackOff")
    }

    /// The row of the problem.
    pub(super) fn into_row(self, shared: &Shared, revisions: &Revisions) -> ProblemRow {
        let affected = self.affected();
        let (key, object, text) = match shared {
            Shared::Node(name, cause) => self.of_node(name, *cause, affected),
            Shared::Workload(namespace, workload, symptom) => {
                let key = Key::new(namespace, &workload.name);
                let part = Name::from(format!("{} {}", workload.kind, symptom.id()));
                let predicate = symptom.words(self.number(affected), self.is_repeated());
                let (object, text) = match self.only_pod().filter(|_| affected == 1) {
                    Some(pod) => (pod.to_owned(), predicate.into_owned()),
                    None => {
                        let pods = revisions.of_pods(namespace, workload, &self.pods, affected);
                        (short(workload), format!("{pods} {predicate}"))
                    }
                };
                (key.part(&part), object, text)
            }
            Shared::Pod(key) => (key.clone(), key.name.to_string(), self.of_pod()),
        };
        let mut pods: Vec<Key> = self.pods.iter().map(|pod| pod.key()).collect();
        pods.sort_unstable();
        let mut incidents: Vec<Key> = self.incidents.iter().map(|row| row.key()).collect();
        incidents.sort_unstable();
        ProblemRow {
            opens: self.open(shared, &object, &pods, &incidents),
            key,
            urgency: self.urgency,
            object,
            text,
            since: self.since.map(|(_, since)| since),
            node: match shared {
                Shared::Node(name, _) => Some(Name::clone(name)),
                _ => None,
            },
            workload: match shared {
                Shared::Workload(_, workload, _) => Name::clone(&workload.name),
                _ => Name::default(),
            },
            affected,
            pods,
            incidents,
        }
    }

    /// The symptoms of a pod without a workload, in words.
    fn of_pod(&self) -> String {
        let is_over = self.urgency == Urgency::Over;
        let present = self.symptoms.iter().filter(|(over, _)| *over == is_over);
        let words = present.map(|(_, symptom)| symptom.words(self.number(1), self.is_repeated()));
        // Two incidents may have the same words.
        let words: BTreeSet<Cow<'_, str>> = words.collect();
        Vec::from_iter(words).join(", ")
    }

    /// The key, the object and the problem of a node, in words.
    fn of_node(&self, name: &Name, cause: NodeCause, affected: u64) -> (Key, String, String) {
        let pods = |verb: &str| match affected {
            0 => String::new(),
            affected => format!(": {} {verb}", format::count(affected, "pod")),
        };
        let (part, text) = match cause {
            NodeCause::NotReady => {
                let was = if self.urgency == Urgency::Over {
                    "was "
                } else {
                    ""
                };
                ("not ready", format!("{was}not ready{}", pods("affected")))
            }
            NodeCause::Silent => ("no usage", "reports no usage".to_owned()),
            NodeCause::Pressure => (
                "pressure",
                format!("{}{}", self.pressure(), pods("evicted")),
            ),
        };
        (Key::named(name).part(&part.into()), name.to_string(), text)
    }

    /// What a node is short of: `memory pressure`.
    fn pressure(&self) -> String {
        let conditions = self.node.map_or(&[][..], |node| &node.conditions);
        let others: Vec<&str> = conditions.iter().map(|name| &**name).collect();
        let of_condition = others.iter().find_map(|condition| match *condition {
            "MemoryPressure" => Some("memory"),
            "DiskPressure" => Some("disk"),
            "PIDPressure" => Some("process ID"),
            _ => None,
        });
        let messages = self.pods.iter().filter_map(|pod| pod.message.as_deref());
        let incidents = self.incidents.iter().map(|row| &row.incident);
        let evidence = incidents.clone().flat_map(|it| &it.evidence);
        let texts = messages
            .chain(incidents.clone().map(|it| &*it.message))
            .chain(evidence.map(|it| &*it.text));
        match of_condition.or_else(|| texts.into_iter().find_map(scarce_resource)) {
            Some(what) => format!("{what} pressure"),
            None if !others.is_empty() => others.join(", "),
            None => "pressure".to_owned(),
        }
    }

    /// What `enter` opens: the pod, the pods, or else what the incident opens.
    fn open(&self, shared: &Shared, object: &str, pods: &[Key], incidents: &[Key]) -> Open {
        match (pods, &*self.incidents, shared) {
            ([only], ..) => Scope::Pod(only.clone()).into(),
            ([], [only], _) => only.open(),
            ([], [], Shared::Node(name, _)) => Scope::Node(Name::clone(name)).into(),
            _ => Scope::Problem(Arc::new(ProblemScope {
                text: object.to_owned(),
                pods: pods.to_vec(),
                incidents: incidents.to_vec(),
            }))
            .into(),
        }
    }
}

/// A workload as kubectl names it: `deploy/web`.
pub(in crate::model) fn short(workload: &Workload) -> String {
    let kind = match &*workload.kind {
        "Deployment" => "deploy",
        "StatefulSet" => "sts",
        "DaemonSet" => "ds",
        "ReplicaSet" => "rs",
        "CronJob" => "cj",
        other => return format!("{}/{}", other.to_lowercase(), workload.name),
    };
    format!("{kind}/{}", workload.name)
}

/// The labels that name the revision of a pod's template.
const REVISIONS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// The revision of a pod's template.
pub(in crate::model) fn revision(pod: &PodRow) -> Option<&str> {
    REVISIONS.iter().find_map(|label| pod.labels.get(label))
}

/// The namespace of a workload, and the workload.
type WorkloadKey = (Name, Arc<Workload>);

/// The number of pods and the newest creation of each revision.
type ByRevision = BTreeMap<String, (u64, u32)>;

/// The pods of the workloads that have a problem, by revision.
#[derive(Debug, Default)]
pub(super) struct Revisions {
    /// For each workload, the number of pods and the newest creation of each revision.
    workloads: HashMap<WorkloadKey, ByRevision>,
    /// The replicas that workloads should have, if only some pods are known.
    desired: Option<HashMap<WorkloadKey, u64>>,
}

impl Revisions {
    /// Counts the pods of the workloads of these groups.
    pub(super) fn of(world: &World, groups: &BTreeMap<Shared, Group<'_>>) -> Self {
        let workloads = groups.keys().filter_map(|shared| match shared {
            Shared::Workload(namespace, workload, _) => {
                Some((Name::clone(namespace), Arc::clone(workload)))
            }
            _ => None,
        });
        let mut workloads: HashMap<_, ByRevision> =
            workloads.map(|it| (it, BTreeMap::new())).collect();
        if workloads.is_empty() {
            return Self::default();
        }
        for pod in world.pods.rows() {
            let Some(workload) = pod.workload.as_ref().filter(|_| !pod.phase.is_over()) else {
                continue;
            };
            let key = (Name::clone(&pod.namespace), Arc::clone(workload));
            if let Some(revisions) = workloads.get_mut(&key) {
                let of = revision(pod).unwrap_or_default().to_owned();
                let (count, newest) = revisions.entry(of).or_default();
                *count += 1;
                *newest = pod.created_seconds.max(*newest);
            }
        }
        let desired = world.extent.is_some().then(|| {
            let desired = workloads.keys().filter_map(|(namespace, workload)| {
                let key = Key::new(namespace, &workload.name).part(&workload.kind);
                let Replicas { desired, .. } = world.replicas.get(&key)?;
                Some((
                    (Name::clone(namespace), Arc::clone(workload)),
                    u64::from(*desired),
                ))
            });
            desired.collect()
        });
        Self { workloads, desired }
    }

    /// The affected pods of a workload in words: `3 of 10 pods`, `rollout: 3 of 10 new pods`.
    fn of_pods(
        &self,
        namespace: &Name,
        workload: &Arc<Workload>,
        pods: &[&PodRow],
        affected: u64,
    ) -> String {
        let key = (Name::clone(namespace), Arc::clone(workload));
        let revisions = self.workloads.get(&key);
        let newest = revisions.filter(|it| it.len() > 1 && !it.contains_key(""));
        let newest = newest.and_then(|it| it.iter().max_by_key(|(_, (_, newest))| *newest));
        let is_new = |revision: &str| {
            pods.iter()
                .all(|pod| super::group::revision(pod) == Some(revision))
        };
        let rollout = newest.filter(|(revision, _)| !pods.is_empty() && is_new(revision));
        let all = match &self.desired {
            Some(desired) => desired.get(&key).copied(),
            None => rollout
                .map(|(_, (count, _))| *count)
                .or_else(|| revisions.map(|it| it.values().map(|(count, _)| count).sum())),
        };
        let (start, new) = match rollout {
            Some(_) => ("rollout: ", "new "),
            None => ("", ""),
        };
        let noun = |count: u64| if count == 1 { "pod" } else { "pods" };
        match all.filter(|all| *all >= affected) {
            Some(all) => format!("{start}{affected} of {all} {new}{}", noun(all)),
            None => format!("{start}{affected} {new}{}", noun(affected)),
        }
    }
}
