//! The inputs of cells beside their rows.

use kubevitals_proto::time::Timestamp;

use crate::model::tone::Thresholds;

/// The inputs of a cell beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Context {
    /// The time on the screen.
    pub now: Timestamp,
    /// Thresholds for colours.
    pub thresholds: Thresholds,
}
