//! Applies what the source sends.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::{Waiting, World};
use crate::model::amount::Amounts;
use crate::model::batch::{Batch, PodReading, Reading};
use crate::model::name::{Key, Name};
use crate::model::row::{NodeRow, PodRow, Row, Workload, to_seconds};
use crate::model::table::{Change, Table};
use crate::model::trend::Trends;
use crate::model::volumes::VolumeChange;

impl World {
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

    /// Applies a part of volumes.
    pub fn apply_volumes(&mut self, change: VolumeChange) {
        self.volume_parts.apply(change);
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
