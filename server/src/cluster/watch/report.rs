//! What the log says of watches: one line when something begins to fail, one every ten minutes while it does, one when it
//! is over. What concerns the API server as a whole is said once for all watches.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::failure::Kind;
use super::health::WatchHealth;
use super::reflector::FailedAttempt;
use crate::telemetry::Unreported;

/// How often a failure that lasts is said again.
const REMINDER: Duration = Duration::from_secs(600);

/// At most one line in this time about the same subject, whatever happens to it.
const MIN_INTERVAL: Duration = Duration::from_secs(60);

/// Whether the server can go on without a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It cannot.
    Required,
    /// It can: an account with metrics-server's rights has no right to it.
    Optional,
}

/// What was said of one subject, and what was not.
#[derive(Debug, Default)]
struct LoggedFailure {
    /// The last line, and of which kind of failure it was.
    last: Option<(Instant, Kind)>,
    /// Whether a line was said of a failure that is not over.
    open: bool,
    /// Failures that were not said since the last line.
    unreported: u64,
}

impl LoggedFailure {
    /// Asks to say a failure; how many before it were not said.
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

    /// The failure is over; whether that is to be said.
    fn resolve(&mut self) -> bool {
        std::mem::take(&mut self.open)
    }
}

/// What is said of the API server as a whole: shared by all watches.
#[derive(Debug, Default)]
pub(super) struct Outages(Mutex<Outage>);

#[derive(Debug, Default)]
struct Outage {
    logged: LoggedFailure,
    /// The watches that fail.
    failing: BTreeSet<&'static str>,
}

/// What is said of one watch.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    health: &'a WatchHealth,
    outages: &'a Outages,
    /// `pods`
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

    /// The API server has answered.
    pub(super) fn answered(&mut self) {
        self.health.answered();
        if self.logged.resolve() {
            tracing::info!(
                resource = self.resource,
                "the API server answers this account's list and watch again"
            );
        }
        let mut outage = self.outages.0.lock();
        let was_failing = outage.failing.remove(self.resource);
        if was_failing && outage.failing.is_empty() && outage.logged.resolve() {
            tracing::info!("the API server answers again");
        }
    }

    /// An attempt failed.
    pub(super) fn failed(&mut self, failed: &FailedAttempt) {
        let FailedAttempt { failure, retry_in } = failed;
        let retry = seconds(*retry_in);
        let (resource, kind) = (self.resource, failure.kind());
        match kind {
            Kind::Expired => {
                self.health.failed();
                tracing::debug!(resource, error = %failure, "the watch cannot be resumed: a list follows");
            }
            Kind::Denied | Kind::Missing => {
                match kind {
                    Kind::Denied => self.health.denied(self.need == Need::Optional),
                    _ => self.health.failed(),
                }
                let Some(unreported) = self.logged.allow(kind) else {
                    return;
                };
                match self.need {
                    _ if kind == Kind::Missing => tracing::warn!(
                        resource,
                        error = %failure,
                        retry,
                        unreported,
                        "the API server does not serve {resource}; check that --kubeconfig names a Kubernetes API server",
                    ),
                    Need::Required => tracing::warn!(
                        resource,
                        error = %failure,
                        retry,
                        unreported,
                        "cannot list and watch {resource}: what is known of them is kept; grant this account list and \
                         watch of {resource}",
                    ),
                    Need::Optional => tracing::warn!(
                        resource,
                        error = %failure,
                        retry,
                        unreported,
                        "may not list and watch {resource}, and goes on without: causes of restarts and the workloads of \
                         pods are less certain; grant this account list and watch of {resource}, or apply \
                         deploy/upgrade/rights.yaml",
                    ),
                }
            }
            Kind::Status(_) | Kind::Unreachable => {
                self.health.failed();
                let mut outage = self.outages.0.lock();
                outage.failing.insert(resource);
                let Some(unreported) = outage.logged.allow(kind) else {
                    return;
                };
                tracing::warn!(
                    resource,
                    error = %failure,
                    retry,
                    unreported,
                    "the API server cannot be watched: what is known of the cluster is kept; check that the API server \
                     answers",
                );
            }
        }
    }
}

/// A delay for the log: `1.6s`.
fn seconds(delay: Duration) -> String {
    format!("{:.1}s", delay.as_secs_f64())
}
