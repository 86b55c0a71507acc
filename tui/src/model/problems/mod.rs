//! The problems of the overview: open and recent incidents, unhealthy pods and nodes, grouped by their common cause.
//!
//! The server joins incidents of one namespace that have one cause. This rule continues where the server must not: over
//! namespaces, and for pods that no incident explains, as with a source without incidents. A pod belongs to the first of
//! these that applies:
//!
//! 1. a cause of its node: the node is not ready, or evicts pods;
//! 2. an incident that names the pod, or its workload;
//! 3. its workload and its own symptom;
//! 4. itself, if it has no workload.

mod cause;
mod group;
mod symptom;
#[cfg(test)]
mod tests;
mod verdict;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kubevitals_proto::objects::scarce_resource;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, IncidentKind};

use super::acknowledge::Acknowledgements;
use super::attention::{Attention, attention, lost};
use super::check;
use super::filter::Filter;
use super::name::{Key, Name, Workload};
use super::row::{IncidentRow, NodeRow, PodRow, ProblemRow, Row as _, Urgency, is_recent};
use super::scope::{Limits, Scope};
use super::tone::Thresholds;
use super::world::World;
use cause::{NodeCause, Shared};
use group::{Group, Revisions};
pub(super) use group::{revision, short};
use symptom::Symptom;
pub use verdict::{Verdict, verdict};

/// What the problems depend on beside the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The time of the state.
    pub now: Timestamp,
    /// The parts of a limit at which usage is high and too high.
    pub thresholds: Thresholds,
    /// The namespaces; empty for all, and for nodes.
    pub namespaces: &'a [Name],
    /// The filter that pods, incidents and nodes must pass.
    pub filter: &'a Filter,
    /// The acknowledged objects, which are left out.
    pub acknowledgements: Option<&'a Acknowledgements>,
}

/// The problems of a cluster.
#[derive(Debug, Default)]
pub struct Problems {
    /// The problems, the most urgent first; of equally urgent ones the latest first.
    pub rows: Vec<ProblemRow>,
    /// The number of acknowledged pods, incidents and nodes, which are left out.
    pub acknowledged: usize,
}

/// Groups the problems of a cluster. Each unhealthy pod and each open incident is in exactly one group.
#[must_use]
pub fn problems(world: &World, basis: &Basis<'_>) -> Problems {
    let causes = Causes::of(world, basis);
    let mut groups: BTreeMap<Shared, Group<'_>> = BTreeMap::new();
    let mut acknowledged = 0;
    let mut count = |is_acknowledged: bool| {
        acknowledged += usize::from(is_acknowledged);
        is_acknowledged
    };
    if basis.namespaces.is_empty() {
        for (node, cause, urgency) in nodes(world) {
            let is_listed = basis.filter.matches(node, basis.now);
            if is_listed && !count(basis.has_acknowledged(|all| all.has_node(node))) {
                let key = Shared::Node(Name::clone(&node.name), cause);
                groups.entry(key).or_default().add_node(node, urgency);
            }
        }
    }
    for (row, shared) in &causes.incidents {
        if basis.lists_incident(row) && !count(basis.has_acknowledged(|all| all.has_incident(row)))
        {
            let group = groups.entry(shared.clone()).or_default();
            group.add_incident(row, basis.now);
        }
    }
    for pod in world.pods.rows() {
        let Some(needs) = attention(pod, basis.now, basis.thresholds) else {
            continue;
        };
        let is_listed =
            basis.has_namespace(&pod.namespace) && basis.filter.matches(&**pod, basis.now);
        if is_listed && !count(basis.has_acknowledged(|all| all.has_pod(pod, Some(needs)))) {
            let symptom = Symptom::of_pod(pod, needs);
            let shared = causes.of_pod(pod, needs, &symptom);
            let urgency = urgency(pod, needs, basis);
            let since = since(pod, urgency, &shared);
            let group = groups.entry(shared).or_default();
            group.add_pod(pod, symptom, urgency, since);
        }
    }
    let revisions = Revisions::of(world, &groups);
    let rows = groups
        .into_iter()
        .map(|(shared, group)| group.into_row(&shared, &revisions));
    let mut rows: Vec<ProblemRow> = rows.collect();
    // The sort is stable: the order of `Shared` decides between equal ones.
    rows.sort_by(|a, b| {
        b.urgency
            .cmp(&a.urgency)
            .then_with(|| b.since.cmp(&a.since))
    });
    Problems { rows, acknowledged }
}

