//! All watches under way: how many there may be, and when they have to end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
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
    /// Bytes of events that HTTP still has.
    held: AtomicU64,
}

impl Watchers {
    /// No watches yet; they end when `ending` says so.
    pub(crate) fn new(ending: watch::Receiver<bool>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(MOST)),
            ending,
            events: AtomicU64::new(0),
            held: AtomicU64::new(0),
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

    /// How many bytes of events are encoded, and not yet written to the clients' connections.
    pub(crate) fn bytes_held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Sends lines, an event each: they are counted as held until nobody has them any more.
    pub(super) fn send(self: &Arc<Self>, lines: Vec<u8>) -> Bytes {
        let events = lines.iter().map(|byte| u64::from(*byte == b'\n')).sum();
        self.events.fetch_add(events, Ordering::Relaxed);
        self.held.fetch_add(lines.len() as u64, Ordering::Relaxed);
        Bytes::from_owner(Sent {
            // What was allocated beyond them would be held without being counted.
            lines: lines.into_boxed_slice(),
            watchers: Arc::clone(self),
        })
    }
}

/// Lines that HTTP has.
struct Sent {
    lines: Box<[u8]>,
    watchers: Arc<Watchers>,
}

impl AsRef<[u8]> for Sent {
    fn as_ref(&self) -> &[u8] {
        &self.lines
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        let bytes = self.lines.len() as u64;
        self.watchers.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_held_until_their_last_part_is_written() {
        let watchers = Arc::new(Watchers::new(watch::channel(false).1));
        let mut lines = Vec::with_capacity(100);
        lines.extend(b"{}\n{}\n");
        let mut piece = watchers.send(lines);
        assert_eq!((watchers.events(), watchers.bytes_held()), (2, 6));
        // HTTP/2 takes a piece apart.
        let part = piece.split_to(3);
        drop(piece);
        assert_eq!(watchers.bytes_held(), 6);
        drop(part);
        assert_eq!((watchers.events(), watchers.bytes_held()), (2, 0));
    }
}
