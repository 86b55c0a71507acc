//! `top`: what nodes and pods used lately, to the byte as kubectl prints it.
//!
//! What is odd here is odd there: the order of nodes without metrics aside (kubectl's is random),
//! every rule is kubectl's, and a test compares the two over many clusters.

mod cells;
mod nodes;
mod pods;

pub use nodes::{NodeColumns, node_table};
pub use pods::{PodColumns, pod_table};

use std::io::Write;

use kubevitals_proto::metrics::Version;
use kubevitals_proto::selector::LabelSelector;

use super::tabwriter::TabWriter;
use super::{Error, Streams, Ties};
use crate::cli::{Connection, Resource, SortBy};
use crate::source::kubeconfig::Settings;
use crate::source::{ApiClient, MetricsApi, Terminal};

/// In which order rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// What they are sorted by.
    pub by: SortBy,
    /// How equal rows are ordered.
    pub ties: Ties,
}

impl From<SortBy> for Order {
    fn from(by: SortBy) -> Self {
        Self {
            by,
            ties: Ties::default(),
        }
    }
}

/// Runs `top`.
///
/// # Errors
/// What kubectl would end with.
pub async fn run(
    connection: &Connection,
    resource: &Resource,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    match resource {
        Resource::Node(flags) => nodes::run(connection, flags, streams).await,
        Resource::Pod(flags) => pods::run(connection, flags, streams).await,
    }
}

/// The cluster that was chosen.
async fn connect(settings: &Settings, protobuf: bool) -> Result<MetricsApi, Error> {
    let client = ApiClient::new(settings.target(&Terminal::default())?)?;
    Ok(MetricsApi::new(client, protobuf))
}

/// The version of the metrics API to ask.
async fn served(api: &MetricsApi) -> Result<Version, Error> {
    let version = api.version().await?;
    version.ok_or_else(|| Error::NoMetrics("Metrics API not available".to_owned()))
}

fn not_yet() -> Error {
    Error::NoMetrics("metrics not available yet".to_owned())
}

fn sort_by(flag: Option<&String>) -> Result<SortBy, Error> {
    SortBy::from_flag(flag)
        .ok_or_else(|| Error::Usage("--sort-by accepts only cpu or memory".to_owned()))
}

/// A selector as it was given, if it is one; an empty one selects all.
fn label_selector(flag: Option<&String>) -> Result<&str, Error> {
    let text = flag.map_or("", String::as_str);
    match text.parse::<LabelSelector>() {
        Ok(_) => Ok(text),
        Err(error) => Err(Error::Usage(error.to_string())),
    }
}

/// Writes a table in a few large pieces.
fn write(table: &TabWriter, out: &mut dyn Write) -> Result<(), Error> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, out);
    table.write_to(&mut out)?;
    Ok(out.flush()?)
}
