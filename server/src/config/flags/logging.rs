//! What is logged.

use clap::Args;

use super::values::level;
use crate::telemetry::LogFormat;

/// What is logged.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logging")]
pub struct Logging {
    /// How log lines are written: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub logging_format: LogFormat,

    /// How much is logged: 0 to 3 information, 4 and up debugging, 8 and up everything.
    #[arg(short = 'v', long = "v", value_name = "LEVEL", default_value = "0", value_parser = level)]
    pub verbosity: u32,
}
