//! What is counted of connections and certificates.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::pair::Kind;
use super::shown::Certificates;

/// The counters.
#[derive(Debug, Default)]
pub struct Counts {
    open: AtomicU64,
    accepted: AtomicU64,
    turned_away: AtomicU64,
    made_room: AtomicU64,
    handshakes_failed: AtomicU64,
    not_accepted: AtomicU64,
    reloads: Mutex<BTreeMap<Kind, Reloads>>,
    certificates: OnceLock<Arc<Certificates>>,
}

/// How often files were read anew because they had changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reloads {
    /// What they held is shown since.
    pub succeeded: u64,
    /// They could not be used, and what was shown before still is.
    pub failed: u64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Connections that are open, those in their handshake too.
    pub open: u64,
    /// Connections that were given a place since start.
    pub accepted: u64,
    /// Connections that came when all places were taken, since start.
    pub turned_away: u64,
    /// Connections without a request under way that were cut to make room for others, since start.
    pub made_room: u64,
    /// TLS handshakes that were not done: refused, cut, or too slow, since start.
    pub handshakes_failed: u64,
    /// How often accepting failed for want of something, such as open files, since start.
    pub not_accepted: u64,
    /// Reloads since start, by what the files are for.
    pub reloads: BTreeMap<Kind, Reloads>,
    /// Until when each certificate that is shown is good: the one for all, then those of the SNI flags in their
    /// order.
    pub expiries: Vec<(Kind, Timestamp)>,
}

impl Counts {
    /// What was counted so far.
    pub fn snapshot(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            open: read(&self.open),
            accepted: read(&self.accepted),
            turned_away: read(&self.turned_away),
            made_room: read(&self.made_room),
            handshakes_failed: read(&self.handshakes_failed),
            not_accepted: read(&self.not_accepted),
            reloads: self.reloads.lock().clone(),
            expiries: self.expiries(),
        }
    }

    fn expiries(&self) -> Vec<(Kind, Timestamp)> {
        let pairs = self.certificates.get().map(|shown| shown.pairs());
        let pairs = pairs.unwrap_or_default().into_iter();
        pairs.map(|(kind, pair)| (kind, pair.not_after())).collect()
    }

    pub(super) fn tell_expiry_of(&self, certificates: &Arc<Certificates>) {
        self.certificates.get_or_init(|| Arc::clone(certificates));
    }

    pub(super) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn made_room(&self) {
        self.made_room.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn handshake_failed(&self) {
        self.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn not_accepted(&self) {
        self.not_accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reloaded(&self, kind: Kind, succeeded: bool) {
        let mut reloads = self.reloads.lock();
        let reloads = reloads.entry(kind).or_default();
        if succeeded {
            reloads.succeeded += 1;
        } else {
            reloads.failed += 1;
        }
    }

    /// A connection has a place, until the returned value is dropped.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Open(Arc<Counts>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
