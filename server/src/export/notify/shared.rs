//! Data that all targets use.

use std::sync::Arc;

use super::metrics::NotifyMetrics;
use crate::clock::Clock;
use crate::health::Health;

/// The largest number of notices that wait for a target: as many as there can be incidents, because at the first start
/// all are announced.
pub(super) const QUEUE: usize = 4096;

/// Data that all targets use.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) health: Arc<Health>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: NotifyMetrics,
}
