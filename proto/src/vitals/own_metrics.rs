//! `OwnMetrics`: the metrics that a pod exposes itself, as `…/podvitals/NAME/metrics` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Absence, Meta, Span};
use crate::duration::GoDuration;
use crate::labels::Labels;
use crate::time::Timestamp;

/// The metrics of a pod that the server keeps, by name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnMetrics {
    /// Always `OwnMetrics`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The name and namespace of the pod.
    pub metadata: Meta,
    /// What selects the pod for a scrape, and its last scrape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scrape: Option<OwnScrape>,
    /// Why there are no metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The time span of the points, if the request has `since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The metrics, by name.
    pub metrics: Vec<OwnMetric>,
    /// The number of metrics that are left out because there are too many.
    #[serde(skip_serializing_if = "is_zero")]
    pub omitted: u64,
}

/// How a pod is scraped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnScrape {
    /// What selects the pod: `annotation NAME`, `rule NAME`, `exporter NAMESPACE/NAME`.
    pub by: String,
    /// The URL.
    pub url: String,
    /// The time between two scrapes.
    pub interval: GoDuration,
    /// The end of the last scrape, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// How long the last scrape took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<GoDuration>,
    /// The samples of kept families in the last response.
    pub samples: u64,
    /// Why the last scrape failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// A metric of a pod.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnMetric {
    /// The name that clients ask for: of a rate or quantile with its suffix.
    pub name: String,
    /// The value: the sum over its series, or the quantile of the merged histogram.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Why there is no value, as a clause.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub absent: String,
    /// The time of the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The time over which a rate or quantile is computed; absent for a gauge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<GoDuration>,
    /// Its series, if it has more than one, or one with labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<OwnSeries>,
    /// One point for each step of the span; null in a gap.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<Option<f64>>,
}

/// A series of a metric of a pod.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OwnSeries {
    /// The labels.
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    pub labels: Labels,
    /// The value.
    pub value: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}