impl Basis<'_> {
    fn has_namespace(&self, namespace: &str) -> bool {
        let limits = Limits {
            scope: &Scope::All,
            namespaces: self.namespaces,
            now: self.now,
            names_probe: false,
        };
        limits.has_namespace(namespace)
    }

    fn has_acknowledged(&self, is_in: impl Fn(&Acknowledgements) -> bool) -> bool {
        self.acknowledgements.is_some_and(is_in)
    }

    /// Whether an incident is listed: the incident of a node is in no chosen namespace.
    fn lists_incident(&self, row: &IncidentRow) -> bool {
        let namespace = &row.incident.involved.namespace;
        let is_in = match namespace.as_str() {
            "" => self.namespaces.is_empty(),
            namespace => self.has_namespace(namespace),
        };
        is_in && self.filter.matches(row, self.now)
    }
}

/// The nodes with a problem of their own.
fn nodes(world: &World) -> impl Iterator<Item = (&NodeRow, NodeCause, Urgency)> {
    let lost = lost(world);
    let not_ready: HashSet<&Name> = lost.not_ready.into_iter().collect();
    let silent: HashSet<&Name> = lost.silent.into_iter().collect();
    world.nodes.rows().iter().flat_map(move |node| {
        let is_lost = not_ready.contains(&node.name);
        let is_silent = silent.contains(&node.name);
        let has_condition = !is_lost && !node.conditions.is_empty();
        let causes = [
            (is_lost, NodeCause::NotReady, Urgency::Critical),
            (has_condition, NodeCause::Pressure, Urgency::Warning),
            (is_silent, NodeCause::Silent, Urgency::Warning),
        ];
        let causes = causes.into_iter().filter(|(applies, ..)| *applies);
        causes.map(|(_, cause, urgency)| (&**node, cause, urgency))
    })
}

/// How urgent the state of a pod is: the rule of `vitals check`.
fn urgency(pod: &PodRow, needs: Attention, basis: &Basis<'_>) -> Urgency {
    match needs {
        Attention::Recent => Urgency::Over,
        Attention::NearLimit => Urgency::Warning,
        _ => match check::severity_of_pod(pod, basis.now) {
            Some(check::Severity::Critical) => Urgency::Critical,
            Some(check::Severity::Warning) => Urgency::Warning,
            None if pod.phase.is_over() => Urgency::Over,
            None => Urgency::Starting,
        },
    }
}

/// Since when a pod has its problem, as far as its containers tell.
fn since(pod: &PodRow, urgency: Urgency, shared: &Shared) -> Option<Timestamp> {
    match (shared, urgency) {
        // Its containers have not changed since the node was lost.
        (Shared::Node(_, NodeCause::NotReady), _) => None,
        (_, Urgency::Over) => pod.restarts.finished().or_else(|| check::changed(pod)),
        _ => check::changed(pod),
    }
}

