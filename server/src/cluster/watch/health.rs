//! How a watch is doing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

/// How one watch is doing.
#[derive(Debug, Default)]
pub struct WatchHealth {
    synced: watch::Sender<bool>,
    denied: AtomicBool,
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
    pub async fn until_synced(&self) {
        let mut synced = self.synced.subscribe();
        // The sender is ours, and is there for as long as we are.
        let _synced = synced.wait_for(|synced| *synced).await;
    }

    /// Whether the API server refuses it, as this account has not the right to it.
    pub fn is_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed)
    }

    /// How often listing or watching failed since start. That an optional watch is refused does not count.
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
    pub(super) fn applied(&self, version: Option<String>) {
        if let Some(version) = version {
            *self.last_version.lock() = version;
        }
    }

    /// The API server has answered; whether it had refused before.
    pub(super) fn answered(&self) -> bool {
        self.denied.swap(false, Ordering::Relaxed)
    }

    /// The API server refuses the watch. An optional one that is refused is no failure.
    pub(super) fn denied(&self, optional: bool) {
        self.denied.store(true, Ordering::Relaxed);
        if !optional {
            self.failed();
        }
    }

    /// An attempt failed.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// A whole list has been read.
    pub(super) fn listed(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.synced.send_replace(true);
    }
}
