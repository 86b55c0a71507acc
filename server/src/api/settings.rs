//! Limits of requests, and how the server ends.

use std::time::Duration;

use clap::Args;

use crate::flag_values::{count, duration, nonzero_duration};

/// Limits of requests, and how the server ends: flags, which are the settings themselves.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Requests")]
pub struct Settings {
    /// Limit of concurrent requests; further ones get 429. 0 means no limit.
    #[arg(long, value_name = "COUNT", default_value = "400", value_parser = count)]
    pub max_requests_inflight: usize,

    /// The timeout of one request.
    #[arg(long, value_name = "DURATION", default_value = "1m0s",
          value_parser = nonzero_duration)]
    pub request_timeout: Duration,

    /// How long the server continues to serve after SIGTERM, while /readyz fails.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub shutdown_delay_duration: Duration,
}
