//! `--watch`: prints the rows again when they have changed, at most once a second.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use tokio::time::Instant;

use super::facts::Facts;
use super::listing::Listing;
use super::query::Query;
use super::reader::Reader;
use super::terminal::terminal_size;
use crate::batch::output::{DocumentForm, write_list, write_records};
use crate::batch::{Error, Streams};
use crate::cli::OutputFormat;
use crate::export::Records;
use crate::model::Key;
use crate::shutdown::ShutdownSignals;

/// The shortest time between two prints.
const APART: Duration = Duration::from_secs(1);

/// Clears the screen of the terminal and moves the cursor to its first cell.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J";

/// Prints until a signal ends it, or until nobody reads the output.
pub(super) async fn run(
    query: &Query,
    reader: &mut Reader,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let mut ending = ShutdownSignals::listen()?;
    let mut printer = Printer {
        query,
        is_on_terminal: io::stdout().is_terminal(),
        printed: None,
        widths: Vec::new(),
    };
    let mut was_lost = false;
    loop {
        let until = Instant::now() + APART;
        printer.print(reader, streams)?;
        tokio::select! {
            () = ending.wait() => return Ok(()),
            () = reader.read_changes(until) => {}
        }
        let lost = reader.lost();
        if let Some(why) = lost.filter(|_| !was_lost) {
            let text = "cannot reach the cluster, trying again";
            writeln!(streams.err, "warning: {text}: {why}")?;
        }
        was_lost = lost.is_some();
    }
}

/// What has been printed.
struct Printer<'a> {
    query: &'a Query,
    is_on_terminal: bool,
    /// The fingerprint of each row, by its object; none before the first print.
    printed: Option<HashMap<Key, u64>>,
    /// The widths of the columns so far: later rows are aligned with the first ones.
    widths: Vec<usize>,
}

impl Printer<'_> {
    fn print(&mut self, reader: &mut Reader, streams: &mut Streams<'_>) -> Result<(), Error> {
        let facts = Facts::of(self.query, reader);
        let head = facts.head();
        let mut listing = Listing::new(self.query, &mut reader.state)?;
        let rows = listing.fingerprints();
        let before = self.printed.as_ref();
        let is_known =
            |key: &Key, print: &u64| before.is_some_and(|before| before.get(key) == Some(print));
        let changed: Vec<usize> = rows
            .iter()
            .enumerate()
            .filter_map(|(row, (key, print))| (!is_known(key, print)).then_some(row))
            .collect();
        let are_gone = before.is_some_and(|before| before.len() + changed.len() != rows.len());
        let is_first = before.is_none();
        if changed.is_empty() && !are_gone && !is_first {
            return Ok(());
        }
        self.printed = Some(rows.into_iter().collect());
        let out = &mut *streams.out;
        match self.query.output.format() {
            OutputFormat::Json => {
                write_list(DocumentForm::JsonLine, head, &listing.records(None), out)?;
            }
            OutputFormat::Yaml => {
                if !is_first {
                    out.write_all(b"---\n")?;
                }
                write_list(DocumentForm::Yaml, head, &listing.records(None), out)?;
            }
            OutputFormat::Table | OutputFormat::Wide if self.is_on_terminal => {
                let size = terminal_size();
                let hidden = size.map_or(0, |(_, height)| listing.cut_to(height));
                out.write_all(CLEAR)?;
                let records = listing.records(size.map(|(width, _)| width));
                write_records(self.query.output, head, &records, out)?;
                if hidden > 0 {
                    writeln!(
                        out,
                        "and {hidden} more, which the terminal has no space for"
                    )?;
                }
            }
            _ => {
                let mut output = self.query.output;
                output.no_headers |= !is_first;
                listing.keep(&changed);
                let mut records = listing.records(None);
                records.align_with(&mut self.widths);
                if !records.is_empty() {
                    write_records(output, head, &records, out)?;
                }
            }
        }
        Ok(out.flush()?)
    }
}
