//! `describe`: the page of a pod as text, and the same of a node and a workload.

mod document;
mod text;

pub use document::{ConditionItem, Description, EventItem};

use super::output::{DocumentForm, Head, write_document};
use super::rows::{Whole, terminal_size};
use super::{Error, Streams};
use crate::cli::{Connection, DescribeArgs, DescribeOutput, DescribeSubject};
use crate::model::{Key, Name, Part, SourceKind, State, View};
use crate::source::kubeconfig::Settings as Kubeconfig;

/// The width of the text if the output is no terminal.
const WIDTH: u16 = 120;

/// Runs `describe`.
///
/// # Errors
/// A flag is invalid, the cluster does not answer, or the object does not exist.
pub async fn run(
    connection: &Connection,
    args: &DescribeArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let subject = args.subject().map_err(Error::Flag)?;
    let mut connection = connection.clone();
    if subject.view == View::Nodes {
        connection.namespaces.clear();
    } else {
        let namespace = match &subject.namespace {
            Some(namespace) => namespace.clone(),
            None => Kubeconfig::read(&connection)?.namespace()?,
        };
        connection.namespaces = vec![namespace];
    }
    let mut whole = match subject.view {
        View::Pods => {
            let namespace = connection.namespaces.first().cloned().unwrap_or_default();
            let key = Key::new(&namespace.into(), &Name::from(&*subject.name));
            Whole::read_pod(&connection, args.source, &key).await?
        }
        _ => Whole::read(&connection, false, args.source, None).await?,
    };
    let state = &mut whole.state;
    let sums_of_nodes = state.has_separate_usage();
    state.live.derive(subject.view, sums_of_nodes);
    let at = find(state, &subject)?;
    match args.output {
        DescribeOutput::Text => {
            let width = terminal_size().map_or(WIDTH, |(width, _)| width);
            text::write(state, &subject, at, width, streams.out)
        }
        DescribeOutput::Json => document(state, &subject, at, DocumentForm::Json, streams),
        DescribeOutput::Yaml => document(state, &subject, at, DocumentForm::Yaml, streams),
    }
}

fn document(
    state: &State,
    subject: &DescribeSubject,
    at: u32,
    form: DocumentForm,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let source = state.source.as_ref();
    let source = source.map_or(SourceKind::None, |(kind, _)| *kind);
    let kind = match subject.view {
        View::Pods => "PodDescription",
        View::Nodes => "NodeDescription",
        _ => "WorkloadDescription",
    };
    let description = Description::of(state, subject.view, at);
    write_document(
        form,
        Head::new(kind, state.now, source),
        &description,
        streams.out,
    )
}

/// The index of the object in its table.
fn find(state: &State, subject: &DescribeSubject) -> Result<u32, Error> {
    let table = state.live.table(subject.view);
    let is_it = |key: &Key| {
        *key.name == *subject.name && subject.workload.is_none_or(|kind| *key.part == *kind)
    };
    let rows = 0..u32::try_from(table.len()).unwrap_or(u32::MAX);
    let keys = rows.filter_map(|at| Some((at, table.key_at(at)?)));
    let found: Vec<(u32, Key)> = keys.filter(|(_, key)| is_it(key)).collect();
    match found.as_slice() {
        [(at, _)] => return Ok(*at),
        [] => {}
        several => {
            let kinds: Vec<&str> = several.iter().map(|(_, key)| &*key.part).collect();
            return Err(Error::Flag(format!(
                "several workloads are called {:?}: name the kind, which is {}",
                subject.name,
                kinds.join(" or ")
            )));
        }
    }
    let part = match subject.view {
        View::Nodes => Part::Nodes,
        _ => Part::Pods,
    };
    if let Some((why, _)) = state.part(part).failure() {
        return Err(Error::Failed(format!("cannot read {part}: {}", why.text)));
    }
    let rows = subject.view.info().rows;
    Err(Error::Refused(format!(
        "Error from server (NotFound): {rows} {:?} not found",
        subject.name
    )))
}
