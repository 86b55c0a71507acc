//! How much of the past is remembered.

use std::time::Duration;

use clap::Args;

use super::duration;
use super::values::bytes;

/// How much of the past is remembered.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "History")]
pub struct History {
    /// For how long what nodes and containers used is remembered, those that are gone included; 0 remembers nothing.
    #[arg(long, value_name = "DURATION", default_value = "1h0m0s", value_parser = duration)]
    pub history_retention: Duration,

    /// The least time between two remembered points of a container or node; 0 remembers every new one.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub history_step: Duration,

    /// The most memory for what is remembered; past it the oldest of all nodes is forgotten first.
    #[arg(long, value_name = "QUANTITY", default_value = "512Mi", value_parser = bytes)]
    pub history_memory_limit: usize,
}
