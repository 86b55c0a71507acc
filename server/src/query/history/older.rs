//! The part of a history that is older than the ring: read from the engine.

use std::time::Duration;

use futures::future::{OptionFuture, try_join3};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Absence, HistorySource, HistoryStore, Mark};

use super::HistoryQuery;
use super::older_marks;
use super::plan::Plan;
use super::seam::seam;
use super::steps::{Aggregation, Steps};
use super::subject::HistorySubject;
use crate::engine::{Engine, EngineError, Selector, Series};
use crate::store::ring::Sample;

/// What the engine has of a subject before the ring.
#[derive(Debug)]
pub struct Older {
    /// The start of the first step that is read from the ring.
    seam: Timestamp,
    fine: i64,
    /// Each container of a pod, by name; one series without a name for other subjects.
    series: Vec<(String, Vec<Sample>)>,
    pub(super) marks: Vec<Mark>,
    absent: Option<Absence>,
}

impl Older {
    pub(super) fn seam(&self) -> Timestamp {
        self.seam
    }

    /// The distance of two samples, in nanoseconds; zero without samples.
    pub(super) fn fine_step(&self) -> i64 {
        match self.series.is_empty() {
            true => 0,
            false => self.fine,
        }
    }

    /// The distance of two samples.
    pub(super) fn resolution(&self) -> Duration {
        Duration::from_nanos(self.fine.unsigned_abs())
    }

    pub(super) fn series(&self) -> impl Iterator<Item = (&str, &[Sample])> {
        self.series
            .iter()
            .map(|(name, samples)| (&**name, &**samples))
    }

    /// Why there is nothing.
    pub fn absent(&self) -> Option<&Absence> {
        self.absent.as_ref()
    }

    /// Where the points of these steps come from.
    pub(super) fn sources(&self, steps: &Steps) -> Vec<HistorySource> {
        let (since, until) = (steps.since(), steps.until());
        let spans = [
            (HistoryStore::Engine, since, self.seam.min(until)),
            (HistoryStore::Memory, self.seam, until),
        ];
        let is_read = |store| store == HistoryStore::Memory || self.absent.is_none();
        spans
            .into_iter()
            .filter(|(store, since, until)| since < until && is_read(*store))
            .map(|(source, since, until)| HistorySource {
                source,
                since,
                until,
            })
            .collect()
    }
}

impl HistoryQuery<'_> {
    /// Whether what is older than the ring can be read.
    pub fn has_engine(self) -> bool {
        self.0.engine.is_some()
    }

    /// What the engine has of a subject in the steps before the ring; `None` without an engine, or if the ring has all.
    /// If the engine does not answer, it says why ([`Older::absent`]).
    pub async fn older(
        self,
        subject: HistorySubject<'_>,
        steps: &Steps,
        aggregation: Aggregation,
    ) -> Option<Older> {
        let Self(sources) = self;
        let engine = sources.engine.as_deref()?;
        let seam = seam(sources, subject, steps)?;
        let plan = Plan::new(steps, seam, sources.resolution);
        let (series, marks, absent) = match read(engine, subject, &plan, aggregation).await {
            Ok((series, marks)) => (series, marks, None),
            Err(error) => (Vec::new(), Vec::new(), Some(absence(&error))),
        };
        Some(Older {
            seam,
            fine: plan.fine,
            series,
            marks,
            absent,
        })
    }
}

/// Why the engine has no answer, for an API object.
pub(in crate::query) fn absence(error: &EngineError) -> Absence {
    Absence {
        reason: error.reason().to_owned(),
        message: error.message(),
    }
}

async fn read(
    engine: &Engine,
    subject: HistorySubject<'_>,
    plan: &Plan,
    aggregation: Aggregation,
) -> Result<(Vec<(String, Vec<Sample>)>, Vec<Mark>), EngineError> {
    let (cpu, memory) = queries(engine, subject, &plan.window(), aggregation);
    let marks = match subject {
        HistorySubject::Pod { namespace, name } => {
            Some(older_marks::read(engine, namespace, name, plan))
        }
        _ => None,
    };
    let marks = async { OptionFuture::from(marks).await.transpose() };
    let range = plan.range();
    let (cpu, memory, marks) = try_join3(
        engine.range(&cpu, range),
        engine.range(&memory, range),
        marks,
    )
    .await?;
    Ok((joined(cpu, memory, plan.shift()), marks.unwrap_or_default()))
}

