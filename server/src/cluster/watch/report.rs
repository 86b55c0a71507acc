//! Logs the failures of watches: one line when a failure starts, one every ten minutes while it lasts, and one when
//! it ends. A failure of the API server as a whole is logged once for all watches.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::failure::Kind;
use super::health::WatchHealth;
use super::reflector::FailedAttempt;
use crate::telemetry::Unreported;

/// The time between two log lines about a lasting failure.
const REMINDER: Duration = Duration::from_secs(600);

/// The shortest time between two log lines about the same subject.
const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// Whether the server can continue without a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// The server needs the watch.
    Required,
    /// The server continues without the watch: an account with metrics-server's permissions does not have it.
    Optional,
}

/// The log lines about one subject.
#[derive(Debug, Default)]
struct LoggedFailure {
    /// The last line, and the kind of its failure.
    last: Option<(Instant, Kind)>,
    /// Whether a failure was logged that has not ended.
    open: bool,
    /// The number of failures since the last line.
    unreported: u64,
}

impl LoggedFailure {
    /// Returns `Some` if a failure may be logged now, with the number that was suppressed.
    fn allow(&mut self, kind: Kind) -> Option<Unreported> {
        let now = Instant::now();
        let due = self.last.is_none_or(|(at, before)| {
            let passed = now.saturating_duration_since(at);
            let changed = !self.open || before != kind;
            passed >= REMINDER || (changed && passed >= MIN_INTERVAL)
        });
        if !due {
            self.unreported += 1;
            return None;
        }
        (self.last, self.open) = (Some((now, kind)), true);
        Some(NonZeroU64::new(std::mem::take(&mut self.unreported)))
    }

    /// Ends the failure. Returns whether that is to be logged.
    fn resolve(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }
}

/// The failures of the API server as a whole, which all watches share.
#[derive(Debug, Default)]
pub(super) struct Outages(Mutex<Outage>);

#[derive(Debug, Default)]
struct Outage {
    logged: LoggedFailure,
    /// The watches that fail.
    failing: BTreeSet<&'static str>,
}

/// Reports the responses and failures of one watch.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    health: &'a WatchHealth,
    outages: &'a Outages,
    /// The resource: `pods`.
    resource: &'static str,
    need: Need,
    logged: LoggedFailure,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(
        health: &'a WatchHealth,
        outages: &'a Outages,
        resource: &'static str,
        need: Need,
    ) -> Self {
        Self {
            health,
            outages,
            resource,
            need,
            logged: LoggedFailure::default(),
        }
    }

    /// Reports a response.
    pub(super) fn answered(&mut self) {
        self.health.answered();
        if self.logged.resolve() {
            tracing::info!(
                resource = self.resource,
                "the API server answers list and watch of this account again"
            );
        }
        let mut outage = self.outages.0.lock();
        let was_failing = outage.failing.remove(self.resource);
        if was_failing && outage.failing.is_empty() && outage.logged.resolve() {
            tracing::info!("the API server answers again");
        }
    }

    /// Reports a failed attempt.
    pub(super) fn failed(&mut self, failed: &FailedAttempt) {
        let FailedAttempt { failure, retry_in } = failed;
        let retry = seconds(*retry_in);
        let (resource, kind) = (self.resource, failure.kind());
        if kind == Kind::Denied {
            self.health.denied();
        }
        // A denial is no failure of an optional watch.
        if (kind, self.need) != (Kind::Denied, Need::Optional) {
            self.health.failed();
        }
        let event = match (kind, self.need) {
            (Kind::Expired, _) => {
                tracing::debug!(resource, error = %failure, "the watch cannot be resumed: a list follows");
                return;
            }
            (Kind::Missing, _) => format!(
                "the API server does not serve {resource}; check that --kubeconfig names a Kubernetes API server"
            ),
            (Kind::Denied, Need::Required) => format!(
                "cannot list and watch {resource}: the cached ones stay in use; grant this account list and watch of \
                 {resource}"
            ),
            (Kind::Denied, Need::Optional) => format!(
                "may not list and watch {resource}, and continues without: causes of restarts and the workloads of pods are \
                 less certain; grant this account list and watch of {resource}, or apply deploy/upgrade/rights.yaml"
            ),
            (Kind::Status(_) | Kind::Unreachable, _) => {
                "the API server cannot be watched: the cached objects stay in use; check that the API server answers".to_owned()
            }
        };
        let unreported = match kind {
            Kind::Status(_) | Kind::Unreachable => {
                let mut outage = self.outages.0.lock();
                outage.failing.insert(resource);
                outage.logged.allow(kind)
            }
            _ => self.logged.allow(kind),
        };
        if let Some(unreported) = unreported {
            tracing::warn!(resource, error = %failure, retry, unreported, "{event}");
        }
    }
}

/// Formats a delay for the log: `1.6s`.
fn seconds(delay: Duration) -> String {
    format!("{:.1}s", delay.as_secs_f64())
}
