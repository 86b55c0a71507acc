//! The age of metrics in responses. Each response counts into buckets of its own, which are added to the shared
//! histogram when the response ends: a list of 150,000 pods takes the histogram's lock once.

use kubevitals_proto::time::Timestamp;

use crate::telemetry::{Buckets, Histogram};

/// The buckets of metrics-server's histogram, in seconds: each is 1.364 times the one before.
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

/// The ages of the metrics in one response.
#[derive(Debug)]
pub struct Ages {
    all: Histogram,
    counted: Buckets,
    now: Timestamp,
}

impl Ages {
    /// An empty histogram of ages.
    pub fn histogram() -> Histogram {
        Histogram::new(&BOUNDS)
    }

    /// Counts for a response at `now`.
    pub fn new(all: &Histogram, now: Timestamp) -> Self {
        Self {
            all: all.clone(),
            counted: Buckets::new(&BOUNDS),
            now,
        }
    }

    /// Counts a metric with this timestamp.
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
