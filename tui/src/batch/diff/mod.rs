//! `diff`: what is different in a cluster from an earlier time.

mod report;

pub use report::{DiffReport, DifferenceItem, SideItem};

use super::output::{DocumentForm, Head, write_document, write_records};
use super::rows::{PastTime, Whole};
use super::{Error, Streams};
use crate::cli::{Connection, DiffArgs, DiffOutput, OutputArgs};
use crate::model::diff::{Basis, Difference, differences};
use crate::model::{SourceKind, State};

/// Runs `diff`.
///
/// # Errors
/// A flag is invalid, the cluster does not answer, or its source does not have the past.
pub async fn run(
    connection: &Connection,
    args: &DiffArgs,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let read = async |at| Whole::read(connection, args.all_namespaces, args.source, at).await;
    let since = PastTime {
        flag: "--at",
        text: &args.at,
    };
    let until = args.until.as_deref().map(|text| PastTime {
        flag: "--until",
        text,
    });
    let then = read(Some(since)).await?;
    let now = read(until).await?;
    let basis = Basis {
        since: then.state.shown_time(),
        until: now.state.shown_time(),
        threshold: args.threshold,
        namespaces: &now.namespaces,
    };
    if basis.since >= basis.until {
        return Err(Error::Flag(format!(
            "--at {} is not before {}",
            basis.since.to_rfc3339_seconds(),
            basis.until.to_rfc3339_seconds()
        )));
    }
    let differences = differences(then.state.world(), now.state.world(), &basis);
    write(
        &differences,
        &basis,
        args.output,
        source(&now.state),
        streams,
    )
}

fn source(state: &State) -> SourceKind {
    let source = state.source.as_ref();
    source.map_or(SourceKind::None, |(kind, _)| *kind)
}

fn write(
    differences: &[Difference],
    basis: &Basis<'_>,
    output: DiffOutput,
    source: SourceKind,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let head = Head::new("Diff", basis.until, source);
    let form = match output {
        DiffOutput::Json => DocumentForm::Json,
        DiffOutput::Yaml => DocumentForm::Yaml,
        DiffOutput::Table if differences.is_empty() => {
            let (since, until) = (basis.since, basis.until);
            return Ok(writeln!(
                streams.out,
                "no differences between {} and {}",
                since.to_rfc3339_seconds(),
                until.to_rfc3339_seconds()
            )?);
        }
        DiffOutput::Table | DiffOutput::Csv | DiffOutput::Tsv => {
            let args = OutputArgs {
                output: Some(output.format()),
                no_headers: false,
            };
            return write_records(args, head, &report::records(differences), streams.out);
        }
    };
    let report = DiffReport {
        since: basis.since.to_rfc3339_seconds(),
        until: basis.until.to_rfc3339_seconds(),
        differences: differences.iter().map(Into::into).collect(),
    };
    write_document(form, head, &report, streams.out)
}
