//! `get`, and `top` with more flags than kubectl's: the tables of the dashboard, printed.
//!
//! It is the dashboard without a screen: the same source, rows, filter and order.

mod listing;
mod progress;
mod query;
mod reader;
mod top;
mod watch;

pub use top::{needs_rows, top};

use std::io::{self, IsTerminal};

use kubevitals_proto::time::Timestamp;

use listing::Listing;
use progress::Progress;
use query::Query;
use reader::Reader;

use super::output::{Head, write_records};
use super::{Error, Streams};
use crate::cli::{Connection, GetArgs, OutputFormat};
use crate::model::{SourceKind, View};

/// Runs `get`.
///
/// # Errors
/// A flag is invalid, the cluster does not answer, or the rows cannot be read.
pub async fn get(
    connection: &Connection,
    args: &GetArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    run(connection, &Query::of_get(connection, args)?, streams).await
}

/// Reads and prints the rows of a query.
async fn run(
    connection: &Connection,
    query: &Query,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let mut progress = Progress::new();
    let mut reader = Reader::connect(connection, query).await?;
    reader.read(&mut progress).await?;
    progress.end();
    let missing = reader.missing();
    if !missing.is_empty() {
        writeln!(
            streams.err,
            "warning: some values are unknown: {}",
            missing.join("; ")
        )?;
    }
    if query.watch {
        return watch::run(query, &mut reader, streams).await;
    }
    let facts = Facts::of(query, &reader);
    let namespace = reader.namespace.clone();
    let listing = Listing::new(query, &mut reader.state)?;
    if listing.is_empty() && is_for_people(query) {
        return Ok(say_empty(namespace.as_deref(), streams)?);
    }
    let records = listing.records(terminal_width());
    write_records(query.output, facts.head(), &records, streams.out)
}

/// What a document says about itself.
struct Facts {
    kind: &'static str,
    at: Timestamp,
    source: SourceKind,
    by: Option<String>,
    missing: Vec<String>,
}

impl Facts {
    fn of(query: &Query, reader: &Reader) -> Self {
        Self {
            kind: match (&query.by, query.view) {
                (None, view) => view.title(),
                (Some(_), View::Containers) => "ContainerGroups",
                (Some(_), _) => "PodGroups",
            },
            at: reader.time(),
            source: reader.kind().unwrap_or(SourceKind::None),
            by: query.by.as_ref().map(ToString::to_string),
            missing: reader.missing(),
        }
    }

    fn head(&self) -> Head<'_> {
        Head {
            by: self.by.as_deref(),
            missing: &self.missing,
            ..Head::new(self.kind, self.at, self.source)
        }
    }
}

/// Says that there are no rows, as kubectl does.
fn say_empty(namespace: Option<&str>, streams: &mut Streams<'_>) -> io::Result<()> {
    match namespace {
        Some(namespace) => writeln!(streams.err, "No resources found in {namespace} namespace."),
        None => writeln!(streams.err, "No resources found"),
    }
}

/// Whether the output is for people: data without rows is an empty list, a table without rows is a sentence.
fn is_for_people(query: &Query) -> bool {
    matches!(
        query.output.format(),
        OutputFormat::Table | OutputFormat::Wide | OutputFormat::Name
    )
}

/// The width of the terminal to which tables are printed; `None` if the output is no terminal.
fn terminal_width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    crossterm::terminal::size().ok().map(|(width, _)| width)
}
