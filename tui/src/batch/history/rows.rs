//! A history as rows, for tables and for programs.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Mark, Point, Quantiles};
use schemars::JsonSchema;
use serde::Serialize;

use super::report::{Report, Span};
use crate::cli::HistorySubject;
use crate::export::{Datum, Heading, RecordCell, RecordList};
use crate::model::format;

/// What JSON and YAML contain beside the head.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// The subject.
    pub subject: SubjectRef,
    /// The time span.
    pub span: Span,
    /// The number of samples that the history is computed from.
    pub samples: u64,
    /// CPU over the span, in cores; null without samples.
    pub cpu: Option<Percentiles<f64>>,
    /// Memory over the span, in bytes; null without samples.
    pub memory: Option<Percentiles<u64>>,
    /// One item for each step, oldest first.
    pub items: Vec<Item>,
}

/// A subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectRef {
    /// `Pod`, `Node`, `Namespace`, `Cluster`, or the kind of a workload.
    pub kind: String,
    /// The namespace of a pod or workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The container, if the history is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
}

/// Percentiles of usage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "PercentilesOf{T}")]
pub struct Percentiles<T> {
    /// The median.
    pub p50: T,
    /// The 90th percentile.
    pub p90: T,
    /// The 95th percentile.
    pub p95: T,
    /// The 99th percentile.
    pub p99: T,
    /// The maximum.
    pub max: T,
}

impl Percentiles<f64> {
    /// CPU, from nanocores to cores.
    pub fn of_cpu(quantiles: &Quantiles) -> Self {
        Self::of(quantiles, |nanocores| cores(Nanocores(nanocores)))
    }
}

impl Percentiles<u64> {
    /// Memory, in bytes.
    pub fn of_memory(quantiles: &Quantiles) -> Self {
        Self::of(quantiles, |bytes| bytes)
    }
}

impl<T> Percentiles<T> {
    fn of(quantiles: &Quantiles, convert: impl Fn(u64) -> T) -> Self {
        Self {
            p50: convert(quantiles.p50),
            p90: convert(quantiles.p90),
            p95: convert(quantiles.p95),
            p99: convert(quantiles.p99),
            max: convert(quantiles.max),
        }
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The end of the step.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// CPU in cores; null in a gap.
    pub cpu: Option<f64>,
    /// Memory in bytes; null in a gap.
    pub memory: Option<u64>,
    /// Swap in bytes; null in a gap, and without swap.
    pub swap: Option<u64>,
    /// The restarts of containers in the step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub restarts: Vec<Restart>,
}

/// A restart of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// The time of the termination before it.
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// The container.
    pub container: String,
    /// The cause, one word: `OomKilled`.
    pub cause: String,
    /// The termination: `OOMKilled, exit 137`.
    pub text: String,
}

/// Nanocores in cores.
#[expect(clippy::cast_precision_loss, reason = "CPU is below 2^53 nanocores")]
pub(in crate::batch) fn cores(cpu: Nanocores) -> f64 {
    cpu.0 as f64 / 1e9
}

impl Report<'_> {
    /// The steps, each with the marks in it.
    fn steps(&self) -> impl Iterator<Item = (Timestamp, Option<&Point>, Vec<&Mark>)> {
        let points = self.points.iter().enumerate();
        points.map(|(step, point)| {
            let marks = self.marks.iter();
            let within = marks.filter(|mark| self.step_of(mark.time) == Some(step));
            (self.end_of(step), point.as_ref(), within.collect())
        })
    }

    /// One row for each step.
    pub(super) fn rows(&self) -> RecordList {
        let has_swap = self
            .points
            .iter()
            .flatten()
            .any(|point| point.swap.is_some());
        let mut headings = vec![
            Heading::new("time", "TIME"),
            Heading::new("cpu", "CPU").right(),
            Heading::new("memory", "MEMORY").right(),
        ];
        headings.push(match has_swap {
            true => Heading::new("swap", "SWAP").right(),
            false => Heading::of_data("swap"),
        });
        headings.push(match self.marks.is_empty() {
            false => Heading::new("restarts", "RESTARTS"),
            true => Heading::of_data("restarts"),
        });
        let mut rows = RecordList::new(headings);
        for (time, point, marks) in self.steps() {
            let amount = |text: Option<String>, datum: Datum<'static>| {
                RecordCell::new(text.unwrap_or_else(|| format::UNKNOWN.to_owned()), datum)
            };
            let memory = |bytes: Option<u64>| {
                amount(bytes.map(|bytes| format::bytes(Bytes(bytes))), bytes.into())
            };
            let cpu = point.map(|point| Nanocores(point.cpu));
            let restarts: Vec<String> = marks
                .iter()
                .map(|mark| format!("{} {}", mark.container, mark.text))
                .collect();
            rows.push(
                time.to_rfc3339_seconds(),
                vec![
                    RecordCell::text(time.to_rfc3339_seconds()),
                    amount(cpu.map(format::cpu), cpu.map(cores).into()),
                    memory(point.map(|point| point.memory)),
                    memory(point.and_then(|point| point.swap)),
                    RecordCell::text(restarts.join("; ")),
                ],
            );
        }
        rows
    }

    /// The content of JSON and YAML.
    pub(super) fn document(&self) -> Content {
        let item = |(time, point, marks): (Timestamp, Option<&Point>, Vec<&Mark>)| Item {
            time,
            cpu: point.map(|point| cores(Nanocores(point.cpu))),
            memory: point.map(|point| point.memory),
            swap: point.and_then(|point| point.swap),
            restarts: marks
                .into_iter()
                .map(|mark| Restart {
                    time: mark.time,
                    container: mark.container.clone(),
                    cause: mark.cause.as_str().to_owned(),
                    text: mark.text.clone(),
                })
                .collect(),
        };
        Content {
            subject: SubjectRef::of(self.subject, self.container),
            span: self.span,
            samples: self.usage.samples,
            cpu: self.usage.cpu.as_ref().map(Percentiles::of_cpu),
            memory: self.usage.memory.as_ref().map(Percentiles::of_memory),
            items: self.steps().map(item).collect(),
        }
    }
}

impl SubjectRef {
    fn of(subject: &HistorySubject, container: Option<&str>) -> Self {
        let (kind, namespace, name) = match subject {
            HistorySubject::Pod(namespace, name) => ("Pod", Some(namespace), &**name),
            HistorySubject::Node(name) => ("Node", None, &**name),
            HistorySubject::Workload {
                namespace,
                kind,
                name,
            } => (&**kind, Some(namespace), &**name),
            HistorySubject::Namespace(name) => ("Namespace", None, &**name),
            HistorySubject::Cluster => ("Cluster", None, "cluster"),
        };
        Self {
            kind: kind.to_owned(),
            namespace: namespace.cloned(),
            name: name.to_owned(),
            container: container.map(str::to_owned),
        }
    }
}
