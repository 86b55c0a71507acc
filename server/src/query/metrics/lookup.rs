//! The result of looking up one object.

use crate::store::Absent;

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
