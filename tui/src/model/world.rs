//! The data of a cluster at one time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::amount::Amounts;
use super::batch::{Batch, Extent, Past, PodReading, Reading};
use super::name::{Key, Name};
use super::observed_restarts::ObservedRestarts;
use super::row::{
    AvailabilityCells, ChangeRow, ClusterRow, ContainerRow, Drain, ForecastRow, HpaRow,
    IncidentRow, MemberIncidentRow, MemberRow, NamespaceRow, NodeRow, PodRow, ProbeRow, ProblemRow,
    Replicas, Rollup, Row, VolumeRow, Workload, WorkloadRow, to_seconds,
};
use super::table::{Change, Table};
use super::trend::Trends;
use super::volumes::{VolumeChange, VolumeParts};

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

    /// Applies rows to a table.
    pub fn apply_batch<R: Row>(table: &mut Table<R>, batch: Batch<R>) {
        match batch {
            Batch::All(rows) => *table = Table::of(rows),
            Batch::Some(changes) => table.apply(changes),
        }
    }

    /// Applies pods. If the source sends usage separately, changed pods get the usage of their old row.
    pub fn apply_pods(&mut self, batch: Batch<PodRow>, has_separate_usage: bool) {
        let batch = if has_separate_usage {
            self.with_usage(batch)
        } else {
            batch
        };
        Self::apply_batch(&mut self.pods, batch);
        self.pods_changed();
    }

    fn with_usage(&mut self, batch: Batch<PodRow>) -> Batch<PodRow> {
        let (pods, jobs, nodes) = (&self.pods, &self.jobs, &self.nodes);
        let (waiting, observed) = (&mut self.waiting.pods, &mut self.observed_restarts);
        let mut complete = |mut row: PodRow| {
            let key = row.key();
            let before = pods.get(&key).filter(|before| before.uid == row.uid);
            // A Job may be deleted before its pods.
            let cron_job = before.and_then(|before| before.workload.clone());
            let cron_job =
                cron_job.filter(|workload| &*workload.kind == CRON_JOB && is_of_job(&row));
            if is_lost(&row.node, nodes) {
                row.mark_unknown();
            }
            if let Some(workload) = cron_job.or_else(|| cron_job_of(&row, jobs)) {
                row.workload = Some(workload);
            }
            if let Some(before) = before {
                observed.compare(before, &mut row);
                row.usage = before.usage;
                row.swap = before.swap;
                row.usage_seconds = before.usage_seconds;
                for container in &mut row.containers {
                    let before = before
                        .containers
                        .iter()
                        .find(|before| before.name == container.name);
                    if let Some(before) = before {
                        container.usage = before.usage;
                        container.swap = before.swap;
                    }
                }
            } else if let Some(reading) = waiting.remove(&key) {
                set_pod_usage(&mut row, &reading);
            }
            row
        };
        batch.map(&mut complete)
    }

    /// Applies nodes; as [`World::apply_pods`].
    pub fn apply_nodes(&mut self, batch: Batch<NodeRow>, has_separate_usage: bool) {
        let batch = if has_separate_usage {
            let (nodes, waiting) = (&self.nodes, &mut self.waiting.nodes);
            batch.map(&mut |mut row: NodeRow| {
                let key = row.key();
                if let Some(before) = nodes.get(&key) {
                    row.usage = before.usage;
                    row.swap = before.swap;
                    row.usage_seconds = before.usage_seconds;
                } else if let Some(reading) = waiting.remove(&key) {
                    set_node_usage(&mut row, &reading);
                }
                row
            })
        } else {
            batch
        };
        let has_lost_nodes = has_separate_usage && batch.rows().any(|node| node.lost);
        Self::apply_batch(&mut self.nodes, batch);
        self.nodes_changed();
        if has_lost_nodes {
            self.mark_pods_unknown();
        }
    }

    /// Marks the state of pods on unreachable nodes as unknown.
    fn mark_pods_unknown(&mut self) {
        let nodes = &self.nodes;
        let lost = self.pods.rows().iter();
        let lost = lost.filter(|pod| is_lost(&pod.node, nodes) && pod.has_known_state());
        for key in lost.map(|pod| pod.key()).collect::<Vec<_>>() {
            if let Some(pod) = self.pods.get_mut(&key) {
                pod.mark_unknown();
            }
        }
        self.pods_changed();
    }

    /// Replaces the usage of nodes and records it. Nodes without a reading lose their usage. Readings of nodes that have
    /// not been listed yet are stored until they are.
    pub fn apply_node_usage(&mut self, readings: Vec<Reading>, trends: &mut Trends) {
        self.has_node_usage |= !readings.is_empty();
        let waiting = self.nodes.join(readings, Reading::key, |node, reading| {
            node.usage = Amounts::default();
            if let Some(reading) = reading {
                set_node_usage(node, &reading);
                trends.push(&node.key(), reading.at, reading.usage);
            }
        });
        for reading in &waiting {
            trends.push(&reading.key(), reading.at, reading.usage);
        }
        let waiting = waiting.into_iter().take(Waiting::MAX_NODES);
        self.waiting.nodes = waiting.map(|reading| (reading.key(), reading)).collect();
        self.nodes_changed();
    }

    /// Replaces the usage of pods and records it; as [`World::apply_node_usage`].
    pub fn apply_pod_usage(&mut self, readings: Vec<PodReading>, trends: &mut Trends) {
        let waiting = self.pods.join(readings, PodReading::key, |pod, reading| {
            pod.usage = Amounts::default();
            for container in &mut pod.containers {
                container.usage = Amounts::default();
            }
            if let Some(reading) = reading {
                set_pod_usage(pod, &reading);
                record_pod(trends, &pod.key(), &reading, pod.containers.len());
            }
        });
        for reading in &waiting {
            record_pod(trends, &reading.key(), reading, 0);
        }
        let waiting = waiting.into_iter().take(Waiting::MAX_PODS);
        self.waiting.pods = waiting.map(|reading| (reading.key(), reading)).collect();
        self.pods_changed();
    }

    /// Updates pods for the current time, for sources that do not: restarts that are no longer recent, and readiness
    /// probes whose first attempt is over.
    pub fn expire(&mut self, now: Timestamp) {
        let before = self.pods.version();
        self.observed_restarts.expire(&mut self.pods, now);
        let waiting = self.pods.rows().iter().filter(|pod| {
            let mut containers = pod.containers.iter();
            pod.probes.waiting > 0 && containers.any(|it| it.is_first_attempt_over(now))
        });
        for key in waiting.map(|pod| pod.key()).collect::<Vec<_>>() {
            if let Some(pod) = self.pods.get_mut(&key) {
                pod.end_first_attempts(now);
            }
        }
        if self.pods.version() != before {
            self.pods_changed();
        }
    }

    /// Applies the CronJobs of Jobs.
    pub fn apply_jobs(&mut self, batch: Batch<(Key, Name)>) {
        match batch {
            Batch::All(jobs) => self.jobs = jobs.into_iter().collect(),
            Batch::Some(changes) => {
                for change in changes {
                    match change {
                        Change::Put((job, cron_job)) => drop(self.jobs.insert(job, cron_job)),
                        Change::Gone(job) => drop(self.jobs.remove(&job)),
                    }
                }
            }
        }
        let pods = self.pods.rows().iter();
        let made = pods.filter_map(|pod| Some((pod.key(), cron_job_of(pod, &self.jobs)?)));
        for (key, workload) in made.collect::<Vec<_>>() {
            if let Some(pod) = self.pods.get_mut(&key) {
                pod.workload = Some(workload);
            }
        }
        self.pods_changed();
    }

    /// Prepares for data of another source.
    pub fn source_changed(&mut self) {
        self.waiting = Waiting::default();
        self.has_node_usage = false;
        self.volume_parts.drop_usage();
        self.pods_changed();
    }

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
    pub(super) fn derive_sums(&mut self, sums_of_nodes: bool) {
        if sums_of_nodes && !mem::replace(&mut self.derived.node_sums, true) {
            self.sum_nodes();
        }
        if !self.has_source_totals && !mem::replace(&mut self.derived.cluster, true) {
            self.cluster = self.sum_cluster();
        }
    }

    /// Applies a part of volumes.
    pub fn apply_volumes(&mut self, change: VolumeChange) {
        self.volume_parts.apply(change);
    }

    /// Derives volumes, if one of their parts has changed.
    pub(super) fn derive_volumes(&mut self) {
        if let Some(rows) = self.volume_parts.changed_rows() {
            self.volumes = Table::of(rows);
        }
    }

    /// Derives containers, if pods have changed.
    pub(super) fn derive_containers(&mut self) {
        if !mem::replace(&mut self.derived.containers, true) {
            let containers = self.pods.rows().iter().flat_map(ContainerRow::all);
            self.containers = Table::of(containers.collect());
        }
    }

    /// Counts the pods of each node for a drain, if pods or nodes have changed.
    pub(super) fn derive_nodes(&mut self) {
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
    pub(super) fn derive_probes(&mut self) {
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
    pub(super) fn derive_namespaces(&mut self) {
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
    pub(super) fn derive_workloads(&mut self) {
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

    /// The pods and nodes, to compare later states with. They share their rows.
    #[must_use]
    pub fn baseline(&self) -> Self {
        Self {
            pods: self.pods.clone(),
            nodes: self.nodes.clone(),
            extent: self.extent.clone(),
            ..Self::default()
        }
    }

    /// The data of a past time, as the source sends it. HPAs, volumes, replicas and availability have no history: the
    /// current ones are shown.
    #[must_use]
    pub fn from_past(past: Past, live: &Self) -> Self {
        Self {
            pods: Table::of(past.pods),
            extent: past.extent,
            nodes: Table::of(past.nodes),
            hpas: live.hpas.clone(),
            members: live.members.clone(),
            volumes: live.volumes.clone(),
            volume_parts: live.volume_parts.clone(),
            replicas: live.replicas.clone(),
            availability: live.availability.clone(),
            incidents: match past.incidents {
                Some(incidents) => Table::of(incidents),
                None => live.incidents.clone(),
            },
            has_source_totals: past.cluster.is_some(),
            cluster: past.cluster.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The data of a past time from the collected trends: usage is of `at`, everything else of `now`.
    #[must_use]
    pub fn with_usage_at(
        &self,
        at: Timestamp,
        now: Timestamp,
        trends: &Trends,
        patience_seconds: u32,
    ) -> Self {
        let reading = |key: &Key| trends.get(key)?.at(at, patience_seconds);
        let mut then = self.clone();
        then.status_at = Some(now);
        for node in then.nodes.iter_mut() {
            let (usage_time, usage) = reading(&node.key()).unwrap_or_default();
            node.usage = usage;
            node.usage_seconds = to_seconds(Some(usage_time));
        }
        then.pods = Table::of(
            then.pods
                .rows()
                .iter()
                .filter(|pod| i64::from(pod.created_seconds) <= at.as_secs())
                .map(|pod| {
                    let mut pod = PodRow::clone(pod);
                    let key = pod.key();
                    let (usage_time, usage) = reading(&key).unwrap_or_default();
                    pod.usage = usage;
                    pod.usage_seconds = to_seconds(Some(usage_time));
                    let alone = pod.containers.len() == 1;
                    for container in &mut pod.containers {
                        let own = || reading(&key.clone().part(&container.name));
                        container.usage = if alone {
                            usage
                        } else {
                            own().unwrap_or_default().1
                        };
                    }
                    pod
                })
                .collect(),
        );
        then.has_source_totals = false;
        then.pods_changed();
        then.nodes_changed();
        then
    }
}

/// Whether a node is unreachable.
fn is_lost(node: &Name, nodes: &Table<NodeRow>) -> bool {
    let node = nodes.get(&Key::named(node));
    node.is_some_and(|node| node.lost)
}

const JOB: &str = "Job";
const CRON_JOB: &str = "CronJob";

fn is_of_job(pod: &PodRow) -> bool {
    let workload = pod.workload.as_deref();
    workload.is_some_and(|workload| &*workload.kind == JOB)
}

/// The CronJob that created a pod's Job.
fn cron_job_of(pod: &PodRow, jobs: &HashMap<Key, Name>) -> Option<Arc<Workload>> {
    let job = pod.workload.as_deref().filter(|_| is_of_job(pod))?;
    let cron_job = jobs.get(&Key::new(&pod.namespace, &job.name))?;
    Some(Workload::new(CRON_JOB, Arc::clone(cron_job)))
}

fn set_node_usage(node: &mut NodeRow, reading: &Reading) {
    node.usage = reading.usage;
    node.swap = reading.swap;
    node.usage_seconds = to_seconds(Some(reading.at));
}

/// Adds the usage of a pod and its containers to their trends. The only container of a pod has the same trend as the
/// pod.
fn record_pod(trends: &mut Trends, key: &Key, reading: &PodReading, containers: usize) {
    let usage = reading.containers.iter().map(|container| container.usage);
    trends.push(key, reading.at, usage.sum());
    if containers.max(reading.containers.len()) > 1 {
        for container in &reading.containers {
            let key = key.clone().part(&container.name);
            trends.push(&key, reading.at, container.usage);
        }
    }
}

fn set_pod_usage(pod: &mut PodRow, reading: &PodReading) {
    let all = || reading.containers.iter();
    pod.usage = all().map(|container| container.usage).sum();
    pod.swap = all().map(|container| container.swap).sum();
    pod.usage_seconds = to_seconds(Some(reading.at));
    for container in &mut pod.containers {
        if let Some(reading) = all().find(|reading| reading.name == container.name) {
            container.usage = reading.usage;
            container.swap = reading.swap;
        }
    }
}
