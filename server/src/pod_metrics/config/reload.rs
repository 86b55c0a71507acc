//! Reads the file again when it, or a file that it names, has changed.

use std::path::PathBuf;
use std::time::Duration;

use super::file::{self, Loaded};
use super::{Config, ConfigError};
use crate::telemetry::LogThrottle;

/// The time between two readings.
pub(in crate::pod_metrics) const INTERVAL: Duration = Duration::from_secs(10);

/// The time between two warnings about an unusable file.
const WARNING_INTERVAL: Duration = Duration::from_secs(600);

/// Reads the file again when it has changed.
#[derive(Debug)]
pub(in crate::pod_metrics) struct Reloader {
    path: PathBuf,
    interval: Duration,
    window: Duration,
    hash: u64,
    failed: bool,
    warnings: LogThrottle,
}

impl Reloader {
    /// Reads the file at the start.
    ///
    /// # Errors
    /// The file is invalid.
    pub(in crate::pod_metrics) fn start(
        path: PathBuf,
        interval: Duration,
        window: Duration,
    ) -> Result<(Self, Config), ConfigError> {
        let Loaded { config, hash } = file::load(&path, interval, window)?;
        let reloader = Self {
            path,
            interval,
            window,
            hash,
            failed: false,
            warnings: LogThrottle::new(WARNING_INTERVAL),
        };
        Ok((reloader, config))
    }

    /// The new config, if it has changed. While the file is invalid, the config before stays, which is logged.
    pub(in crate::pod_metrics) fn check(&mut self) -> Option<Config> {
        match file::load(&self.path, self.interval, self.window) {
            Ok(Loaded { config, hash }) => {
                self.failed = false;
                (std::mem::replace(&mut self.hash, hash) != hash).then_some(config)
            }
            Err(error) => {
                self.failed = true;
                if let Some(unreported) = self.warnings.allow() {
                    tracing::warn!(
                        unreported,
                        "{error}; the config before is used, and the file is read again"
                    );
                }
                None
            }
        }
    }

    /// Whether the file is invalid now.
    pub(in crate::pod_metrics) fn is_failing(&self) -> bool {
        self.failed
    }
}
