//! Whether somebody still waits for some work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Is set when nobody waits for the work any more. The work looks at it between two nodes, or two objects of a list, and
/// ends with whatever it has: nobody reads that.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Whether nobody waits any more.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Nobody waits any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
