//! Counters of the ConfigMap for incidents.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Running counts.
#[derive(Debug, Default)]
pub struct IncidentsCounts {
    available: AtomicBool,
    written: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    left_out: AtomicU64,
    restored: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncidentsFigures {
    /// Whether the ConfigMap could be read or written the last time.
    pub available: bool,
    /// How often it was written, since start.
    pub written: u64,
    /// How often it could not be read or written, since start.
    pub failed: u64,
    /// How many compressed bytes were written the last time.
    pub bytes: u64,
    /// How many incidents did not fit the last time.
    pub left_out: u64,
    /// Incidents that were restored from it, since start.
    pub restored: u64,
}

impl IncidentsCounts {
    /// The counts so far.
    pub fn snapshot(&self) -> IncidentsFigures {
        IncidentsFigures {
            available: self.available.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            left_out: self.left_out.load(Ordering::Relaxed),
            restored: self.restored.load(Ordering::Relaxed),
        }
    }

    pub(super) fn ended(&self, well: bool) {
        self.available.store(well, Ordering::Relaxed);
        if !well {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn wrote(&self, bytes: usize, left_out: usize) {
        self.written.fetch_add(1, Ordering::Relaxed);
        self.bytes.store(bytes as u64, Ordering::Relaxed);
        self.left_out.store(left_out as u64, Ordering::Relaxed);
    }

    pub(super) fn restored(&self, incidents: usize) {
        self.restored.fetch_add(incidents as u64, Ordering::Relaxed);
    }
}
