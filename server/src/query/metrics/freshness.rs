//! How old answers are: counted apart for each answer, and added up when it is over, so that a list of 150,000
//! pods takes one lock.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use crate::telemetry::{Buckets, Histogram};

/// The peer's buckets, in seconds: twenty, each 1.364 times the one before.
#[expect(clippy::indexing_slicing, reason = "at compile time")]
const BOUNDS: [f64; 20] = {
    let mut bounds = [1.0; 20];
    let mut at = 1;
    while at < bounds.len() {
        bounds[at] = bounds[at - 1] * 1.364;
        at += 1;
    }
    bounds
};

/// A histogram of ages.
pub(in crate::query) fn histogram() -> Arc<Histogram> {
    Arc::new(Histogram::new(&BOUNDS))
}

/// The ages of one answer's metrics.
#[derive(Debug)]
pub(super) struct Ages {
    all: Arc<Histogram>,
    counted: Buckets,
    now: Timestamp,
}

impl Ages {
    /// Of an answer given at `now`.
    pub(super) fn of(all: &Arc<Histogram>, now: Timestamp) -> Self {
        Self {
            all: Arc::clone(all),
            counted: Buckets::new(&BOUNDS),
            now,
        }
    }

    /// Counts a metric with this time.
    pub(super) fn observe(&mut self, at: Timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "an age")]
        let seconds = self.now.since(at) as f64 / 1e9;
        self.counted.observe(seconds.max(0.0));
    }
}

impl Drop for Ages {
    fn drop(&mut self) {
        self.all.merge(&self.counted);
    }
}
