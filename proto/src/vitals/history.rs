//! `History`: what `…/NAME/history?since=&until=&step=` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cause, Meta};
use crate::duration::GoDuration;
use crate::time::Timestamp;

/// Series of a node, a pod, a workload, a namespace or the cluster over a span.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct History {
    /// Always `History`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The metadata of the object that the history is of.
    pub metadata: Meta,
    /// The time of the history.
    pub span: Span,
    /// All containers together; of a node or the cluster what the kubelets say of the nodes.
    pub total: Series,
    /// Only of the cluster, for steps in which some nodes sent no sample: the usage of all nodes, if those nodes used the
    /// same part of what pods can have as the others. The total of such a step is too low by what they used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimate: Vec<Option<Point>>,
    /// Each container of a pod, by name; those of a pod that was deleted and made anew under its name are apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Series>,
    /// Restarts and other things that a chart marks, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

/// The time that a history is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Span {
    /// Its beginning.
    pub since: Timestamp,
    /// Its end.
    pub until: Timestamp,
    /// The length of a step; the n-th ends at `since + (n + 1) × step`.
    pub step: GoDuration,
}

/// A series by steps, and quantiles over its points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Series {
    /// The container; empty for a total.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The UID of the pod, if known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// One point for each step; null in a gap.
    pub points: Vec<Option<Point>>,
    /// The number of points that the series is computed from.
    pub samples: u64,
    /// CPU over the span, in nanocores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantiles>,
    /// Memory over the span, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantiles>,
}

/// A step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Point {
    /// Nanocores.
    pub cpu: u64,
    /// Bytes.
    pub memory: u64,
    /// Bytes of swap, where there is any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
}

/// Quantiles over a span, in the unit of what they are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Quantiles {
    /// The median.
    pub p50: u64,
    /// Nine of ten are below it.
    pub p90: u64,
    /// 19 of 20 are below it.
    pub p95: u64,
    /// 99 of 100 are below it.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// Something that a chart marks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// The container, where it is about one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// The cause.
    pub cause: Cause,
    /// In a few words: `OOMKilled, exit 137`.
    pub text: String,
}
