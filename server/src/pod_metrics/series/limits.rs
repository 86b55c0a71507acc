//! What bounds the series that are kept.

use std::sync::Arc;
use std::time::Duration;

/// What bounds the merge of one scrape.
#[derive(Debug, Clone, Copy)]
pub(in crate::pod_metrics) struct Limits {
    /// The most series of the pod.
    pub(in crate::pod_metrics) series: usize,
    /// The number of series that may be added, for the namespace's and the server's limits.
    pub(in crate::pod_metrics) room: usize,
    /// The bytes by which series may grow.
    pub(in crate::pod_metrics) growth: usize,
    pub(in crate::pod_metrics) window: Duration,
    pub(in crate::pod_metrics) interval: Duration,
    pub(in crate::pod_metrics) honor_timestamps: bool,
}

/// What a merge did not use, by reason.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::pod_metrics) struct Merged {
    /// A reason for each unused series, with the family.
    pub(in crate::pod_metrics) unused: Vec<(&'static str, Arc<str>)>,
    /// Whether a limit refused series.
    pub(in crate::pod_metrics) is_cut: bool,
}
