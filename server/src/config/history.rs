//! How much of the past is remembered: the flags checked.

use std::time::Duration;

use super::error::ConfigError;
use super::flags::History;
use crate::store::history::Settings;

/// A shorter past would be gone before a block of points is full.
const SHORTEST: Duration = Duration::from_secs(5 * 60);

/// With less there is hardly a node's past.
const LEAST_MEMORY: usize = 1 << 20;

/// For how long, how densely and in how much memory.
///
/// # Errors
/// Which flag says what cannot be.
pub(super) fn settings(flags: &History, resolution: Duration) -> Result<Settings, ConfigError> {
    let wrong = |text: &str| Err(ConfigError::Flag(text.to_owned()));
    let retention = flags.history_retention;
    if !retention.is_zero() {
        if retention < SHORTEST.max(resolution * 2) {
            return wrong(
                "--history-retention must be at least 5m and two resolutions, or 0 for no history",
            );
        }
        if flags.history_step > retention / 2 {
            return wrong("--history-step must be at most half of --history-retention");
        }
        if flags.history_memory_limit < LEAST_MEMORY {
            return wrong(
                "--history-memory-limit must be at least 1Mi; --history-retention=0 turns history off",
            );
        }
    }
    Ok(Settings {
        retention,
        step: flags.history_step,
        memory_limit: flags.history_memory_limit,
        resolution,
    })
}

/// What the flags are without being given.
pub(super) fn usual(resolution: Duration) -> Settings {
    Settings {
        retention: Duration::from_secs(3600),
        step: Duration::ZERO,
        memory_limit: 512 << 20,
        resolution,
    }
}
