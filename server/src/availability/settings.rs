//! The flag of availability.

use std::time::Duration;

use clap::Args;

use super::timeline::RETENTION;
use crate::flag_values::duration;

/// The shortest retention: totals are by hour.
const SHORTEST: Duration = Duration::from_secs(3_600);

/// The flags of availability.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "History")]
pub struct AvailabilityFlags {
    /// How long it is stored when each workload was up and down; 0 stores nothing.
    #[arg(long, value_name = "DURATION", default_value = "744h0m0s", value_parser = duration)]
    pub availability_retention: Duration,
}

impl AvailabilityFlags {
    /// The retention; none to store nothing.
    ///
    /// # Errors
    /// The retention is too short or too long, in one line.
    pub fn retention(&self) -> Result<Option<Duration>, &'static str> {
        match self.availability_retention {
            Duration::ZERO => Ok(None),
            retention if (SHORTEST..=RETENTION).contains(&retention) => Ok(Some(retention)),
            _ => Err(
                "--availability-retention must be between 1h and 744h (31 days), or 0 for no availability",
            ),
        }
    }
}
