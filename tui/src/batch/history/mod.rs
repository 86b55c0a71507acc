//! `history`: the usage of an object over time.

mod chart;
mod rows;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{History, Mark, Point, Quantiles, Series};
use schemars::JsonSchema;
use serde::Serialize;

use super::output::{DocumentForm, Head, write_document, write_records};
use super::{Error, Streams, vitals};
use crate::cli::{
    Connection, HistoryArgs, HistoryFormat, HistorySubject, OutputArgs, OutputFormat, non_empty,
};
use crate::export::RecordList;
use crate::model::SourceKind;
use crate::source::VitalsApi;
use crate::source::kubeconfig::Settings;
use chart::Bounds;
pub use rows::{Content, Percentiles};

/// Runs `history`.
///
/// # Errors
/// The arguments are invalid, the cluster has no history, the request fails, or the object does not exist.
pub async fn run(
    connection: &Connection,
    args: &HistoryArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let settings = Settings::read(connection)?;
    let subject = args.subject(&settings.namespace()?).map_err(Error::Flag)?;
    let container = non_empty(args.container.as_ref());
    if container.is_some() && !matches!(subject, HistorySubject::Pod(..)) {
        return Err(Error::Flag(format!(
            "--container selects a container of a pod, and this is the {subject}"
        )));
    }
    let (api, _) = vitals::connect(&settings).await?;
    let history = api.history(&subject, &parameters(args)).await?;
    let report = Report::of(&subject, history, container)?;
    report.write(&api, args, streams).await
}

/// The parameters of the request.
fn parameters(args: &HistoryArgs) -> Vec<(&str, &str)> {
    let optional = [
        ("since", &args.since),
        ("until", &args.until),
        ("step", &args.step),
    ];
    let optional = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, non_empty(value.as_ref())?)));
    std::iter::once(("fold", args.fold.as_str()))
        .chain(optional)
        .collect()
}

/// A history of one subject.
#[derive(Debug)]
pub(super) struct Report<'a> {
    subject: &'a HistorySubject,
    container: Option<&'a str>,
    span: Span,
    /// One point for each step. `None` is a gap.
    points: Vec<Option<Point>>,
    usage: Usage,
    marks: Vec<Mark>,
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
struct Usage {
    samples: u64,
    cpu: Option<Quantiles>,
    memory: Option<Quantiles>,
}

impl<'a> Report<'a> {
    /// The report of the total, or of one container.
    ///
    /// # Errors
    /// The pod has no such container in the span.
    fn of(
        subject: &'a HistorySubject,
        history: History,
        container: Option<&'a str>,
    ) -> Result<Self, Error> {
        let History {
            span,
            total,
            mut containers,
            mut marks,
            ..
        } = history;
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
        })
    }

    /// The end of a step.
    fn end_of(&self, step: usize) -> Timestamp {
        let steps = i64::try_from(step).unwrap_or(i64::MAX).saturating_add(1);
        let nanos = self.span.step.saturating_mul(1_000_000_000);
        self.span.since.plus_nanos(nanos.saturating_mul(steps))
    }

    /// The step of a time in the span.
    fn step_of(&self, time: Timestamp) -> Option<usize> {
        let step = self.span.step.saturating_mul(1_000_000_000).max(1);
        // A step contains its end.
        let at = time.since(self.span.since).saturating_sub(1).max(0) / step;
        let at = usize::try_from(at).ok()?;
        (time >= self.span.since && at < self.points.len()).then_some(at)
    }

    async fn write(
        &self,
        api: &VitalsApi,
        args: &HistoryArgs,
        streams: &mut Streams<'_>,
    ) -> Result<(), Error> {
        let head = Head::new("History", self.span.until, SourceKind::Vitals);
        let format = match args.output.unwrap_or_default() {
            HistoryFormat::Chart => {
                let bounds = self.bounds(api).await;
                let look = chart::Look::detect(args.ascii);
                streams
                    .out
                    .write_all(self.chart(&bounds, look).as_bytes())?;
                return Ok(());
            }
            HistoryFormat::Json => {
                return write_document(DocumentForm::Json, head, &self.document(), streams.out);
            }
            HistoryFormat::Yaml => {
                return write_document(DocumentForm::Yaml, head, &self.document(), streams.out);
            }
            HistoryFormat::Table => OutputFormat::Table,
            HistoryFormat::Csv => OutputFormat::Csv,
            HistoryFormat::Tsv => OutputFormat::Tsv,
        };
        let output = OutputArgs {
            output: Some(format),
            no_headers: args.no_headers,
        };
        let rows: RecordList = self.rows();
        write_records(output, head, &rows, streams.out)
    }

    /// The requests and limits of a pod or container, and what a node has; nothing if they cannot be read, because a
    /// chart is complete without them.
    async fn bounds(&self, api: &VitalsApi) -> Bounds {
        match self.subject {
            HistorySubject::Pod(namespace, name) => {
                let pod = api.pod(namespace, name).await.ok();
                pod.map_or_else(Bounds::default, |pod| Bounds::of_pod(&pod, self.container))
            }
            HistorySubject::Node(name) => {
                let node = api.node(name).await.ok();
                node.map_or_else(Bounds::default, |node| Bounds::of_node(&node))
            }
            _ => Bounds::default(),
        }
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

#[cfg(test)]
mod tests;
