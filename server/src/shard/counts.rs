//! Counts of the exchange between shards.

use crate::telemetry::metrics::{Counter, Labelled};

/// Counts of the exchange between shards.
#[derive(Debug, Clone)]
pub(super) struct ShardMetrics {
    pub(super) received: Counter,
    pub(super) answered: Counter,
    pub(super) failed: Counter,
    pub(super) refused: Labelled<Counter, 1>,
    pub(super) handed: Counter,
    pub(super) hand_over_failed: Counter,
}

impl Default for ShardMetrics {
    fn default() -> Self {
        Self {
            received: Counter::default(),
            answered: Counter::default(),
            failed: Counter::default(),
            refused: Labelled::new(["reason"]),
            handed: Counter::default(),
            hand_over_failed: Counter::default(),
        }
    }
}
