//! Open incidents, and what they explain.

use std::collections::HashSet;
use std::sync::Arc;

use kubevitals_proto::vitals::IncidentKind;

use super::problem::{Basis, Object, Problem, Severity};
use super::rule::Rule;
use crate::model::attention::is_unwell;
use crate::model::row::{IncidentRow, PodRow};
use crate::model::world::World;

/// Adds the open incidents.
pub(super) fn check(world: &World, basis: &Basis<'_>, problems: &mut Vec<Problem>) {
    let pods = world.pods.rows().iter().map(|pod| &**pod);
    let unwell: Vec<&PodRow> = pods.filter(|pod| is_unwell(pod, basis.now)).collect();
    for row in open(world, basis) {
        let incident = &row.incident;
        let involved = &incident.involved;
        let times = match incident.count {
            0 | 1 => String::new(),
            count => format!(", {count} times"),
        };
        problems.push(Problem {
            severity: severity(row, &unwell),
            rule: Rule::Incident,
            object: Object {
                kind: involved.kind.clone(),
                namespace: involved.namespace.clone(),
                name: involved.name.clone(),
                container: involved.container.clone(),
            },
            message: format!(
                "{}: {}{times}; {}",
                row.reason(),
                row.cause(),
                incident.message
            ),
            since: Some(incident.began),
        });
    }
}

/// The open incidents that the check includes.
fn open<'a>(
    world: &'a World,
    basis: &'a Basis<'_>,
) -> impl Iterator<Item = &'a Arc<IncidentRow>> + use<'a> {
    let incidents = world.incidents.rows().iter();
    incidents.filter(|row| {
        let is_in = match row.incident.involved.namespace.as_str() {
            // A node's incident.
            "" => basis.namespaces.is_empty(),
            namespace => basis.has_namespace(namespace),
        };
        row.is_open() && is_in
    })
}

/// An incident of a node is critical, and one of pods while one of them is not well. A container that runs again has an
/// open incident until it has run for a while.
fn severity(row: &IncidentRow, unwell: &[&PodRow]) -> Severity {
    let mut explained = Explained::default();
    explained.add(row);
    if is_of_lost_node(row) || unwell.iter().any(|pod| explained.has_pod(pod)) {
        Severity::Critical
    } else {
        Severity::Warning
    }
}

fn is_of_lost_node(row: &IncidentRow) -> bool {
    row.incident.reason == IncidentKind::NodeNotReady
}

/// The nodes and pods whose problems open incidents explain.
#[derive(Debug, Default)]
pub(super) struct Explained<'a> {
    nodes: HashSet<&'a str>,
    /// Namespaces and names.
    pods: HashSet<(&'a str, &'a str)>,
    /// Namespaces, kinds and names of workloads all of whose pods may be affected.
    workloads: HashSet<(&'a str, &'a str, &'a str)>,
}

impl<'a> Explained<'a> {
    /// What the open incidents explain that the check includes.
    pub(super) fn of(world: &'a World, basis: &'a Basis<'_>) -> Self {
        let mut explained = Self::default();
        if basis.rules.contains(&Rule::Incident) {
            for row in open(world, basis) {
                explained.add(row);
            }
        }
        explained
    }

    fn add(&mut self, row: &'a IncidentRow) {
        let incident = &row.incident;
        let involved = &incident.involved;
        let namespace = involved.namespace.as_str();
        if is_of_lost_node(row) {
            self.nodes.insert(&involved.name);
        } else if row.is_of_pod() {
            self.pods.insert((namespace, &involved.name));
        }
        for pod in &incident.affected {
            self.pods.insert((namespace, &pod.name));
        }
        // The list of the affected pods ends early.
        let listed = u64::try_from(incident.affected.len()).unwrap_or(u64::MAX);
        if incident.affected_count > listed {
            self.workloads
                .insert((namespace, &involved.kind, &involved.name));
        }
    }

    /// Whether an incident explains that this node is not ready.
    pub(super) fn has_node(&self, name: &str) -> bool {
        self.nodes.contains(name)
    }

    /// Whether an incident explains the state of this pod.
    pub(super) fn has_pod(&self, pod: &PodRow) -> bool {
        let namespace = &*pod.namespace;
        let workload = pod.workload.as_deref();
        let workload = workload.map(|it| (namespace, &*it.kind, &*it.name));
        self.pods.contains(&(namespace, &*pod.name))
            || workload.is_some_and(|workload| self.workloads.contains(&workload))
    }
}
