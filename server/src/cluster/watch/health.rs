//! The health of a watch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

/// The health of one watch.
#[derive(Debug, Default)]
pub struct WatchHealth {
    synced: watch::Sender<bool>,
    denied: AtomicBool,
    failures: AtomicU64,
    lists: AtomicU64,
    left_out: AtomicU64,
    last_version: Mutex<String>,
}

impl WatchHealth {
    /// Whether a complete list has been read since the start.
    pub fn synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Completes when a complete list has been read.
    pub async fn until_synced(&self) {
        let mut synced = self.synced.subscribe();
        // The sender lives as long as `self`.
        let _synced = synced.wait_for(|synced| *synced).await;
    }

    /// Whether the API server denies the watch, because this account has no permission.
    pub fn is_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed)
    }

    /// The number of failures since the start. A denied optional watch does not count.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The number of complete lists since the start: one, and one for each time the watch could not be resumed.
    pub fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }

    /// The `resourceVersion` of the object that was applied last; empty before the first. Readers see that object.
    pub fn last_version(&self) -> String {
        self.last_version.lock().clone()
    }

    /// The number of objects that are left out, because the memory limit is near: those of the last list; later ones count
    /// as one. While it is not zero, the objects are not all that the API server has.
    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// Records the number of objects that are left out.
    pub(super) fn set_left_out(&self, objects: u64) {
        self.left_out.store(objects, Ordering::Relaxed);
    }

    /// Records that all changes up to this version have been applied.
    pub(super) fn applied(&self, version: Option<String>) {
        if let Some(version) = version {
            *self.last_version.lock() = version;
        }
    }

    /// Records a response: the watch is not denied.
    pub(super) fn answered(&self) {
        self.denied.store(false, Ordering::Relaxed);
    }

    /// Records a denial.
    pub(super) fn denied(&self) {
        self.denied.store(true, Ordering::Relaxed);
    }

    /// Records a failed attempt.
    pub(super) fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Records a complete list.
    pub(super) fn listed(&self) {
        self.lists.fetch_add(1, Ordering::Relaxed);
        self.synced.send_replace(true);
    }
}
