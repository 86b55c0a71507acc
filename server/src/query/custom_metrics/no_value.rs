//! Why there is no value.

use crate::external_queries::QueryAbsence;
use crate::pod_metrics::Absence;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// There is no such object.
    #[error("it does not exist")]
    NoObject,
    /// There are no such pods.
    #[error("there are no pods")]
    NoPods,
    /// No pod of the namespace has a value of a metric of this server's own.
    #[error("no pod has a value yet")]
    Unknown,
    /// The selector matches none of the workloads.
    #[error("the selector matches no workload of the namespace by the labels kind and workload")]
    NoWorkload,
    /// The pod has no value.
    #[error("{0}")]
    OfPod(Absence),
    /// A query to an engine has no result.
    #[error("{0}")]
    OfQuery(QueryAbsence),
    /// None of the pods has a value.
    #[error("none of {pods} pods has a value; {first}: {absence}")]
    OfPods {
        /// The number of pods.
        pods: usize,
        /// The name of the first pod.
        first: String,
        /// Why the first pod has none.
        absence: Absence,
    },
    /// Some pods have no value that they should have.
    #[error(
        "{missed} of {pods} pods should have a value and have none, so their aggregate is not known; {first}: {absence}"
    )]
    Partial {
        /// The number of pods that should have one.
        missed: usize,
        /// The number of all pods.
        pods: usize,
        /// The name of the first pod that should have one.
        first: String,
        /// Why it has none.
        absence: Absence,
    },
}
