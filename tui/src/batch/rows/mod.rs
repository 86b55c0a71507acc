//! `get`, and `top` with more flags than kubectl's: the tables of the dashboard, printed.
//!
//! It is the dashboard without a screen: the same source, rows, filter and order.

mod availability;
mod facts;
mod listing;
mod query;
mod reader;
mod terminal;
mod top;
mod watch;
mod whole;

pub(super) use terminal::terminal_size;
pub use top::{needs_rows, top};
pub(super) use whole::{PastTime, Whole};

use std::io;

use facts::Facts;
use listing::Listing;
use query::Query;
use reader::Reader;
use terminal::Progress;

use super::output::write_records;
use super::{Error, Streams};
use crate::cli::{Connection, GetArgs, OutputFormat};

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
    let connecting = Reader::connect(connection, query);
    let mut reader = progress.during("connecting", connecting).await?;
    reader.read(&mut progress).await?;
    progress.end();
    let facts = Facts::of(query, &reader);
    if !facts.missing.is_empty() {
        let missing = facts.missing.join("; ");
        writeln!(streams.err, "warning: some values are unknown: {missing}")?;
    }
    if query.watch {
        return watch::run(query, &mut reader, streams).await;
    }
    let namespace = reader.namespace.clone();
    let listing = Listing::new(query, &mut reader.state)?;
    if listing.is_empty() && is_for_people(query) {
        return Ok(say_empty(namespace.as_deref(), streams)?);
    }
    let records = listing.records(terminal_size().map(|(width, _)| width));
    write_records(query.output, facts.head(), &records, streams.out)
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
