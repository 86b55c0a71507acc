//! Current usage of pods and nodes, for `metrics.k8s.io`.

pub(super) mod freshness;
mod nodes;
mod pods;

pub use nodes::NodeReading;
pub use pods::{PodCursor, PodList, PodReading, Visit};

use super::sources::Sources;
use crate::store::Absent;
use crate::telemetry::Histogram;
use freshness::Ages;

/// Answers queries for current usage.
#[derive(Debug, Clone, Copy)]
pub struct MetricsQuery<'a> {
    pub(super) sources: &'a Sources,
    pub(super) freshness: &'a Histogram,
}

impl MetricsQuery<'_> {
    fn ages(self) -> Ages {
        Ages::new(self.freshness, self.sources.wall())
    }
}

/// The result of looking up the metrics of one object.
#[derive(Debug, PartialEq, Eq)]
pub enum MetricsLookup<T> {
    /// The object's metrics.
    Metrics(T),
    /// The object exists, but has no metrics for this reason.
    NoMetrics(Absent),
    /// The API server has no such object, or the pod does not run.
    Unknown,
}

impl<T> From<Result<T, Absent>> for MetricsLookup<T> {
    fn from(result: Result<T, Absent>) -> Self {
        match result {
            Ok(metrics) => Self::Metrics(metrics),
            Err(absent) => Self::NoMetrics(absent),
        }
    }
}
