//! The program `vitals-server`.

mod allocator;

use std::io::Write;
use std::process::ExitCode;

use kubevitals_proto::duration::GoDuration;
use kubevitals_server::config::{Flags, Invocation, Settings};
use kubevitals_server::{Server, telemetry};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// jemalloc suits many small, long-lived allocations with short bursts of large ones. `.cargo/config.toml` configures it
/// to return memory soon.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// The exit code for wrong usage, as of other Unix tools.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let flags = match Flags::read(std::env::args_os()) {
        Ok(Invocation::Serve(flags)) => *flags,
        Ok(Invocation::Print(text)) => {
            // If standard output is closed, nothing can report it.
            let _closed = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(line) => return refuse(&line),
    };
    let verbosity = u8::try_from(flags.logging.verbosity).unwrap_or(u8::MAX);
    telemetry::init(flags.logging.logging_format, verbosity);
    raise_open_files();
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
    // First, so that an early signal also ends the server.
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return refuse(&format!("cannot listen to signals: {error}")),
    };
    let without_effect = flags.inherited.names.join(", --");
    let settings = match Settings::from_flags(flags).await {
        Ok(settings) => Settings {
            allocator: Some(allocator::statistics),
            ..settings
        },
        Err(error) => return refuse(&error.to_string()),
    };
    if !without_effect.is_empty() {
        tracing::warn!("flags of metrics-server that have no effect here: --{without_effect}");
    }
    let delay = settings.requests.shutdown_delay_duration;
    let mut server = match Server::start(settings).await {
        Ok(server) => server,
        Err(error) => return refuse(&error.to_string()),
    };
    tokio::select! {
        () = signals.received() => {}
        part = server.failed() => {
            tracing::error!(part, "a part of the server ended by a defect of this program; please report the panic above");
            return ExitCode::FAILURE;
        }
    }
    if delay.is_zero() {
        tracing::info!("stopping: the server finishes requests in flight, then ends");
    } else {
        let delay = GoDuration::from(delay);
        tracing::info!(
            "stopping: the server serves for another {delay}, finishes requests in flight, then ends"
        );
    }
    tokio::select! {
        () = server.shutdown() => ExitCode::SUCCESS,
        () = signals.received() => {
            tracing::warn!("second signal: the server ends at once");
            ExitCode::FAILURE
        }
    }
}

/// The signals that end the program.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Raises the soft limit of open files to the hard limit, as Go's programs do: the server has a connection to each
/// node, and containers often start with a soft limit of 1024.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(%error, limit = limit.current, "cannot raise the limit of open files: each node takes one");
        }
    }
}

fn refuse(message: &str) -> ExitCode {
    // If standard error is closed, nothing can report it.
    let _closed = writeln!(std::io::stderr(), "vitals-server: {message}");
    ExitCode::from(USAGE)
}
