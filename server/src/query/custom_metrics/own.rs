//! What only this server knows of a namespace, as external metrics by workload.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::{Timestamp, nanos};

use super::aggregate::Aggregated;
use super::external_value::ExternalValue;
use super::pods_within;
use crate::cluster::{Jobs, Phase, Pod};
use crate::pod_metrics::{Aggregate, Value};
use crate::query::sources::Sources;
use crate::store::{Cells, Percent, Pressure};

/// The time over which restarts are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// The kubelet's counters are stale if the last of two readings is older than so many times the time between them.
const STALE_READINGS: i64 = 3;

/// A metric of this server's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnMetric {
    /// Restarts of containers within the last hour.
    RestartsPerHour,
    /// Failed attempts of probes, by the last two readings of the kubelet's counters.
    ProbeFailuresPerMinute,
    /// Open incidents.
    OpenIncidents,
    /// Running pods without CPU and memory metrics.
    PodsWithoutMetrics,
    /// The part of the last minute in which a task waited, in percent: the mean over the pods.
    PressurePercent(Scarce),
}

/// A resource that tasks wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scarce {
    Cpu,
    Memory,
    Io,
}

impl Scarce {
    fn of(self, pressure: Pressure) -> Option<Percent> {
        match self {
            Self::Cpu => pressure.cpu,
            Self::Memory => pressure.memory,
            Self::Io => pressure.io,
        }
    }
}

/// The names, sorted.
pub(super) const NAMES: [(&str, OwnMetric); 7] = [
    (
        "kubevitals_cpu_pressure_percent",
        OwnMetric::PressurePercent(Scarce::Cpu),
    ),
    (
        "kubevitals_io_pressure_percent",
        OwnMetric::PressurePercent(Scarce::Io),
    ),
    (
        "kubevitals_memory_pressure_percent",
        OwnMetric::PressurePercent(Scarce::Memory),
    ),
    ("kubevitals_open_incidents", OwnMetric::OpenIncidents),
    (
        "kubevitals_pods_without_metrics",
        OwnMetric::PodsWithoutMetrics,
    ),
    (
        "kubevitals_probe_failures_per_minute",
        OwnMetric::ProbeFailuresPerMinute,
    ),
    ("kubevitals_restarts_per_hour", OwnMetric::RestartsPerHour),
];

impl OwnMetric {
    /// The metric of a name.
    pub(super) fn of(name: &str) -> Option<Self> {
        let found = NAMES.iter().find(|(own, _)| *own == name);
        found.map(|(_, metric)| *metric)
    }

    fn aggregate(self) -> Aggregate {
        match self {
            Self::PressurePercent(_) => Aggregate::Mean,
            _ => Aggregate::Sum,
        }
    }

    /// The values in a namespace, one for each workload: labels `kind` and `workload`. A pod without a controller is its
    /// own workload.
    pub(super) fn read(self, sources: &Sources, namespace: &str) -> Vec<ExternalValue> {
        let (pods, jobs) = (sources.cluster.pods(), sources.cluster.jobs());
        let reader = Reader {
            sources,
            cells: sources.store.cells(),
            wall: sources.wall(),
        };
        let mut workloads: BTreeMap<(String, String), Aggregated> = BTreeMap::new();
        let mut add = |workload: (String, String), value: Value| {
            workloads
                .entry(workload)
                .and_modify(|all| all.add(value))
                .or_insert_with(|| Aggregated::new(self.aggregate(), value));
        };
        for pod in pods_within(&pods, Some(namespace)) {
            if let Some(value) = reader.of_pod(self, pod) {
                add(workload_of(pod, &jobs), value);
            }
        }
        if self == Self::OpenIncidents {
            // One incident may be about several pods.
            for workload in reader.incidents(namespace) {
                add(workload, reader.value(1.0));
            }
        }
        workloads.into_iter().map(item).collect()
    }
}

fn item(((kind, name), all): ((String, String), Aggregated)) -> ExternalValue {
    ExternalValue {
        labels: Labels::from_iter([("kind", kind), ("workload", name)]),
        value: all.value(),
    }
}

fn workload_of(pod: &Pod, jobs: &Jobs) -> (String, String) {
    let workload = pod.workload(|job| jobs.get(job));
    let (kind, name) = workload.unwrap_or(("Pod", &pod.key.name));
    (kind.to_owned(), name.to_owned())
}

/// Reads the values of pods at one time.
struct Reader<'a> {
    sources: &'a Sources,
    cells: Arc<Cells>,
    wall: Timestamp,
}

impl Reader<'_> {
    fn value(&self, value: f64) -> Value {
        Value {
            value,
            at: self.wall,
            window: None,
        }
    }

    /// The value of a pod; none if it is unknown.
    fn of_pod(&self, metric: OwnMetric, pod: &Pod) -> Option<Value> {
        let now = self.sources.now();
        let cell = || self.cells.get(pod.node.as_deref()?);
        match metric {
            OwnMetric::RestartsPerHour => {
                let restarts = self.sources.health.restarts(pod).into_iter();
                let since = self.wall.plus_nanos(-nanos(HOUR));
                let recent = restarts.filter(|it| it.ended.finished.is_some_and(|at| at >= since));
                Some(Value {
                    window: Some(HOUR),
                    ..self.value(count(recent.count()))
                })
            }
            OwnMetric::ProbeFailuresPerMinute => {
                let failures = self.sources.health.probe_failures(pod)?;
                let stale = failures
                    .to
                    .plus_nanos(STALE_READINGS * nanos(failures.window()));
                if stale < self.wall {
                    return None;
                }
                Some(Value {
                    value: failures.per_minute(),
                    at: failures.to,
                    window: Some(failures.window()),
                })
            }
            OwnMetric::OpenIncidents => Some(self.value(0.0)),
            OwnMetric::PodsWithoutMetrics => {
                let latest = || cell()?.latest();
                let missing = pod.phase == Phase::Running
                    && !latest().is_some_and(|latest| {
                        latest.pod(&pod.key, self.sources.retention, now).is_ok()
                    });
                Some(self.value(f64::from(u8::from(missing))))
            }
            OwnMetric::PressurePercent(scarce) => {
                let extra = cell()?.extra(now)?;
                let percent = scarce.of(extra.pod(&pod.key)?.pressure())?;
                Some(Value {
                    window: Some(Duration::from_secs(60)),
                    ..self.value(percent.get())
                })
            }
        }
    }

    /// The workload of each open incident of a namespace.
    fn incidents(&self, namespace: &str) -> Vec<(String, String)> {
        let (incidents, _) = self.sources.health.incidents();
        let open = incidents.into_iter().map(|entry| entry.incident);
        let open = open.filter(|it| it.ended.is_none() && it.involved.namespace == namespace);
        open.map(|incident| {
            let involved = &incident.involved;
            match &involved.workload {
                Some(workload) => (workload.kind.clone(), workload.name.clone()),
                None => (involved.kind.clone(), involved.name.clone()),
            }
        })
        .collect()
    }
}

/// A small count as a value.
fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::external_queries::RESERVED;

    /// So that no query of an administrator can hide behind one.
    #[test]
    fn the_names_are_sorted_and_begin_as_no_query_may() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        assert!(NAMES.iter().all(|(name, _)| name.starts_with(RESERVED)));
    }
}
