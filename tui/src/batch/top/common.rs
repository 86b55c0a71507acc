//! The parts that `top node` and `top pod` share.

use std::io::Write;

use kubevitals_proto::metrics::Version;
use kubevitals_proto::selector::LabelSelector;

use crate::batch::Error;
use crate::batch::gosort::{self, Ties};
use crate::batch::tabwriter::TabWriter;
use crate::cli::SortBy;
use crate::source::kubeconfig::Settings;
use crate::source::{ApiClient, MetricsApi, Terminal, Usage};

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// The sort order.
    pub by: SortBy,
    /// The order of equal rows.
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

impl Order {
    /// Sorts rows by their name, ascending, or by their usage, descending.
    pub(super) fn sort<T>(self, rows: &mut [T], name: fn(&T) -> &str, usage: fn(&T) -> Usage) {
        gosort::sort(rows, self.ties, |a, b| match self.by {
            SortBy::Name => name(a) < name(b),
            SortBy::Cpu => usage(a).cpu.milli_value() > usage(b).cpu.milli_value(),
            SortBy::Memory => usage(a).memory.value() > usage(b).memory.value(),
        });
    }
}

/// Connects to the chosen cluster.
pub(super) async fn connect(settings: &Settings, protobuf: bool) -> Result<MetricsApi, Error> {
    let client = ApiClient::new(settings.target(&Terminal::default())?)?;
    Ok(MetricsApi::new(client, protobuf))
}

/// The version of the metrics API to request.
pub(super) async fn served(api: &MetricsApi) -> Result<Version, Error> {
    let version = api.version().await?;
    version.ok_or_else(|| Error::Failed("Metrics API not available".to_owned()))
}

/// The error if there are no metrics yet.
pub(super) fn not_yet() -> Error {
    Error::Failed("metrics not available yet".to_owned())
}

/// Parses `--sort-by`.
pub(super) fn sort_by(flag: Option<&String>) -> Result<SortBy, Error> {
    match flag.map_or("", String::as_str) {
        "" => Ok(SortBy::Name),
        "cpu" => Ok(SortBy::Cpu),
        "memory" => Ok(SortBy::Memory),
        _ => Err(Error::Failed(
            "--sort-by accepts only cpu or memory".to_owned(),
        )),
    }
}

/// Checks a label selector; an empty one selects all.
pub(super) fn check_labels(selector: &str) -> Result<(), Error> {
    match selector.parse::<LabelSelector>() {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Failed(error.to_string())),
    }
}

/// Writes a table through a buffer.
pub(super) fn write(table: TabWriter, out: &mut dyn Write) -> Result<(), Error> {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, out);
    table.write_to(&mut out)?;
    Ok(out.flush()?)
}
