//! `history`: the usage of an object over time.

mod chart;
mod report;
mod rows;

use super::output::{DocumentForm, Head, write_document, write_records};
use super::{Error, Streams, vitals};
use crate::cli::{
    Connection, HistoryArgs, HistoryFormat, HistorySubject, OutputArgs, OutputFormat, non_empty,
};
use crate::model::SourceKind;
use crate::source::VitalsApi;
use crate::source::kubeconfig::Settings;
use chart::{Bounds, Look};
use report::Report;
pub(super) use rows::cores;
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
    if let Some(absent) = &history.absent {
        writeln!(
            streams.err,
            "warning: only the time in memory: {}",
            absent.message
        )?;
    }
    let report = Report::of(&subject, history, container)?;
    write(&report, &api, args, streams).await
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

async fn write(
    report: &Report<'_>,
    api: &VitalsApi,
    args: &HistoryArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let head = Head::new("History", report.span.until, SourceKind::Vitals);
    let format = match args.output.unwrap_or_default() {
        HistoryFormat::Chart => {
            let bounds = bounds(report, api).await;
            let chart = report.chart(&bounds, Look::detect(args.ascii));
            return Ok(streams.out.write_all(chart.as_bytes())?);
        }
        HistoryFormat::Json => {
            return write_document(DocumentForm::Json, head, &report.document(), streams.out);
        }
        HistoryFormat::Yaml => {
            return write_document(DocumentForm::Yaml, head, &report.document(), streams.out);
        }
        HistoryFormat::Table => OutputFormat::Table,
        HistoryFormat::Csv => OutputFormat::Csv,
        HistoryFormat::Tsv => OutputFormat::Tsv,
    };
    let output = OutputArgs {
        output: Some(format),
        no_headers: args.no_headers,
    };
    write_records(output, head, &report.rows(), streams.out)
}

/// The requests and limits of a pod or container, and what a node has; nothing if they cannot be read, because a chart
/// is complete without them.
async fn bounds(report: &Report<'_>, api: &VitalsApi) -> Bounds {
    match report.subject {
        HistorySubject::Pod(namespace, name) => {
            let pod = api.pod(namespace, name).await.ok();
            pod.map_or_else(Bounds::default, |pod| {
                Bounds::of_pod(&pod, report.container)
            })
        }
        HistorySubject::Node(name) => {
            let node = api.node(name).await.ok();
            node.map_or_else(Bounds::default, |node| Bounds::of_node(&node))
        }
        _ => Bounds::default(),
    }
}

#[cfg(test)]
mod tests;
