//! Why a pod has no value of a metric.

use std::time::Duration;

use kubevitals_proto::duration::GoDuration;

/// The first step of the chain from the pod to its value that fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// Nothing asks for a scrape of the pod.
    #[error("neither an annotation nor --pod-metrics-config selects the pod")]
    NoTarget,
    /// The pod is selected, but cannot be scraped; with the reason.
    #[error("{0}")]
    Refused(String),
    /// The first scrape has not ended.
    #[error("the pod has not been scraped yet")]
    NotScraped,
    /// No scrape has succeeded, or none for too long; with the error.
    #[error("scrapes fail: {0}")]
    Failed(String),
    /// The last successful scrape is too old.
    #[error("the last scrape that succeeded was {} ago", GoDuration::from(*.0))]
    Stale(Duration),
    /// The family was not kept at the last scrape, because nothing had asked for it.
    #[error("nothing has asked for it before; the next scrape keeps it")]
    NotKept,
    /// The pod does not expose the family.
    #[error("the pod exposes no family of this name")]
    NoFamily,
    /// The limits refused series of the last page.
    #[error(
        "its page has more series than the limits keep, so a sum of the others is not known; see the limits of \
         --pod-metrics-config and --pod-metrics-memory-limit"
    )]
    Limited,
    /// The pod has no series of that name that the selector matches.
    #[error("the pod exposes no such series")]
    NoSeries,
    /// A rate needs two samples.
    #[error("there is one sample so far; a rate needs two")]
    OneSample,
    /// A mean or a quantile needs an observation.
    #[error("nothing was observed within the window")]
    NoObservations,
    /// The type of the family has no such value.
    #[error("a {kind} has no {what}")]
    OtherType {
        /// The type of the family.
        kind: &'static str,
        /// What the name reads.
        what: &'static str,
    },
    /// The quantiles of several summaries.
    #[error("the quantiles of several summaries cannot be merged; select one series")]
    SeveralSummaries,
    /// The sum is no finite number.
    #[error("the value is too large")]
    NotFinite,
}
