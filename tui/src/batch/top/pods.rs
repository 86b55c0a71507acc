//! `top pod`.

use std::collections::HashSet;

use kubevitals_proto::clock::system_time;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::selector::FieldSelector;

use super::cells;
use super::common::{self, Order};
use crate::batch::gosort;
use crate::batch::tabwriter::TabWriter;
use crate::batch::{Error, Streams};
use crate::cli::{Connection, SortBy, TopPod, non_empty};
use crate::source::kubeconfig::Settings;
use crate::source::{MetricsApi, PodRef, PodUsage, Selection, Usage};

/// The age up to which a pod may have no metrics yet.
const PATIENCE: GoDuration = GoDuration(120_000_000_000);

pub(super) async fn run(
    connection: &Connection,
    flags: &TopPod,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let settings = Settings::read(connection)?;
    let namespace = settings.namespace()?;
    let api = common::connect(&settings, flags.use_protocol_buffers).await?;
    let sort_by = common::sort_by(flags.sort_by.as_ref())?;
    let query = PodQuery::new(flags, namespace)?;
    let pods = query.pods(&api).await?;
    if pods.is_empty() {
        query.explain_nothing(&api).await?;
        if flags.all_namespaces {
            writeln!(streams.err, "No resources found")?;
        } else {
            writeln!(
                streams.err,
                "No resources found in {} namespace.",
                query.namespace
            )?;
        }
        return Ok(());
    }
    common::write(pod_table(pods, sort_by.into(), flags), streams.out)
}

/// The requested pods.
struct PodQuery<'a> {
    flags: &'a TopPod,
    namespace: String,
}

impl<'a> PodQuery<'a> {
    fn new(flags: &'a TopPod, namespace: String) -> Result<Self, Error> {
        let query = Self { flags, namespace };
        let Selection { labels, fields } = query.selection();
        if query.name().is_some() && !(labels.is_empty() && fields.is_empty()) {
            return Err(Error::Failed(
                "only one of NAME or selector can be provided".to_owned(),
            ));
        }
        common::check_labels(labels)?;
        fields
            .parse::<FieldSelector>()
            .map_err(|error| Error::Failed(error.to_string()))?;
        Ok(query)
    }

    fn name(&self) -> Option<&'a str> {
        non_empty(self.flags.name.as_ref())
    }

    /// The namespace; empty for all.
    fn scope(&self) -> &str {
        if self.flags.all_namespaces {
            ""
        } else {
            &self.namespace
        }
    }

    /// The selectors of the flags. metrics.k8s.io supports no fields except names, so the API server resolves the field
    /// selector.
    fn selection(&self) -> Selection<'a> {
        Selection {
            labels: self.flags.selector.as_deref().unwrap_or_default(),
            fields: self.flags.field_selector.as_deref().unwrap_or_default(),
        }
    }

    async fn pods(&self, api: &MetricsApi) -> Result<Vec<PodUsage>, Error> {
        let version = common::served(api).await?;
        if let Some(name) = self.name() {
            return Ok(vec![api.pod(version, self.scope(), name).await?]);
        }
        let selection = self.selection();
        let by_labels = Selection {
            fields: "",
            ..selection
        };
        let mut pods = api.pods(version, self.scope(), by_labels).await?;
        if !pods.is_empty() && !selection.fields.is_empty() {
            let selected = api.pod_refs(self.scope(), selection).await?;
            let selected: HashSet<(&str, &str)> = selected
                .iter()
                .map(|pod| (pod.namespace.as_str(), pod.name.as_str()))
                .collect();
            pods.retain(|pod| selected.contains(&(pod.namespace.as_str(), pod.name.as_str())));
        }
        Ok(pods)
    }

    /// Returns an error if the pods exist, so that they should have metrics. As in kubectl, this checks one namespace
    /// even if the metrics of all were requested.
    async fn explain_nothing(&self, api: &MetricsApi) -> Result<(), Error> {
        let pods = match self.name() {
            Some(name) => vec![api.pod_ref(&self.namespace, name).await?],
            None => api.pod_refs(&self.namespace, self.selection()).await?,
        };
        if pods.is_empty() {
            return Ok(());
        }
        match pods.iter().find_map(overdue) {
            Some(message) => Err(Error::Failed(message)),
            None => Err(common::not_yet()),
        }
    }
}

