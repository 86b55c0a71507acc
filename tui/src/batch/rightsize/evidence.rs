//! What is known about a container of a workload: its requests and limits, and the usage of all of its replicas.

use std::collections::BTreeMap;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Amounts, ContainerVitals, MemoryRange, PodVitals, Quantiles, Role, Statistics,
};

/// The least number of samples with percentiles: of fewer, the 95th is the maximum. A replica with fewer counts for the
/// percentiles only if no replica has more.
pub const LEAST_SAMPLES: u64 = 20;

/// The shortest run in which growing memory is a leak, in nanoseconds. In a shorter one it may be caches and the load.
const LEAST_RUN: i64 = 1_800_000_000_000;

/// A container of a workload: all containers of this name in the pods of the workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContainerKey {
    /// The namespace.
    pub namespace: String,
    /// The kind of the workload; `Pod` for a pod without one.
    pub kind: String,
    /// The name of the workload.
    pub workload: String,
    /// The name of the container.
    pub container: String,
}

/// Requests and limits in force. A resource without a value is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spec {
    /// The CPU request.
    pub cpu_request: Option<Nanocores>,
    /// The CPU limit.
    pub cpu_limit: Option<Nanocores>,
    /// The memory request.
    pub memory_request: Option<Bytes>,
    /// The memory limit.
    pub memory_limit: Option<Bytes>,
}

impl Spec {
    fn of(requests: &Amounts, limits: &Amounts) -> Self {
        let (cpu_limit, memory_limit) = (
            limits.cpu.map(Quantity::to_nanocores),
            limits.memory.map(Quantity::to_bytes),
        );
        Self {
            // Kubernetes' rule: without a request, the limit is the request.
            cpu_request: requests.cpu.map(Quantity::to_nanocores).or(cpu_limit),
            cpu_limit,
            memory_request: requests.memory.map(Quantity::to_bytes).or(memory_limit),
            memory_limit,
        }
    }

    /// Whether requests and limits are set and equal, as in a pod of the QoS class Guaranteed.
    fn is_guaranteed(&self) -> bool {
        let cpu = self.cpu_limit.is_some() && self.cpu_limit == self.cpu_request;
        let memory = self.memory_limit.is_some() && self.memory_limit == self.memory_request;
        cpu && memory
    }
}

/// What is known about a container of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// Whether it is a sidecar that runs beside the others.
    pub is_sidecar: bool,
    /// The replicas that exist and have not ended.
    pub replicas: u64,
    /// The deleted and ended replicas whose usage counts.
    pub past_replicas: u64,
    /// The requests and limits of the latest replica.
    pub spec: Spec,
    /// Whether existing replicas have other requests or limits than the latest, as during a rollout.
    pub differs: bool,
    /// Whether the pods have the QoS class Guaranteed.
    pub is_guaranteed: bool,
    /// The CPU of the replica with the highest usage at each percentile, in nanocores.
    pub cpu: Quantiles,
    /// The memory of the replica with the highest usage at each percentile, in bytes.
    pub memory: Quantiles,
    /// The number of samples of all replicas.
    pub samples: u64,
    /// The time that samples of at least one replica cover.
    pub history: GoDuration,
    /// The time of the first and of the last sample.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The restarts of all replicas.
    pub restarts: u64,
    /// The most restarts of one replica.
    pub most_restarts: u64,
    /// The restarts after an OOM kill.
    pub oom_kills: u64,
    /// Whether a replica waits in `CrashLoopBackOff`.
    pub is_backed_off: bool,
    /// The memory of a replica that grows steadily: its floor in four successive parts of its run.
    pub growth: Option<[Bytes; 4]>,
}

/// Collects evidence pod by pod.
#[derive(Debug, Default)]
pub struct Collector {
    containers: BTreeMap<ContainerKey, Collected>,
}

#[derive(Debug, Default)]
struct Collected {
    evidence: Evidence,
    /// The creation time of the replica with `evidence.spec`.
    created: Option<Timestamp>,
    /// Whether a replica has not been deleted.
    exists: bool,
    /// Whether a replica has enough samples for percentiles.
    has_percentiles: bool,
    /// The times that samples of replicas cover, merged, in order.
    spans: Vec<(Timestamp, Timestamp)>,
    /// The sum of the time that samples of each replica cover.
    covered: i64,
}

impl Collector {
    /// Adds a pod with its statistics. Init containers that are no sidecars are left out: they do not run beside the
    /// others.
    pub fn add(&mut self, pod: &PodVitals) {
        let (kind, workload) = match &pod.workload {
            Some(workload) => (&*workload.kind, &workload.name),
            None => ("Pod", &pod.metadata.name),
        };
        let specs = pod.containers.iter();
        let is_guaranteed = specs
            .map(|it| Spec::of(&it.requests, &it.limits))
            .all(|spec| spec.is_guaranteed());
        for container in &pod.containers {
            if container.role == Role::Init {
                continue;
            }
            let key = ContainerKey {
                namespace: pod.metadata.namespace.clone(),
                kind: kind.to_owned(),
                workload: workload.clone(),
                container: container.name.clone(),
            };
            let collected = self.containers.entry(key).or_default();
            collected.add(pod, container, is_guaranteed);
        }
    }

