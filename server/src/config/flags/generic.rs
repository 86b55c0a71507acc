//! How much may be asked at a time, how long an answer may take, and how the server ends.

use std::time::Duration;

use clap::Args;

use super::duration;
use super::values::count;

/// How much may be asked at a time, how long an answer may take, and how the server ends.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Requests")]
pub struct Generic {
    /// Requests answered at the same moment; more get 429. 0 is no bound.
    #[arg(long, value_name = "COUNT", default_value = "400", value_parser = count)]
    pub max_requests_inflight: usize,

    /// How long one request may take.
    #[arg(long, value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub request_timeout: Duration,

    /// How long to go on serving after SIGTERM, with /readyz failing already.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub shutdown_delay_duration: Duration,
}