/// The queries for CPU in cores and memory in bytes. Several series of one container, as replicas of a sender and other
/// senders make them, count once: the largest.
fn queries(
    engine: &Engine,
    subject: HistorySubject<'_>,
    window: &str,
    aggregation: Aggregation,
) -> (String, String) {
    let of_nodes = matches!(subject, HistorySubject::Node(_) | HistorySubject::Cluster);
    let (cpu, memory) = match of_nodes {
        true => (
            "node_cpu_usage_seconds_total",
            "node_memory_working_set_bytes",
        ),
        false => (
            "container_cpu_usage_seconds_total",
            "container_memory_working_set_bytes",
        ),
    };
    let select = |metric: &'static str| select(engine.select(metric), subject);
    let memory_by = match aggregation {
        Aggregation::Mean => "avg_over_time",
        Aggregation::Min => "min_over_time",
        Aggregation::Max => "max_over_time",
    };
    let sum = |usage: String| match subject {
        HistorySubject::Pod { .. } => format!("max by (container) ({usage})"),
        HistorySubject::Node(_) => format!("max({usage})"),
        HistorySubject::Cluster => format!("sum(max by (node) ({usage}))"),
        HistorySubject::Namespace(_) => format!("sum(max by (pod, container) ({usage}))"),
        HistorySubject::Workload {
            namespace,
            kind,
            name,
        } => {
            let of_workload = engine
                .select("kubevitals_pod_workload")
                .with("namespace", namespace)
                .with("workload_kind", kind)
                .with("workload", name);
            format!(
                "sum(max by (pod, container) ({usage} and on (namespace, pod) last_over_time({of_workload}[{window}])))"
            )
        }
    };
    (
        sum(format!("rate({}[{window}])", select(cpu))),
        sum(format!("{memory_by}({}[{window}])", select(memory))),
    )
}

fn select(selector: Selector, subject: HistorySubject<'_>) -> Selector {
    match subject {
        HistorySubject::Node(name) => selector.with("node", name),
        HistorySubject::Cluster => selector,
        HistorySubject::Pod { namespace, name } => {
            containers(selector.with("namespace", namespace).with("pod", name))
        }
        HistorySubject::Namespace(namespace) | HistorySubject::Workload { namespace, .. } => {
            containers(selector.with("namespace", namespace))
        }
    }
}

/// Leaves out what cAdvisor has beside containers: the pod as a whole, and its sandbox.
pub(in crate::query) fn containers(selector: Selector) -> Selector {
    selector
        .without("container", "")
        .without("container", "POD")
}

/// Samples from series of CPU and memory, by container. A sample needs both.
fn joined(cpu: Vec<Series>, memory: Vec<Series>, shift: i64) -> Vec<(String, Vec<Sample>)> {
    let mut all = Vec::new();
    for cpu in cpu {
        let container = cpu.labels.get("container");
        let of_container = |it: &&Series| it.labels.get("container") == container;
        let Some(memory) = memory.iter().find(of_container) else {
            continue;
        };
        let mut memory = memory.points.iter().peekable();
        let samples = cpu.points.iter().filter_map(|cpu| {
            while memory.next_if(|it| it.at < cpu.at).is_some() {}
            let memory = memory.next_if(|it| it.at == cpu.at)?;
            Some(Sample {
                at: cpu.at.plus_nanos(-shift),
                cpu: Nanocores(whole(cpu.value * 1e9)),
                memory: Bytes(whole(memory.value)),
                swap: None,
                restarted: false,
            })
        });
        all.push((container.to_owned(), samples.collect()));
    }
    all
}

/// A whole number that is not negative.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "such a conversion saturates"
)]
pub(in crate::query) fn whole(value: f64) -> u64 {
    value.round() as u64
}
