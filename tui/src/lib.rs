//! `vitals`: a top for Kubernetes.
//!
//! [`source`] reads a cluster. [`model`] has the state of the dashboard and [`model::filter`] its filter, [`view`] draws
//! it, [`input`] converts keys and mouse into actions, [`export`] writes files, [`config`] has the settings, and [`app`]
//! is the loop. [`batch`] has the commands that print and exit. The binary `vitals`, also installed as `kubectl-vitals`,
//! only calls `main`.

pub mod app;
pub mod batch;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dashboard;
#[cfg(feature = "demo")]
pub mod demo;
pub mod export;
pub mod input;
pub mod model;
pub mod shutdown;
pub mod source;
pub mod text;
pub mod view;

use std::io::{self, Write};
use std::process::ExitCode;

use batch::Streams;
use cli::{Cli, Command, Stop};
use tracing_subscriber::EnvFilter;

/// Runs the program with the process's own arguments and streams.
pub fn main() -> ExitCode {
    // Not locked, so that other threads can write.
    let (mut out, mut err) = (io::stdout(), io::stderr());
    if let Some(words) = cli::completion_words(std::env::args_os()) {
        return complete(&words, &mut out);
    }
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Say(text)) => {
            // The reader may have closed the output.
            let _ = out.write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Stop::Fail(text, code)) => return fail(&mut err, &text, code),
    };
    log();
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
    };
    match run(cli, &mut streams) {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => fail(&mut err, &error.to_string(), error.exit_code()),
    }
}

/// Logs to the standard error if `VITALS_LOG` is set: `VITALS_LOG=kubevitals=debug vitals …`.
fn log() {
    if let Ok(filter) = EnvFilter::try_from_env("VITALS_LOG") {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(io::stderr)
            .init();
    }
}

/// Runs the command. Returns the exit code.
fn run(cli: Cli, streams: &mut Streams<'_>) -> Result<u8, batch::Error> {
    let Some(command) = cli.command else {
        threads()?.block_on(async {
            let ending = shutdown::ShutdownSignals::listen()?;
            dashboard::run(
                &cli.connection,
                &cli.contexts,
                &cli.dashboard,
                clock::Clock::system(),
                ending,
                streams,
            )
            .await
        })?;
        return Ok(0);
    };
    match command {
        Command::Top { resource } => {
            let runtime = if batch::rows::needs_rows(&cli.connection, &resource) {
                threads()?
            } else {
                runtime()?
            };
            runtime.block_on(batch::top::run(&cli.connection, &resource, streams))
        }
        Command::Get(args) => {
            threads()?.block_on(batch::rows::get(&cli.connection, &args, streams))
        }
        Command::Check(args) => {
            return threads()?.block_on(batch::check::run(&cli.connection, &args, streams));
        }
        Command::Describe(args) => {
            threads()?.block_on(batch::describe::run(&cli.connection, &args, streams))
        }
        Command::Diff(args) => {
            threads()?.block_on(batch::diff::run(&cli.connection, &args, streams))
        }
        Command::Why(args) => runtime()?.block_on(batch::why::run(&cli.connection, &args, streams)),
        Command::History(args) => {
            runtime()?.block_on(batch::history::run(&cli.connection, &args, streams))
        }
        Command::Rightsize(args) => {
            runtime()?.block_on(batch::rightsize::run(&cli.connection, &args, streams))
        }
        #[cfg(feature = "demo")]
        Command::Demo(args) => demo::run(&args, streams),
        Command::Config { command } => batch::configure::config(&command, streams),
        Command::Completion(args) => batch::configure::completion(&args, streams),
        Command::Man(args) => batch::configure::man(&args, streams),
    }?;
    Ok(0)
}

/// Prints what can stand at the cursor. Errors are not for the user, who is typing.
fn complete(words: &[String], out: &mut impl Write) -> ExitCode {
    let Ok(runtime) = runtime() else {
        return ExitCode::FAILURE;
    };
    let printed = runtime.block_on(batch::complete::run(words, out));
    // Does not wait for a lookup of a name that takes longer than the user does.
    runtime.shutdown_background();
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The runtime of commands with a few requests: no threads.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// The runtime of the dashboard: data is decoded beside the loop that draws.
fn threads() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
}

fn fail(err: &mut impl Write, text: &str, code: u8) -> ExitCode {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = write!(err, "{text}{end}");
    ExitCode::from(code)
}
