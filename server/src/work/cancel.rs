//! Cancellation of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Is set when no client waits for the work. The work checks it between two nodes or two objects of a list, and
/// returns early; its result is dropped.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Whether the work is cancelled.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Cancels the work.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
