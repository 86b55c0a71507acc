//! The history of one subject, or of one container of a pod.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, Mark, Point, Quantiles, Series};
use schemars::JsonSchema;
use serde::Serialize;

use crate::batch::Error;
use crate::cli::HistorySubject;

/// A history of one subject.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) subject: &'a HistorySubject,
    /// The container, if it is of one.
    pub(super) container: Option<&'a str>,
    pub(super) span: Span,
    /// One point for each step. `None` is a gap.
    pub(super) points: Vec<Option<Point>>,
    pub(super) usage: Usage,
    /// The restarts in the span, oldest first.
    pub(super) marks: Vec<Mark>,
    /// The begin of the server's memory, if the points before it come from an engine.
    pub(super) seam: Option<Timestamp>,
}

/// The time span of a history, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Span {
    /// The start.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The end.
    #[schemars(with = "String")]
    pub until: Timestamp,
    /// The length of a step, in seconds.
    pub step: i64,
}

/// The samples of a history, and their quantiles.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Usage {
    pub(super) samples: u64,
    pub(super) cpu: Option<Quantiles>,
    pub(super) memory: Option<Quantiles>,
}

impl<'a> Report<'a> {
    /// The report of the total, or of one container.
    ///
    /// # Errors
    /// The pod has no such container in the span.
    pub(super) fn of(
        subject: &'a HistorySubject,
        history: History,
        container: Option<&'a str>,
    ) -> Result<Self, Error> {
        let History {
            span,
            total,
            mut containers,
            mut marks,
            sources,
            ..
        } = history;
        let seam = match &*sources {
            [_, memory] => Some(memory.since),
            _ => None,
        };
        let series = match container {
            None => total,
            Some(name) => {
                let names = names(&containers);
                containers.retain(|series| series.name == name);
                marks.retain(|mark| mark.container == name);
                let found = containers.into_iter().reduce(joined);
                found.ok_or_else(|| no_container(subject, name, &names))?
            }
        };
        Ok(Self {
            subject,
            container,
            span: Span {
                since: span.since,
                until: span.until,
                step: span.step.0 / 1_000_000_000,
            },
            points: series.points,
            usage: Usage {
                samples: series.samples,
                cpu: series.cpu,
                memory: series.memory,
            },
            marks,
            seam,
        })
    }

    /// The end of a step.
    pub(super) fn end_of(&self, step: usize) -> Timestamp {
        let steps = i64::try_from(step).unwrap_or(i64::MAX).saturating_add(1);
        let nanos = self.span.step.saturating_mul(1_000_000_000);
        self.span.since.plus_nanos(nanos.saturating_mul(steps))
    }

    /// The step of a time in the span.
    pub(super) fn step_of(&self, time: Timestamp) -> Option<usize> {
        let step = self.span.step.saturating_mul(1_000_000_000).max(1);
        // A step contains its end.
        let at = time.since(self.span.since).saturating_sub(1).max(0) / step;
        let at = usize::try_from(at).ok()?;
        (time >= self.span.since && at < self.points.len()).then_some(at)
    }
}

/// The names of containers, each once.
fn names(containers: &[Series]) -> Vec<String> {
    let mut names: Vec<String> = containers.iter().map(|it| it.name.clone()).collect();
    names.dedup();
    names
}

/// Joins the series of a container of a deleted pod and of a later pod with its name. Quantiles of both cannot be
/// combined, so those of the series with more samples remain.
fn joined(a: Series, b: Series) -> Series {
    let points = a.points.into_iter().zip(b.points);
    let points = points.map(|(a, b)| a.or(b)).collect();
    let samples = a.samples + b.samples;
    let (cpu, memory) = match a.samples >= b.samples {
        true => (a.cpu, a.memory),
        false => (b.cpu, b.memory),
    };
    Series {
        points,
        samples,
        cpu,
        memory,
        ..b
    }
}

fn no_container(subject: &HistorySubject, name: &str, names: &[String]) -> Error {
    let known = match names {
        [] => "it has no samples in the span".to_owned(),
        names => format!("it has {}", names.join(", ")),
    };
    Error::Failed(format!("{subject} has no container {name}: {known}"))
}
