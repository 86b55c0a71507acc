//! Why a pod has no value of a metric.

/// The first step of the chain from the pod to its value that fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// Nothing asks for a scrape of the pod.
    #[error("neither an annotation nor --pod-metrics-config selects the pod")]
    NoTarget,
    /// The pod has no series of that name that the selector matches.
    #[error("the pod exposes no such series")]
    NoSeries,
}
