//! Connections that have asked for nothing yet. When all places are taken, the oldest of them makes room: those who
//! only hold places cannot keep others out, and whoever has asked once is safe from newcomers.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

/// The silent connections, by the order in which they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Silent(Arc<Mutex<BTreeMap<u64, AbortHandle>>>);

impl Silent {
    /// Starts connection `number` as a silent one.
    pub(super) fn start(&self, number: u64, spawn: impl FnOnce(Newcomer) -> AbortHandle) {
        let newcomer = Newcomer {
            silent: self.clone(),
            number,
        };
        // Held while it starts: it may have asked and be gone before its handle is here.
        let mut silent = self.0.lock();
        silent.insert(number, spawn(newcomer));
    }

    /// Cuts the oldest one; whether there was one.
    pub(super) fn cut_oldest(&self) -> bool {
        // The lock is let go first: what is cut takes itself off the list.
        let oldest = self.0.lock().pop_first();
        oldest.map(|(_, connection)| connection.abort()).is_some()
    }
}

/// A connection that has asked for nothing yet. It is no longer silent when this is dropped.
#[derive(Debug)]
pub(super) struct Newcomer {
    silent: Silent,
    number: u64,
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        self.silent.0.lock().remove(&self.number);
    }
}
