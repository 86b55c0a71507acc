//! Tables and sums that are derived from others.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use super::World;
use crate::model::name::{Key, Name};
use crate::model::row::{
    ClusterRow, ContainerRow, Drain, NamespaceRow, NodeRow, ProbeRow, Rollup, Row, Workload,
    WorkloadRow,
};
use crate::model::table::Table;

impl World {
    /// The sums of nodes and pods.
    fn sum_cluster(&self) -> ClusterRow {
        let nodes = self.nodes.rows().iter().map(|node| &**node);
        let pods = self.pods.rows().iter().map(|pod| &**pod);
        let mut cluster = ClusterRow::of(nodes, pods, !self.has_node_usage);
        if self.nodes.is_empty() {
            // Nodes have not been listed yet, or cannot be. Their usage is known anyway.
            for reading in self.waiting.nodes.values() {
                cluster.add_usage(reading.usage, Some(reading.at));
            }
        }
        cluster
    }

    /// Derives the totals of the cluster and, if the source does not send them, of nodes, if pods or nodes have
    /// changed.
    pub(in crate::model) fn derive_sums(&mut self, sums_of_nodes: bool) {
        if sums_of_nodes && !mem::replace(&mut self.derived.node_sums, true) {
            self.sum_nodes();
        }
        if !self.has_source_totals && !mem::replace(&mut self.derived.cluster, true) {
            self.cluster = self.sum_cluster();
        }
    }

    /// Derives volumes, if one of their parts has changed.
    pub(in crate::model) fn derive_volumes(&mut self) {
        if let Some(rows) = self.volume_parts.changed_rows() {
            self.volumes = Table::of(rows);
        }
    }

    /// Derives containers, if pods have changed.
    pub(in crate::model) fn derive_containers(&mut self) {
        if !mem::replace(&mut self.derived.containers, true) {
            let containers = self.pods.rows().iter().flat_map(ContainerRow::all);
            self.containers = Table::of(containers.collect());
        }
    }

    /// Counts the pods of each node for a drain, if pods or nodes have changed.
    pub(in crate::model) fn derive_nodes(&mut self) {
        // A count of some pods would say that a node is drained.
        if mem::replace(&mut self.derived.drains, true) || self.extent.is_some() {
            return;
        }
        let mut drains: HashMap<&Name, Drain> = HashMap::new();
        for pod in self.pods.rows() {
            drains.entry(&pod.node).or_default().add(pod);
        }
        let drain = |node: &NodeRow| drains.get(&node.name).copied().unwrap_or_default();
        let nodes = self.nodes.rows().iter();
        let changed = nodes.filter(|node| node.drain != Some(drain(node)));
        let changed: Vec<_> = changed.map(|node| (node.key(), drain(node))).collect();
        for (key, drain) in changed {
            if let Some(node) = self.nodes.get_mut(&key) {
                node.drain = Some(drain);
            }
        }
    }

    /// Derives probes, if pods have changed.
    pub(in crate::model) fn derive_probes(&mut self) {
        if !mem::replace(&mut self.derived.probes, true) {
            let probes = self.pods.rows().iter().flat_map(ProbeRow::all);
            self.probes = Table::of(probes.collect());
        }
    }

    /// Sums the requests, limits and restarts of the pods on each node.
    fn sum_nodes(&mut self) {
        let mut sums: HashMap<Name, Rollup> = HashMap::new();
        for pod in self.pods.rows() {
            if !pod.node.is_empty() && !pod.phase.is_over() {
                sums.entry(Arc::clone(&pod.node))
                    .or_default()
                    .add_counted(pod);
            }
        }
        for node in self.nodes.iter_mut() {
            let sum = sums.get(&node.name).copied().unwrap_or_default();
            node.pods = sum.pods;
            node.requests = sum.requests;
            node.limits = sum.limits;
            node.restarts = sum.recent;
        }
    }

    /// Derives namespaces, if pods have changed.
    pub(in crate::model) fn derive_namespaces(&mut self) {
        if mem::replace(&mut self.derived.namespaces, true) {
            return;
        }
        let mut sums: BTreeMap<&Name, Rollup> = BTreeMap::new();
        for pod in self.pods.rows() {
            sums.entry(&pod.namespace).or_default().add(pod);
        }
        let rows = sums.into_iter().map(|(name, all)| NamespaceRow {
            name: Arc::clone(name),
            all,
        });
        self.namespaces = Table::of(rows.collect());
    }

    /// Derives workloads, if pods have changed.
    pub(in crate::model) fn derive_workloads(&mut self) {
        #[derive(Default)]
        struct Sum {
            all: Rollup,
            nodes: HashMap<Name, u32>,
            pods: Vec<u32>,
        }
        if mem::replace(&mut self.derived.workloads, true) {
            return;
        }
        let mut sums: BTreeMap<(&Name, &Workload), (Arc<Workload>, Sum)> = BTreeMap::new();
        for (at, pod) in (0..).zip(self.pods.rows()) {
            let Some(workload) = &pod.workload else {
                continue;
            };
            let (_, sum) = sums
                .entry((&pod.namespace, &**workload))
                .or_insert_with(|| (Arc::clone(workload), Sum::default()));
            sum.all.add(pod);
            sum.pods.push(at);
            if !pod.node.is_empty() && !pod.phase.is_over() {
                *sum.nodes.entry(Arc::clone(&pod.node)).or_default() += 1;
            }
        }
        let mut pods = HashMap::with_capacity(sums.len());
        let mut rows: Vec<WorkloadRow> = sums
            .into_iter()
            .map(|((namespace, _), (workload, sum))| {
                let row = WorkloadRow {
                    namespace: Arc::clone(namespace),
                    workload,
                    all: sum.all,
                    nodes: u32::try_from(sum.nodes.len()).unwrap_or(u32::MAX),
                    max_per_node: sum.nodes.values().copied().max().unwrap_or(0),
                    replicas: None,
                    availability: None,
                };
                pods.insert(row.key(), sum.pods);
                row
            })
            .collect();
        self.workload_pods = Arc::new(pods);
        for row in &mut rows {
            row.replicas = self.replicas.get(&row.key()).copied();
        }
        let with_pods: HashSet<Key> = rows.iter().map(Row::key).collect();
        // A workload without pods is shown if it should have some.
        let without = self
            .replicas
            .iter()
            .filter(|(key, replicas)| replicas.desired > 0 && !with_pods.contains(key));
        rows.extend(without.map(|(key, replicas)| WorkloadRow {
            namespace: Arc::clone(&key.namespace),
            workload: Workload::new(Arc::clone(&key.part), Arc::clone(&key.name)),
            all: Rollup::default(),
            nodes: 0,
            max_per_node: 0,
            replicas: Some(*replicas),
            availability: None,
        }));
        for row in &mut rows {
            row.availability = self.availability.get(&row.key()).copied();
        }
        self.workloads = Table::of(rows);
    }
}
