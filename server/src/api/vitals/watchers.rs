//! All watches under way: how many there may be, and when they have to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// More watches than a cluster's people and programs have; each takes some hundred KiB while it is told something.
const MOST: usize = 2048;

/// The watches.
#[derive(Debug)]
pub(crate) struct Watchers {
    places: Arc<Semaphore>,
    /// True as soon as the server lets go of its connections.
    ending: watch::Receiver<bool>,
    events: AtomicU64,
}

impl Watchers {
    /// No watches yet; they end when `ending` says so.
    pub(crate) fn new(ending: watch::Receiver<bool>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST)),
            ending,
            events: AtomicU64::new(0),
        }
    }

    /// A place for one more, if there is any.
    pub(super) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Tells when all have to end.
    pub(super) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.clone()
    }

    /// How many there are.
    pub(crate) fn under_way(&self) -> u64 {
        (MOST - self.places.available_permits()) as u64
    }

    /// How many events were sent since the start.
    pub(crate) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    /// So many events were sent.
    pub(super) fn sent(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }
}
