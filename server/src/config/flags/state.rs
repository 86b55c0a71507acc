//! What outlives the process.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::duration;

/// What outlives the process.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "State")]
pub struct State {
    /// A folder of this replica's own, to keep in it what the server knows: it is read at start, so that a restarted
    /// server answers at once and has its history.
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,

    /// How often that is written down while the server runs, at least 10s; 0 for at its end only.
    #[arg(long, value_name = "DURATION", default_value = "5m0s", value_parser = duration)]
    pub state_interval: Duration,
}
