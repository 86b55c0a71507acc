//! Writes log lines to standard error, as text or as JSON.

use std::io::IsTerminal;
use std::str::FromStr;

use clap::Args;
use tracing_subscriber::EnvFilter;

use crate::flag_values::level;

/// The flags of the log.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogFlags {
    /// The format of log lines: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub logging_format: LogFormat,

    /// The log level: 0 to 3 for information, from 4 for debugging, from 8 for everything.
    #[arg(short = 'v', long = "v", value_name = "LEVEL", default_value = "0", value_parser = level)]
    pub verbosity: u32,
}

/// `--logging-format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line of text for each event.
    #[default]
    Text,
    /// One JSON object for each event.
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

/// The filter of a verbosity.
///
/// Below 4 only the lines of this project are written. Libraries log each failed request with its debug output; the
/// server logs the same failures once, in a readable form.
fn filter(verbosity: u8) -> &'static str {
    match verbosity {
        0..=3 => {
            "off,kubevitals=info,kubevitals_proto=info,kubevitals_server=info,kubevitals_sim=info,vitals_server=info,vitals_sim=info"
        }
        4..=7 => "info,kubevitals_server=debug,kube_client=debug,kube_runtime=debug",
        _ => "debug,kubevitals_server=trace",
    }
}

/// Installs the log writer for the process. `verbosity` is klog's: 0 to 3 is info, 4 to 7 debug, 8 and more
/// everything. The variable `RUST_LOG` takes precedence. A second call changes nothing.
pub fn init(format: LogFormat, verbosity: u8) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter(verbosity)));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A test or the demo has installed a writer before.
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
