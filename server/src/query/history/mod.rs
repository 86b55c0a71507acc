//! Usage over a span of time: series by steps, with their quantiles.
//!
//! Times here are of the server's clock. Samples have the time of their kubelet's clock, which is converted.

mod estimate;
mod marks;
mod quantiles;
mod reach;
mod series;
mod steps;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;
use kubevitals_proto::vitals::Mark;

pub use series::HistorySubject;
pub use steps::{Aggregation, MAX_STEPS, Steps};

use super::sources::Sources;
use crate::store::History;
use crate::work::Cancel;

/// Answers queries for usage over a span of time.
#[derive(Debug, Clone, Copy)]
pub struct HistoryQuery<'a>(&'a Sources);

impl<'a> HistoryQuery<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self(sources)
    }

    /// The stored history, for transfers.
    pub fn store(self) -> &'a History {
        self.0.store.history()
    }

    /// The history of a subject by steps; `None` if no sample of it is in the span, or `cancel` is set. The subject
    /// need not exist any more.
    ///
    /// The total is the sum over the series that have a value in a step; of a node or the cluster, the sum over the
    /// nodes' own series. Samples that a node has of pods bound to another node are left out. The quantiles of a single
    /// series are those of its samples; the quantiles of a sum are those of its values at steps of one resolution.
    /// `marks` stay empty ([`Self::marks`]). Decoding takes some microseconds for a series, so a query for thousands of
    /// pods belongs on a thread of its own.
    pub fn over(
        self,
        subject: HistorySubject<'_>,
        steps: Steps,
        aggregation: Aggregation,
        cancel: &Cancel,
    ) -> Option<vitals::History> {
        series::over(self.0, subject, steps, aggregation, cancel)
    }

    /// The restarts within a span of the pod of this name, and of deleted pods of the same name, oldest first.
    pub fn marks(
        self,
        namespace: &str,
        name: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Vec<Mark> {
        marks::marks(self.0, namespace, name, since, until)
    }
}