    /// The evidence of each container of a pod that exists. A workload whose pods have all been deleted has none.
    pub fn finish(self) -> Vec<(ContainerKey, Evidence)> {
        let containers = self.containers.into_iter();
        containers
            .filter(|(_, collected)| collected.exists)
            .map(|(key, collected)| (key, collected.finish()))
            .collect()
    }
}

impl Collected {
    fn add(&mut self, pod: &PodVitals, container: &ContainerVitals, is_guaranteed: bool) {
        let is_past = pod.deleted_at.is_some() || matches!(&*pod.phase, "Succeeded" | "Failed");
        let spec = Spec::of(&container.requests, &container.limits);
        self.exists |= pod.deleted_at.is_none();
        let evidence = &mut self.evidence;
        evidence.is_sidecar = container.role == Role::Sidecar;
        if is_past {
            evidence.past_replicas += 1;
        } else {
            evidence.differs |= evidence.replicas > 0 && spec != evidence.spec;
            evidence.replicas += 1;
            evidence.is_backed_off |= container.state.reason == "CrashLoopBackOff";
        }
        let created = pod.metadata.creation_timestamp.filter(|_| !is_past);
        let is_first = evidence.replicas + evidence.past_replicas == 1;
        if is_first || created > self.created || (self.created.is_none() && !is_past) {
            evidence.spec = spec;
            evidence.is_guaranteed = is_guaranteed;
            self.created = created;
        }
        if let Some(stats) = &container.stats {
            let started = container
                .state
                .since
                .filter(|_| container.state.state == "Running");
            self.add_usage(stats, started.unwrap_or_default());
        }
    }

    /// Adds the usage of a container that was started last at this time.
    fn add_usage(&mut self, stats: &Statistics, started: Timestamp) {
        let evidence = &mut self.evidence;
        evidence.samples += stats.samples;
        evidence.restarts += stats.restarts;
        evidence.most_restarts = evidence.most_restarts.max(stats.restarts);
        evidence.oom_kills += stats.oom_kills;
        if stats.until.since(stats.since.max(started)) >= LEAST_RUN {
            evidence.growth = evidence.growth.or_else(|| growth(&stats.memory_quarters));
        }
        self.covered = self.covered.saturating_add(stats.covered.0);
        self.spans.push((stats.since, stats.until));
        merge(&mut self.spans);
        let has_percentiles = stats.samples >= LEAST_SAMPLES;
        let most = (evidence.cpu.max, evidence.memory.max);
        if has_percentiles == self.has_percentiles {
            evidence.cpu = largest(evidence.cpu, stats.cpu);
            evidence.memory = largest(evidence.memory, stats.memory);
        } else if has_percentiles {
            (evidence.cpu, evidence.memory) = (stats.cpu, stats.memory);
            self.has_percentiles = true;
        }
        evidence.cpu.max = evidence.cpu.max.max(most.0).max(stats.cpu.max);
        evidence.memory.max = evidence.memory.max.max(most.1).max(stats.memory.max);
    }

    fn finish(self) -> Evidence {
        let mut evidence = self.evidence;
        let union: i64 = self
            .spans
            .iter()
            .map(|(since, until)| until.since(*since))
            .sum();
        // A gap in all replicas is in the union of their spans, but not in what their samples cover.
        evidence.history = GoDuration(union.min(self.covered));
        evidence.span = self
            .spans
            .first()
            .zip(self.spans.last())
            .map(|(a, b)| (a.0, b.1));
        evidence
    }
}

/// The larger value at each percentile.
fn largest(a: Quantiles, b: Quantiles) -> Quantiles {
    Quantiles {
        p50: a.p50.max(b.p50),
        p90: a.p90.max(b.p90),
        p95: a.p95.max(b.p95),
        p99: a.p99.max(b.p99),
        max: a.max.max(b.max),
    }
}

/// Sorts spans and joins those that overlap.
fn merge(spans: &mut Vec<(Timestamp, Timestamp)>) {
    spans.sort_unstable();
    let mut merged: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(spans.len());
    for span in spans.drain(..) {
        match merged.last_mut() {
            Some(last) if span.0 <= last.1 => last.1 = last.1.max(span.1),
            _ => merged.push(span),
        }
    }
    *spans = merged;
}

/// The floors of the four quarters of a run in which memory grows steadily, as with a leak:
///
/// - the floor of the last quarter is above the ceiling of the first, so the rise is more than the variation;
/// - the floor and the ceiling of each quarter are above those of the quarter before, so it is no single step;
/// - the last quarter contributes at least an eighth of the rise. A cache that becomes full contributes less;
/// - the rise is a tenth or more. A margin covers less.
fn growth(quarters: &[MemoryRange]) -> Option<[Bytes; 4]> {
    let [first, second, third, last] = quarters else {
        return None;
    };
    let steadily = quarters
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a.min < b.min && a.max < b.max));
    let rise = last.min.saturating_sub(first.min);
    let continues = last.min.saturating_sub(third.min) >= rise / 8;
    let is_much = rise >= first.min / 10;
    (last.min > first.max && steadily && continues && is_much)
        .then_some([first.min, second.min, third.min, last.min].map(Bytes))
}

#[cfg(test)]
mod tests;
