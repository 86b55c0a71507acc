//! `check`: the problems of a cluster, for scripts, cron and monitoring.

mod print;
mod report;

pub use report::{ProblemItem, Report, UnjudgedItem};

use std::time::Duration;

use tokio::time::timeout;

use super::output::{DocumentForm, Head, write_document, write_records};
use super::rows::Whole;
use super::{Error, Streams};
use crate::cli::{CheckArgs, CheckOutput, Connection, OutputArgs};
use crate::config;
use crate::model::check::{Basis, Verdict};
use crate::model::{SourceKind, Thresholds};

/// Runs `check`. Returns the exit code.
///
/// # Errors
/// It cannot be told whether the cluster is well.
pub async fn run(
    connection: &Connection,
    args: &CheckArgs,
    streams: &mut Streams<'_>,
) -> Result<u8, Error> {
    let checked = match check(connection, args).await {
        Ok((report, source)) => write(&report, source, args.output, streams).map(|()| report),
        Err(error) => Err(error),
    };
    match checked {
        Ok(report) => Ok(report.exit_code),
        Err(error) if args.output == CheckOutput::Nagios => {
            print::nagios_failure(&error.to_string(), streams.out)?;
            Ok(Verdict::Unknown.exit_code())
        }
        Err(error) => Err(Error::CannotTell(Box::new(error))),
    }
}

/// Reads the cluster and judges it.
async fn check(connection: &Connection, args: &CheckArgs) -> Result<(Report, SourceKind), Error> {
    let thresholds = thresholds(args)?;
    let (rules, patience) = (args.rules(), Duration::from_secs(args.timeout.into()));
    let read = Whole::read(connection, args.all_namespaces, args.source, None);
    let Ok(whole) = timeout(patience, read).await else {
        return Err(Error::Failed(format!(
            "the cluster has not answered within {}s; --timeout changes that",
            args.timeout
        )));
    };
    let mut whole = whole?;
    let basis = Basis {
        now: whole.state.now,
        thresholds,
        grace_seconds: args.grace,
        namespaces: &whole.namespaces,
        rules: &rules,
    };
    let source = whole.state.source.as_ref();
    let source = source.map_or(SourceKind::None, |(kind, _)| *kind);
    Ok((Report::of(&mut whole.state, &basis), source))
}

fn thresholds(args: &CheckArgs) -> Result<Thresholds, Error> {
    let settings = config::load(args.config.as_deref(), |name| std::env::var(name).ok());
    let settings = settings.map_err(|error| Error::Flag(error.to_string()))?;
    args.thresholds(settings.thresholds).map_err(Error::Flag)
}

/// Prints the result of a check. A reader that closes the output early has seen enough.
fn write(
    report: &Report,
    source: SourceKind,
    output: CheckOutput,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    match write_form(report, source, output, streams) {
        Err(error) if error.is_broken_pipe() => Ok(()),
        written => written,
    }
}

fn write_form(
    report: &Report,
    source: SourceKind,
    output: CheckOutput,
    streams: &mut Streams<'_>,
) -> Result<(), Error> {
    let head = Head::new("Check", report.now, source);
    let rows = |streams: &mut Streams<'_>| {
        let args = OutputArgs {
            output: output.format(),
            no_headers: false,
        };
        write_records(args, head, &print::records(report), streams.out)
    };
    match output {
        CheckOutput::Nagios => print::nagios(report, streams.out)?,
        CheckOutput::Json => write_document(DocumentForm::Json, head, report, streams.out)?,
        CheckOutput::Yaml => write_document(DocumentForm::Yaml, head, report, streams.out)?,
        CheckOutput::Csv | CheckOutput::Tsv => {
            rows(streams)?;
            print::warn(report, streams.err)?;
        }
        CheckOutput::Table => {
            if !report.problems.is_empty() {
                rows(streams)?;
            }
            print::summary(report, streams.out)?;
        }
    }
    Ok(streams.out.flush()?)
}
