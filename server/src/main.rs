//! The program `vitals-server`.

mod allocator;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use kubevitals_server::config::{Flags, Settings};
use kubevitals_server::{Server, telemetry};
use tokio::signal::unix::{SignalKind, signal};

/// Many small, long-lived allocations and short bursts of large ones are what jemalloc is made for; .cargo/config.toml
/// has it give memory back soon.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Wrong usage, as for every Unix tool.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
            ) =>
        {
            // Nowhere to say that standard output is gone.
            let _gone = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => return refuse(&one_line(&error)),
    };
    telemetry::init(flags.logging.logging_format, flags.logging.verbosity);
    // Another part may have installed it already; it is the same one.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("cannot start: {error}")),
    };
    runtime.block_on(run(flags))
}

async fn run(flags: Flags) -> ExitCode {
    // First, so that a signal that comes early ends it as well as one that comes late.
    let (mut terminate, mut interrupt) = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            return refuse(&format!("cannot listen to signals: {error}"));
        }
    };
    let settings = match Settings::from_flags(flags).await {
        Ok(settings) => Settings {
            allocator: Some(allocator::figures),
            ..settings
        },
        Err(error) => return refuse(&error.to_string()),
    };
    let server = match Server::start(settings).await {
        Ok(server) => server,
        Err(error) => return refuse(&error.to_string()),
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = server.failed() => {
            tracing::error!("a part of the server ended by a defect of this program; please report the panic above");
            return ExitCode::FAILURE;
        }
    }
    tracing::info!("asked to stop: requests under way are finished, then it ends");
    server.shutdown().await;
    ExitCode::SUCCESS
}

/// clap's message without its usage and tip lines.
fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:"))
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

fn refuse(message: &str) -> ExitCode {
    // Standard error is the last place there is.
    let _gone = writeln!(std::io::stderr(), "vitals-server: {message}");
    ExitCode::from(USAGE)
}
