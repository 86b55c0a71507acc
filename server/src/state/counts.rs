//! What is counted of keeping the state.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use kubevitals_proto::time::Timestamp;

/// Running counts.
#[derive(Debug, Default)]
pub struct Counts {
    written: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    last: AtomicI64,
    from_file: AtomicU64,
    from_peer: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// How often the state was written, since start.
    pub written: u64,
    /// How often it could not be.
    pub failed: u64,
    /// How large it was the last time, in bytes.
    pub bytes: u64,
    /// When that was.
    pub last: Option<Timestamp>,
    /// Nodes of which something was taken from the file at start.
    pub from_file: u64,
    /// Nodes of which something was taken from another replica at start.
    pub from_peer: u64,
}

impl Counts {
    /// What was counted so far.
    pub fn snapshot(&self) -> Figures {
        let last = self.last.load(Ordering::Relaxed);
        Figures {
            written: self.written.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            last: (last != 0).then_some(Timestamp(last)),
            from_file: self.from_file.load(Ordering::Relaxed),
            from_peer: self.from_peer.load(Ordering::Relaxed),
        }
    }

    pub(super) fn wrote(&self, bytes: u64, now: Timestamp) {
        self.written.fetch_add(1, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
        self.last.store(now.0, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn took(&self, nodes: usize, from_peer: bool) {
        let counter = if from_peer {
            &self.from_peer
        } else {
            &self.from_file
        };
        counter.store(nodes as u64, Ordering::Relaxed);
    }
}