/// The error for a pod that should have metrics by now.
fn overdue(pod: &PodRef) -> Option<String> {
    let age = GoDuration(system_time().since(pod.creation_timestamp));
    let PodRef {
        namespace, name, ..
    } = pod;
    (age > PATIENCE)
        .then(|| format!("Metrics not available for pod {namespace}/{name}, age: {age}"))
}

/// The table of pods, sorted. The flags choose the columns and the rows.
pub fn pod_table(mut pods: Vec<PodUsage>, order: Order, flags: &TopPod) -> TabWriter {
    let mut table = TabWriter::with_capacity(pods.len() + 3, 5);
    if !flags.no_headers {
        header(&mut table, flags);
    }
    sort_pods(&mut pods, order, flags.all_namespaces);
    for pod in &mut pods {
        if !flags.containers {
            row(&mut table, pod, None, pod.total(), flags);
            continue;
        }
        order.sort(
            &mut pod.containers,
            |container| &container.name,
            |container| container.usage,
        );
        for container in &pod.containers {
            row(
                &mut table,
                pod,
                Some(&container.name),
                container.usage,
                flags,
            );
        }
    }
    if flags.sum {
        sum(&mut table, &pods, flags);
    }
    table
}

fn header(table: &mut TabWriter, flags: &TopPod) {
    for (is_shown, name) in [
        (flags.all_namespaces, "NAMESPACE"),
        (flags.containers, "POD"),
        (true, "NAME"),
        (true, "CPU(cores)"),
        (true, "MEMORY(bytes)"),
        (flags.show_swap, "SWAP(bytes)"),
    ] {
        if is_shown {
            table.cell(name);
        }
    }
    table.end_line();
}

fn row(
    table: &mut TabWriter,
    pod: &PodUsage,
    container: Option<&str>,
    usage: Usage,
    flags: &TopPod,
) {
    if flags.all_namespaces {
        table.cell(&pod.namespace);
    }
    table.cell(&pod.name);
    if let Some(container) = container {
        table.cell(container);
    }
    cells::usage(table, usage, flags.show_swap);
    table.end_line();
}

/// Writes a line under the last two columns, then the sum. kubectl counts the columns for namespaces and pods only if
/// it prints their names. So without headers the sum is further to the left; and swap moves the line, which is two
/// columns long, to the right.
fn sum(table: &mut TabWriter, pods: &[PodUsage], flags: &TopPod) {
    let named = usize::from(!flags.no_headers);
    let width = 3
        + usize::from(flags.show_swap)
        + named * (usize::from(flags.all_namespaces) + usize::from(flags.containers));
    for _ in 0..width - 2 {
        table.cell("");
    }
    table.cell("________");
    table.cell("________");
    table.end_line();
    for _ in 0..width - 2 {
        table.cell("");
    }
    let total: Usage = pods.iter().map(PodUsage::total).sum();
    cells::usage(table, total, flags.show_swap);
    table.end_line();
}

fn sort_pods(pods: &mut Vec<PodUsage>, order: Order, with_namespace: bool) {
    let key: fn(&PodUsage) -> i64 = match order.by {
        SortBy::Name => {
            return gosort::sort(pods, order.ties, |a, b| {
                if with_namespace && a.namespace != b.namespace {
                    a.namespace < b.namespace
                } else {
                    a.name < b.name
                }
            });
        }
        SortBy::Cpu => |pod| pod.total().cpu.milli_value(),
        SortBy::Memory => |pod| pod.total().memory.value(),
    };
    let mut keyed: Vec<(i64, PodUsage)> = pods.drain(..).map(|pod| (key(&pod), pod)).collect();
    gosort::sort(&mut keyed, order.ties, |a, b| a.0 > b.0);
    pods.extend(keyed.into_iter().map(|(_, pod)| pod));
}
