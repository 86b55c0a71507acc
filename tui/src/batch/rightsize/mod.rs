//! `rightsize`: advice on requests and limits.
//!
//! [`evidence`] collects what the containers of each workload use, [`rules`] advises, [`cost`] computes what that saves,
//! [`report`] prints it, and [`change`] makes manifests and commands of it.

pub mod change;
pub mod cost;
pub mod evidence;
pub mod report;
pub mod rules;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::PodVitals;

use super::output::{DocumentForm, Head, write_document, write_records};
use super::{Error, Streams, vitals};
use crate::cli::{
    By, Connection, OutputArgs, OutputFormat, RightsizeArgs, RightsizeFormat, non_empty,
};
use crate::model::SourceKind;
use crate::source::kubeconfig::Settings;
use crate::source::{PodQuery, VitalsApi};
use cost::Prices;
use evidence::Collector;
use report::{Line, Report};
use rules::{Percent, Rules};

/// More than any server stores: the span is then all that is stored.
const ALL: &str = "876000h";

/// Runs `rightsize`.
///
/// # Errors
/// The arguments are invalid, the cluster has no history, or the request fails.
pub async fn run(
    connection: &Connection,
    args: &RightsizeArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let labels = args.selector.as_deref().unwrap_or_default();
    if let Err(error) = labels.parse::<LabelSelector>() {
        return Err(Error::Flag(format!("--selector {labels:?}: {error}")));
    }
    let settings = Settings::read(connection)?;
    let namespace = match args.all_namespaces {
        true => String::new(),
        false => settings.namespace()?,
    };
    let (api, clock) = vitals::connect(&settings).await?;
    let span = span(args.since.as_ref(), clock.now())?;
    let evidence = collect(&api, &namespace, labels, &span).await?;
    let rules = rules(args);
    let lines = evidence
        .into_iter()
        .map(|(key, evidence)| Line::new(key, evidence, &rules));
    let report = Report {
        at: clock.now(),
        rules,
        prices: Prices {
            cpu: args.cpu_price,
            memory: args.memory_price,
        },
        has_namespaces: args.all_namespaces,
        lines: lines.collect(),
    };
    if report.lines.is_empty() {
        let place = match &*namespace {
            "" => String::new(),
            namespace => format!(" in {namespace} namespace."),
        };
        // The words and the exit code are kubectl's.
        writeln!(streams.err, "No resources found{place}")?;
    }
    write(&report, connection, args, streams)
}

/// The span of the statistics: a duration before now.
fn span(since: Option<&String>, now: Timestamp) -> Result<String, Error> {
    let Some(text) = non_empty(since) else {
        return Ok(ALL.to_owned());
    };
    let nanos = match text.parse::<Timestamp>() {
        Ok(time) => now.since(time),
        Err(_) => text
            .parse::<GoDuration>()
            .map_or(0, |it| it.0.saturating_abs()),
    };
    if nanos <= 0 {
        return Err(Error::Flag(format!(
            "--since {text}: must be before now, which is {}",
            now.to_rfc3339_seconds()
        )));
    }
    Ok(GoDuration(nanos).to_string())
}

/// The usage of all containers, and of those of deleted pods.
async fn collect(
    api: &VitalsApi,
    namespace: &str,
    labels: &str,
    span: &str,
) -> Result<Vec<(evidence::ContainerKey, evidence::Evidence)>, Error> {
    let query = PodQuery {
        namespace,
        labels,
        parameters: &[("stats", span), ("deleted", "true")],
    };
    let pods = api.pods(query, reduced).await?;
    let mut collector = Collector::default();
    pods.iter().for_each(|pod| collector.add(pod));
    Ok(collector.finish())
}

/// A pod without what is not evidence: a large cluster has many.
fn reduced(pod: PodVitals) -> PodVitals {
    let PodVitals {
        mut metadata,
        phase,
        workload,
        deleted_at,
        mut containers,
        ..
    } = pod;
    metadata.labels = Default::default();
    metadata.owner_references = Vec::new();
    for container in &mut containers {
        container.restarts = Default::default();
        container.absent = None;
        container.state.message = String::new();
    }
    PodVitals {
        metadata,
        phase,
        workload,
        deleted_at,
        containers,
        ..PodVitals::default()
    }
}

fn rules(args: &RightsizeArgs) -> Rules {
    Rules {
        cpu_percentile: args.cpu_percentile,
        cpu_margin: Percent(args.cpu_margin),
        memory_margin: Percent(args.memory_margin),
        min_history: args.min_history,
    }
}

fn write(
    report: &Report,
    connection: &Connection,
    args: &RightsizeArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let head = Head::new("Rightsize", report.at, SourceKind::Vitals);
    let format = args.output.unwrap_or_default();
    let output = match format {
        RightsizeFormat::Json => {
            return write_document(DocumentForm::Json, head, &report.document(), streams.out);
        }
        RightsizeFormat::Yaml => {
            return write_document(DocumentForm::Yaml, head, &report.document(), streams.out);
        }
        RightsizeFormat::Kustomize => {
            let text = change::kustomize(&report.comments(), &report.changes());
            let text = text.map_err(std::io::Error::from)?;
            return Ok(streams.out.write_all(text.as_bytes())?);
        }
        RightsizeFormat::Script => {
            let flags = connection_flags(connection);
            let text = change::script(&report.comments(), &flags, &report.changes());
            return Ok(streams.out.write_all(text.as_bytes())?);
        }
        RightsizeFormat::Table => OutputFormat::Table,
        RightsizeFormat::Wide => OutputFormat::Wide,
        RightsizeFormat::Csv => OutputFormat::Csv,
        RightsizeFormat::Tsv => OutputFormat::Tsv,
    };
    let output_args = OutputArgs {
        output: Some(output),
        no_headers: args.no_headers,
    };
    let rows = match args.by {
        By::Container => report.rows(),
        By::Workload => report.workload_rows(),
    };
    if report.lines.is_empty() && matches!(output, OutputFormat::Table | OutputFormat::Wide) {
        return Ok(());
    }
    write_records(output_args, head, &rows, streams.out)?;
    if matches!(output, OutputFormat::Table | OutputFormat::Wide) {
        streams.out.write_all(report.summary().as_bytes())?;
    }
    Ok(())
}

/// The flags that make kubectl use the same cluster and user.
fn connection_flags(connection: &Connection) -> Vec<String> {
    let flags = [
        ("kubeconfig", &connection.kubeconfig),
        ("context", &connection.context),
        ("cluster", &connection.cluster),
        ("user", &connection.user),
        ("server", &connection.server),
        ("as", &connection.as_user),
    ];
    let set = flags
        .into_iter()
        .filter_map(|(name, value)| Some((name, non_empty(value.as_ref())?)));
    set.map(|(name, value)| format!("--{name}={value}"))
        .collect()
}
