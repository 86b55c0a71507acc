//! Usage over a span of time: series by steps, with their quantiles.
//!
//! Times here are of the server's clock. Samples have the time of their kubelet's clock, which is converted.

mod estimate;
mod marks;
mod older;
mod older_marks;
mod plan;
mod quantiles;
mod reach;
mod seam;
mod series;
mod statistics;
mod steps;
mod subject;
mod total;

pub use older::Older;
pub(super) use older::{containers, whole};
pub use plan::round_step;
pub(super) use seam::ring_since;
pub(super) use statistics::StatisticsQuery;
pub use steps::{Aggregation, MAX_STEPS, Steps};
pub use subject::HistorySubject;

use super::sources::Sources;
use crate::store::History;

/// Answers queries for usage over a span of time.
#[derive(Debug, Clone, Copy)]
pub struct HistoryQuery<'a>(pub(super) &'a Sources);

impl<'a> HistoryQuery<'a> {
    /// The stored history, for transfers.
    pub fn store(self) -> &'a History {
        self.0.history()
    }
}
