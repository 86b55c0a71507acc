//! Limits on the memory of health.

use std::time::Duration;

/// Limits on the memory of health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Incidents. Above the limit the oldest ended incidents are dropped first.
    pub incidents: usize,
    /// The time for which an ended incident is stored.
    pub age: Duration,
    /// Unhealthy pods at one time.
    pub pods: usize,
    /// Earlier versions of pods.
    pub versions: usize,
    /// The time for which earlier versions of pods are stored.
    pub history: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            incidents: 4096,
            age: Duration::from_secs(24 * 3600),
            pods: 20_000,
            versions: 10_000,
            history: Duration::from_secs(3600),
        }
    }
}
