//! What a HorizontalPodAutoscaler, its events and the APIs of its metrics say.

use kubevitals_proto::why::Why;

use crate::model::event::{Condition, Event};
use crate::model::row::HpaMetric;

/// What a HorizontalPodAutoscaler, its events and the APIs of its metrics say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HpaFacts {
    /// The conditions.
    pub conditions: Vec<Condition>,
    /// The metrics, in the order of the spec.
    pub metrics: Vec<MetricFacts>,
    /// The API groups of the metrics, and who serves them.
    pub apis: Vec<MetricApi>,
    /// The events, newest first.
    pub events: Vec<Event>,
}

/// A metric of an HPA.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFacts {
    /// Its name, value and target.
    pub metric: HpaMetric,
    /// The name of a pod, and why it has a value of the metric or not. Only of metrics that vitals-server explains.
    pub why: Option<(String, Why)>,
}

/// An API group with metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricApi {
    /// The group.
    pub group: &'static str,
    /// Who serves it.
    pub server: MetricServer,
}

/// Who serves an API group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricServer {
    /// Nobody: no APIService has the group.
    Nobody,
    /// A Service, as NAMESPACE/NAME, that answers.
    Available(String),
    /// A Service that does not answer, and why.
    Unavailable(String, String),
    /// It cannot be read.
    Unknown,
}
