//! The data of a cluster at one time.

mod apply;
mod derive;
mod past;

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::model::batch::{Extent, PodReading, Reading};
use crate::model::name::{Key, Name};
use crate::model::observed_restarts::ObservedRestarts;
use crate::model::row::{
    AvailabilityCells, ChangeRow, ClusterRow, ContainerRow, ForecastRow, HpaRow, IncidentRow,
    MemberIncidentRow, MemberRow, NamespaceRow, NodeRow, PodRow, ProbeRow, ProblemRow, Replicas,
    Row, VolumeRow, WorkloadRow,
};
use crate::model::table::Table;
use crate::model::volumes::VolumeParts;

/// The data of a cluster at one time. A clone shares the rows.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// Pods.
    pub pods: Table<PodRow>,
    /// Nodes.
    pub nodes: Table<NodeRow>,
    /// Horizontal pod autoscalers.
    pub hpas: Table<HpaRow>,
    /// Incidents.
    pub incidents: Table<IncidentRow>,
    /// All clusters, if there are several.
    pub members: Table<MemberRow>,
    /// Their incidents.
    pub member_incidents: Table<MemberIncidentRow>,
    /// Claims with their volumes, derived from the parts.
    pub volumes: Table<VolumeRow>,
    /// What volumes are derived from.
    volume_parts: VolumeParts,
    /// The cluster's totals.
    pub cluster: ClusterRow,
    /// Whether the totals come from the source; else they are the sums of nodes and pods.
    pub has_source_totals: bool,
    /// Which pods are included, if not all are.
    pub extent: Option<Extent>,
    /// The CronJob of each Job, from a source that sends Jobs.
    jobs: HashMap<Key, Name>,
    /// Replicas of workloads, from their status.
    pub replicas: HashMap<Key, Replicas>,
    /// The availability of workloads. The part of the key is the kind.
    pub availability: HashMap<Key, AvailabilityCells>,
    /// Workloads, derived from the pods.
    pub workloads: Table<WorkloadRow>,
    /// The indexes of the pods of each workload, derived with the workloads.
    workload_pods: Arc<HashMap<Key, Vec<u32>>>,
    /// Namespaces, derived from the pods.
    pub namespaces: Table<NamespaceRow>,
    /// Containers, derived from the pods.
    pub containers: Table<ContainerRow>,
    /// Problems, made for the list of the overview.
    pub problems: Table<ProblemRow>,
    /// What runs out, made for the overview.
    pub forecasts: Table<ForecastRow>,
    /// What has changed, made for the overview.
    pub changes: Table<ChangeRow>,
    /// Probes, derived from the pods.
    pub probes: Table<ProbeRow>,
    /// The time of status, restarts, probes and events, if usage is of an earlier time.
    pub status_at: Option<Timestamp>,
    /// Observed restarts, for sources that only report totals.
    observed_restarts: ObservedRestarts,
    /// Readings of nodes and pods that have not been sent yet.
    waiting: Waiting,
    /// Whether the source has sent usage of nodes. From then on the usage of pods does not replace it.
    has_node_usage: bool,
    /// Which derived tables are up to date.
    derived: Derived,
}

/// Readings that arrived before their nodes and pods: those of the last response, because lists take longer than usage.
#[derive(Debug, Clone, Default)]
struct Waiting {
    nodes: HashMap<Key, Reading>,
    pods: HashMap<Key, PodReading>,
}

impl Waiting {
    /// Limits. The largest cluster that Kubernetes supports has half as many nodes, and fewer pods.
    const MAX_NODES: usize = 10_000;
    const MAX_PODS: usize = 200_000;
}

#[derive(Debug, Clone, Copy, Default)]
struct Derived {
    workloads: bool,
    namespaces: bool,
    containers: bool,
    probes: bool,
    drains: bool,
    cluster: bool,
    node_sums: bool,
}

/// A kind of row whose table shows the rows as the source sends them.
pub trait PlainRow: Row {
    /// The table.
    fn table(world: &mut World) -> &mut Table<Self>;
}

impl PlainRow for HpaRow {
    fn table(world: &mut World) -> &mut Table<Self> {
        &mut world.hpas
    }
}

/// The key of the cluster's own trend.
#[must_use]
pub fn cluster_key() -> Key {
    Key::named(&Name::default())
}

impl World {
    /// Marks tables and sums that are derived from pods as out of date.
    pub fn pods_changed(&mut self) {
        self.derived = Derived::default();
    }

    /// Marks sums of nodes as out of date.
    pub fn nodes_changed(&mut self) {
        self.derived.cluster = false;
        self.derived.node_sums = false;
        self.derived.drains = false;
    }

    /// Prepares for data of another source.
    pub fn source_changed(&mut self) {
        self.waiting = Waiting::default();
        self.has_node_usage = false;
        self.volume_parts.drop_usage();
        self.pods_changed();
    }

    /// The pods of a workload, if workloads are derived.
    pub(super) fn pods_of_workload(&self, workload: &Key) -> impl Iterator<Item = &Arc<PodRow>> {
        let pods = self.workload_pods.get(workload).into_iter().flatten();
        pods.filter_map(|at| self.pods.row(*at))
    }

    /// The pods of a namespace.
    pub(super) fn pods_of_namespace(&self, namespace: &Name) -> impl Iterator<Item = &Arc<PodRow>> {
        // Pods are in order of their namespaces.
        let pods = self.pods.rows();
        let first = pods.partition_point(|pod| pod.namespace < *namespace);
        let pods = pods.get(first..).unwrap_or_default().iter();
        pods.take_while(move |pod| pod.namespace == *namespace)
    }

    /// What comparisons read of the pods and nodes, to compare later states with. Pods that are the same in the
    /// baseline `before` are shared with it. Whole pods would all be copied at the next usage.
    #[must_use]
    pub fn baseline(&self, before: Option<&Self>) -> Self {
        let none = Table::default();
        let before = before.map_or(&none, |before| &before.pods);
        Self {
            pods: self.pods.parts(before, PodRow::compared),
            nodes: self.nodes.clone(),
            extent: self.extent.clone(),
            ..Self::default()
        }
    }
}
