//! What is known about a container of a workload: its requests and limits, and the usage of all of its replicas.

use std::collections::BTreeMap;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    Amounts, ContainerVitals, MemoryRange, PodVitals, Quantiles, Role, Statistics,
};

/// With fewer samples the 95th percentile is the maximum, so a replica with fewer counts for the percentiles only if no
/// replica has more.
const LEAST_SAMPLES: u64 = 20;

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
            self.add_usage(stats);
        }
    }

    fn add_usage(&mut self, stats: &Statistics) {
        let evidence = &mut self.evidence;
        evidence.samples += stats.samples;
        evidence.restarts += stats.restarts;
        evidence.most_restarts = evidence.most_restarts.max(stats.restarts);
        evidence.oom_kills += stats.oom_kills;
        evidence.growth = evidence.growth.or_else(|| growth(&stats.memory_quarters));
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
mod tests {
    use kubevitals_proto::vitals::{ContainerState, Meta, Workload};

    use super::*;

    fn quantiles(values: [u64; 5]) -> Quantiles {
        let [p50, p90, p95, p99, max] = values;
        Quantiles {
            p50,
            p90,
            p95,
            p99,
            max,
        }
    }

    fn stats(minutes: (i64, i64), samples: u64, cpu: [u64; 5]) -> Statistics {
        Statistics {
            since: Timestamp::from_secs(minutes.0 * 60),
            until: Timestamp::from_secs(minutes.1 * 60),
            covered: GoDuration::from_secs((minutes.1 - minutes.0) * 60),
            samples,
            cpu: quantiles(cpu),
            memory: quantiles(cpu),
            ..Statistics::default()
        }
    }

    fn pod(created: i64, request: &str, stats: Option<Statistics>) -> PodVitals {
        PodVitals {
            metadata: Meta {
                namespace: "shop".to_owned(),
                name: format!("web-{created}"),
                creation_timestamp: Some(Timestamp::from_secs(created)),
                ..Meta::default()
            },
            phase: "Running".to_owned(),
            workload: Some(Workload {
                kind: "Deployment".to_owned(),
                name: "web".to_owned(),
            }),
            containers: vec![ContainerVitals {
                name: "web".to_owned(),
                requests: Amounts {
                    cpu: request.parse().ok(),
                    ..Amounts::default()
                },
                stats,
                ..ContainerVitals::default()
            }],
            ..PodVitals::default()
        }
    }

    fn collected(pods: &[PodVitals]) -> Evidence {
        let mut collector = Collector::default();
        pods.iter().for_each(|pod| collector.add(pod));
        let mut found = collector.finish();
        assert_eq!(found.len(), 1, "{found:?}");
        found.pop().unwrap().1
    }

    #[test]
    fn the_replica_with_the_highest_usage_decides_each_percentile() {
        let a = stats((0, 60), 240, [10, 20, 30, 40, 50]);
        let b = stats((0, 60), 240, [20, 21, 22, 23, 99]);
        let found = collected(&[pod(1, "1", Some(a)), pod(2, "1", Some(b))]);
        assert_eq!(found.cpu, quantiles([20, 21, 30, 40, 99]));
        assert_eq!((found.replicas, found.samples), (2, 480));
        assert_eq!(found.history, GoDuration::from_secs(3600));
    }

    #[test]
    fn a_replica_with_few_samples_counts_for_the_maximum_only() {
        let long = stats((0, 60), 240, [10, 20, 30, 40, 50]);
        let young = stats((59, 60), 4, [70, 70, 70, 70, 70]);
        for pods in [[&long, &young], [&young, &long]] {
            let pods = pods.map(|stats| pod(1, "1", Some(stats.clone())));
            assert_eq!(collected(&pods).cpu, quantiles([10, 20, 30, 40, 70]));
        }
        // If all have few, the percentiles are those that there are.
        let pods = [pod(1, "1", Some(young.clone())), pod(2, "1", Some(young))];
        assert_eq!(collected(&pods).cpu, quantiles([70; 5]));
    }

    #[test]
    fn history_is_the_time_that_any_replica_covers() {
        let of = |spans: &[(i64, i64)]| {
            let pods = spans
                .iter()
                .map(|span| pod(1, "1", Some(stats(*span, 9, [1; 5]))));
            collected(&pods.collect::<Vec<_>>()).history.0 / 60_000_000_000
        };
        // Three replicas of ten minutes are ten minutes of history.
        assert_eq!(of(&[(50, 60), (50, 60), (50, 60)]), 10);
        // The pods before a rollout count.
        assert_eq!(of(&[(0, 50), (49, 60)]), 60);
        // Runs of a CronJob.
        assert_eq!(of(&[(40, 42), (0, 2), (20, 22)]), 6);
        assert_eq!(collected(&[pod(1, "1", None)]).history, GoDuration(0));
    }

    #[test]
    fn a_gap_of_all_replicas_is_no_history() {
        let gap = Statistics {
            covered: GoDuration::from_secs(600),
            ..stats((0, 60), 40, [1; 5])
        };
        assert_eq!(
            collected(&[pod(1, "1", Some(gap))]).history,
            GoDuration::from_secs(600)
        );
    }

    #[test]
    fn requests_are_those_of_the_latest_existing_replica() {
        let request = |pods: &[PodVitals]| {
            let found = collected(pods);
            (found.spec.cpu_request.unwrap().0 / 1_000_000, found.differs)
        };
        let (old, new) = (pod(1, "100m", None), pod(9, "200m", None));
        assert_eq!(request(&[old.clone(), new.clone()]), (200, true));
        assert_eq!(request(&[new.clone(), old.clone()]), (200, true));
        assert_eq!(request(&[old.clone(), old.clone()]), (100, false));
        let deleted = PodVitals {
            deleted_at: Some(Timestamp::from_secs(10)),
            ..new
        };
        for pods in [[&deleted, &old], [&old, &deleted]] {
            let found = collected(&pods.map(Clone::clone));
            assert_eq!(found.spec.cpu_request, Some(Nanocores(100_000_000)));
            assert_eq!(
                (found.replicas, found.past_replicas, found.differs),
                (1, 1, false)
            );
        }
    }

    #[test]
    fn a_workload_without_pods_has_no_evidence() {
        let pod = PodVitals {
            deleted_at: Some(Timestamp::from_secs(10)),
            ..pod(1, "1", Some(stats((0, 60), 240, [1; 5])))
        };
        let mut collector = Collector::default();
        collector.add(&pod);
        assert_eq!(collector.finish(), []);
    }

    #[test]
    fn init_containers_are_left_out_and_sidecars_are_not() {
        let mut one = pod(1, "1", None);
        for (name, role) in [("migrate", Role::Init), ("proxy", Role::Sidecar)] {
            one.containers.push(ContainerVitals {
                name: name.to_owned(),
                role,
                state: ContainerState {
                    reason: "CrashLoopBackOff".to_owned(),
                    ..ContainerState::default()
                },
                ..ContainerVitals::default()
            });
        }
        let mut collector = Collector::default();
        collector.add(&one);
        let found = collector.finish();
        let names: Vec<(&str, bool, bool)> = found
            .iter()
            .map(|(key, it)| (&*key.container, it.is_sidecar, it.is_backed_off))
            .collect();
        assert_eq!(names, [("proxy", true, true), ("web", false, false)]);
    }

    #[test]
    fn a_limit_without_a_request_is_the_request() {
        let amounts = |cpu: &str, memory: &str| Amounts {
            cpu: cpu.parse().ok(),
            memory: memory.parse().ok(),
            ephemeral_storage: None,
        };
        let spec = Spec::of(&amounts("", "64Mi"), &amounts("1", "64Mi"));
        assert_eq!(spec.cpu_request, Some(Nanocores(1_000_000_000)));
        assert!(spec.is_guaranteed());
        assert!(!Spec::of(&amounts("1", "64Mi"), &amounts("1", "65Mi")).is_guaranteed());
        assert!(!Spec::of(&amounts("1", "64Mi"), &amounts("", "")).is_guaranteed());
    }

    #[test]
    fn a_leak_is_growth_and_noise_or_a_step_is_not() {
        for (quarters, grows, why) in [
            (
                [(100, 110), (120, 130), (140, 150), (160, 170)],
                true,
                "a leak",
            ),
            (
                [(100, 130), (110, 140), (121, 150), (131, 160)],
                true,
                "a slow leak beside noise",
            ),
            (
                [(100, 130), (110, 140), (120, 150), (130, 160)],
                false,
                "no more than the noise",
            ),
            (
                [(200, 201), (205, 206), (210, 211), (219, 220)],
                false,
                "too little to matter",
            ),
            (
                [(100, 110), (100, 110), (100, 110), (100, 110)],
                false,
                "constant",
            ),
            (
                [(100, 110), (170, 180), (170, 180), (170, 180)],
                false,
                "one step",
            ),
            (
                [(100, 110), (160, 180), (185, 190), (190, 194)],
                false,
                "a cache that becomes full",
            ),
            (
                [(100, 110), (140, 190), (130, 170), (150, 200)],
                false,
                "up and down",
            ),
            (
                [(160, 170), (140, 150), (120, 130), (100, 110)],
                false,
                "less and less",
            ),
        ] {
            let quarters = quarters.map(|(min, max)| MemoryRange { min, max });
            assert_eq!(growth(&quarters).is_some(), grows, "{why}");
        }
        assert_eq!(growth(&[]), None);
    }
}
