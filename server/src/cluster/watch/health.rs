//! How a watch is doing, and what is said of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use kube::runtime::watcher;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::telemetry::{Quiet, chain};

/// At most one line in this time about one watch's failures.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// Whether there is no going on without a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// There is none: one that is refused is tried again like any that fails.
    Must,
    /// There is: who may do what metrics-server may, and no more, is refused.
    May,
}

/// How one watch is doing.
#[derive(Debug, Default)]
pub struct WatchHealth {
    synced: watch::Sender<bool>,
    refused: AtomicBool,
    failures: AtomicU64,
    lists: AtomicU64,
    last_version: Mutex<String>,
}

impl WatchHealth {
    /// Whether a whole list has been read since start.
    pub fn synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Completes when a whole list has been read.
    pub(super) async fn until_synced(&self) {
        let mut synced = self.synced.subscribe();
        // The sender is ours, and is there for as long as we are.
        let _synced = synced.wait_for(|synced| *synced).await;
    }

    /// Whether the API server refuses it, as this account has not the right to it.
    pub fn refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// How often listing or watching failed since start; being refused does not count.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// How many whole lists were read since start: one, and one for each time the watch could not be resumed.
    pub fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    /// The `resourceVersion` of the object that was taken in last; empty before the first. Whoever reads it may rely on
    /// readers seeing that object.
    pub fn last_version(&self) -> String {
        self.last_version.lock().clone()
    }

    /// What was at this version, and all before it, has been taken in.
    pub(super) fn taken_in(&self, version: Option<String>) {
        if let Some(version) = version {
            *self.last_version.lock() = version;
        }
    }

    /// A whole list has been read.
    pub(super) fn listed(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.synced.send_replace(true);
    }
}

/// What is said of one watch.
#[derive(Debug)]
pub(super) struct Reporter<'a> {
    health: &'a WatchHealth,
    /// `pods`
    what: String,
    need: Need,
    complaints: Quiet,
    complained: bool,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(health: &'a WatchHealth, what: impl Into<String>, need: Need) -> Self {
        Self {
            health,
            what: what.into(),
            need,
            complaints: Quiet::new(COMPLAINT_INTERVAL),
            complained: false,
        }
    }

    /// The API server has answered.
    pub(super) fn answered(&mut self) {
        let was_refused = self.health.refused.swap(false, Ordering::Relaxed);
        if std::mem::take(&mut self.complained) || was_refused {
            tracing::info!(kind = self.what, "the API server answers again");
        }
    }

    /// It has not, or not with what was asked for. Whether it is to be asked again now.
    pub(super) fn failed(&mut self, error: &watcher::Error) -> bool {
        if self.need == Need::May && code(error) == Some(403) {
            if !self.health.refused.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    kind = self.what,
                    error = %chain(error),
                    "may not watch {0} at the API server, and goes on without: why containers were restarted and what \
                     made a pod is told less surely; grant this account list and watch of {0}, or take the rights of \
                     deploy/upgrade/rights.yaml",
                    self.what,
                );
            }
            return false;
        }
        self.health.failures.fetch_add(1, Ordering::Relaxed);
        if code(error) == Some(410) {
            // A watch that has expired, as each does that was cut off for a while: it is listed anew, and that is all.
            tracing::debug!(kind = self.what, %error, "the watch is begun anew");
        } else if let Some(before) = self.complaints.speak() {
            self.complained = true;
            tracing::warn!(
                kind = self.what,
                error = %chain(error),
                unreported = before,
                "cannot watch {} at the API server; what was last known is kept and it is tried again; \
                 check that the API server answers and that this account may list and watch them",
                self.what,
            );
        }
        true
    }
}

/// The API server's status code, if it was the API server that failed.
fn code(error: &watcher::Error) -> Option<u16> {
    use watcher::Error::{
        InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed,
    };
    match error {
        InitialListFailed(kube::Error::Api(status))
        | WatchStartFailed(kube::Error::Api(status))
        | WatchFailed(kube::Error::Api(status))
        | WatchError(status) => Some(status.code),
        InitialListFailed(_) | WatchStartFailed(_) | WatchFailed(_) | NoResourceVersion => None,
    }
}