/// What incidents and nodes explain.
struct Causes<'a> {
    /// The open incidents and those that ended recently, each with its group. Open ones come first.
    incidents: Vec<(&'a Arc<IncidentRow>, Shared)>,
    /// The groups of pods that an incident names, and whether it is open.
    pods: HashMap<(&'a str, &'a str), (usize, bool)>,
    /// The groups of workloads whose incident names only some of its pods.
    workloads: HashMap<(&'a str, &'a str, &'a str), usize>,
    /// Nodes that are not ready.
    lost: HashSet<&'a str>,
}

impl<'a> Causes<'a> {
    fn of(world: &'a World, basis: &Basis<'_>) -> Self {
        let now = basis.now;
        let rows = world.incidents.rows().iter();
        let mut rows: Vec<&Arc<IncidentRow>> = rows
            .filter(|row| row.incident.began <= now)
            .filter(|row| row.is_open_at(now) || is_recent(row.incident.ended, now))
            .collect();
        rows.sort_by_key(|row| (!row.is_open_at(now), row.incident.began, row.key()));
        let nodes = world.nodes.rows().iter();
        let mut causes = Self {
            incidents: Vec::with_capacity(rows.len()),
            pods: HashMap::new(),
            workloads: HashMap::new(),
            lost: nodes
                .filter(|node| !node.ready)
                .map(|node| &*node.name)
                .collect(),
        };
        for row in rows {
            causes.add(world, row, row.is_open_at(now));
        }
        causes
    }

    fn add(&mut self, world: &World, row: &'a Arc<IncidentRow>, is_open: bool) {
        let incident = &row.incident;
        let involved = &incident.involved;
        let at = self.incidents.len();
        self.incidents.push((row, shared_of_incident(world, row)));
        let mut name = |name: &'a str| {
            let key = (involved.namespace.as_str(), name);
            self.pods.entry(key).or_insert((at, is_open));
        };
        if row.is_of_pod() {
            name(&involved.name);
        }
        incident.affected.iter().for_each(|pod| name(&pod.name));
        // The list of the affected pods ends early.
        let listed = u64::try_from(incident.affected.len()).unwrap_or(u64::MAX);
        if is_open && incident.affected_count > listed && !row.is_of_node() {
            let workload = (&*involved.namespace, &*involved.kind, &*involved.name);
            self.workloads.entry(workload).or_insert(at);
        }
    }

    /// The group of a pod.
    fn of_pod(&self, pod: &PodRow, needs: Attention, symptom: &Symptom) -> Shared {
        let of_node = |cause| Shared::Node(Name::clone(&pod.node), cause);
        if self.lost.contains(&*pod.node) && needs >= Attention::Unsettled {
            return of_node(NodeCause::NotReady);
        }
        if *symptom == Symptom::Evicted
            && !pod.node.is_empty()
            && pod.message.as_deref().and_then(scarce_resource).is_some()
        {
            return of_node(NodeCause::Pressure);
        }
        let named = self.pods.get(&(&*pod.namespace, &*pod.name));
        // An incident that is over explains only what is over.
        let is_over = needs == Attention::Recent || pod.phase.is_over();
        let named = named.filter(|(_, is_open)| *is_open || is_over);
        let workload = pod.workload.as_ref();
        let among =
            workload.and_then(|it| self.workloads.get(&(&*pod.namespace, &*it.kind, &*it.name)));
        let at = named.map(|(at, _)| at).or(among);
        if let Some((_, shared)) = at.and_then(|at| self.incidents.get(*at)) {
            return shared.clone();
        }
        match workload {
            Some(workload) => Shared::Workload(
                Name::clone(&pod.namespace),
                Arc::clone(workload),
                symptom.clone(),
            ),
            None => Shared::Pod(pod.key()),
        }
    }
}

/// The group of an incident.
fn shared_of_incident(world: &World, row: &IncidentRow) -> Shared {
    let incident = &row.incident;
    let involved = &incident.involved;
    let namespace = Name::from(&*involved.namespace);
    let is_evicted = incident.reason == IncidentKind::Eviction;
    if row.is_of_node() {
        let cause = if is_evicted {
            NodeCause::Pressure
        } else {
            NodeCause::NotReady
        };
        return Shared::Node(Name::from(&*involved.name), cause);
    }
    if is_evicted && incident.cause == Cause::NodePressure && !involved.node.is_empty() {
        return Shared::Node(Name::from(&*involved.node), NodeCause::Pressure);
    }
    let key = Key::new(&namespace, &Name::from(&*involved.name));
    let workload = match &involved.workload {
        Some(workload) => Some(Workload::new(&*workload.kind, &*workload.name)),
        None if row.is_of_pod() => world.pods.get(&key).and_then(|pod| pod.workload.clone()),
        None => Some(Workload::new(&*involved.kind, &*involved.name)),
    };
    match workload {
        Some(workload) => Shared::Workload(namespace, workload, Symptom::of_incident(row)),
        None => Shared::Pod(key),
    }
}
