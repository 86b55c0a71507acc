//! Log lines, as text or as JSON, on standard error.

use std::io::IsTerminal;
use std::str::FromStr;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::flag_values::level;

/// The flags of the log.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogFlags {
    /// How log lines are written: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub logging_format: LogFormat,

    /// How much is logged: 0 to 3 information, 4 and up debugging, 8 and up everything.
    #[arg(short = 'v', long = "v", value_name = "LEVEL", default_value = "0", value_parser = level)]
    pub verbosity: u32,
}

/// `--logging-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!(
                "unknown logging format {other:?}: use text or json"
            )),
        }
    }
}

/// What is written at a verbosity.
///
/// Below 4, only this project's own lines: a library writes one for each failed request, with its structures as a
/// debugger shows them; whatever they mean to somebody who runs the server, the server says itself, once.
fn filter(verbosity: u8) -> &'static str {
    match verbosity {
        0..=3 => {
            "off,kubevitals=info,kubevitals_proto=info,kubevitals_server=info,kubevitals_sim=info,vitals_server=info,vitals_sim=info"
        }
        4..=7 => "info,kubevitals_server=debug,kube_client=debug,kube_runtime=debug",
        _ => "debug,kubevitals_server=trace",
    }
}

/// Installs the log writer for the whole process. `verbosity` is klog's: 0 to 3 is information, 4 and up
/// debugging, 8 and up everything. `RUST_LOG`, where set, decides instead. A second call changes nothing.
pub fn init(format: LogFormat, verbosity: u8) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter(verbosity)));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A logger that is already there (a test's, the demo's) is as good as ours.
    let _already_there = match format {
        LogFormat::Text => builder
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_target(false)
            .try_init(),
    };
}
