//! `History`: what `…/NAME/history?since=&until=&step=` answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Absence, Cause, Meta};
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
    /// The time span of the history.
    pub span: Span,
    /// The total of all containers; for a node or the cluster, the usage that the kubelets report for the nodes.
    pub total: Series,
    /// Only for the cluster, and only for steps without samples of some nodes: an estimate for all nodes, as if those
    /// nodes used the same part of their allocatable resources as the others. The total of such a step lacks the usage
    /// of those nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimate: Vec<Option<Point>>,
    /// Each container of a pod, by name. Containers of a deleted pod and of a later pod with its name are separate.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Series>,
    /// Marks for a chart, such as restarts, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Where the points come from, oldest first. The time between two of them is the seam. Only if the span begins before
    /// the history in the server's memory, and the server has a long history.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<HistorySource>,
    /// Why the points before the history in memory are missing, if the long history does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
}

/// A part of the span of a history, and where its points come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HistorySource {
    /// Where the points come from.
    pub source: HistoryStore,
    /// The begin.
    pub since: Timestamp,
    /// The end.
    pub until: Timestamp,
}

api_enum! {
    /// Where the points of a history come from.
    pub enum HistoryStore {
        /// The server's memory.
        #[default]
        Memory,
        /// The engine of the long history. A point of it is a mean over minutes, and has no swap.
        Engine,
    }
}

/// The time span of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Span {
    /// The begin.
    pub since: Timestamp,
    /// The end.
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
    /// Bytes of swap used; absent without swap space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<u64>,
}

/// Quantiles over a span, in the unit of the series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Quantiles {
    /// The median.
    pub p50: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 95th percentile.
    pub p95: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The maximum.
    pub max: u64,
}

/// A mark for a chart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Mark {
    /// The time.
    pub time: Timestamp,
    /// The container, if the incident is about one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// The cause.
    pub cause: Cause,
    /// The label: OOMKilled, exit 137.
    pub text: String,
}
