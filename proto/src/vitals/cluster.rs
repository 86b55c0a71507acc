//! `ClusterVitals`: one object, named `cluster`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;
use super::node::NodeRatios;
use super::usage::{Amounts, Trend, Usage};
use crate::duration::GoDuration;
use crate::time::Timestamp;

/// The whole cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterVitals {
    /// Always `ClusterVitals`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// Its name is `cluster`.
    pub metadata: Meta,
    /// Counts of nodes.
    pub nodes: NodeCounts,
    /// Counts of pods.
    pub pods: PodCounts,
    /// The usage of all nodes that have usage. The timestamp is the oldest of theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The resources of the nodes.
    pub capacity: Amounts,
    /// The allocatable resources.
    pub allocatable: Amounts,
    /// The allocatable resources of the nodes that have usage. Older servers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocatable_reporting: Option<Amounts>,
    /// The sum of the requests of pods.
    pub requests: Amounts,
    /// The sum of the limits of pods.
    pub limits: Amounts,
    /// Ratios to the allocatable resources; for usage, to those of the nodes that have usage.
    pub ratios: NodeRatios,
    /// Probes that fail now.
    pub probes_failing: u64,
    /// The restarts within the retention of the history.
    pub restarts: u64,
    /// Counts of incidents.
    pub incidents: IncidentCounts,
    /// The stored history.
    pub history: HistoryStatus,
    /// The server's version.
    pub server_version: String,
    /// The latest history, if the request has `trend=STEPS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// Counts of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeCounts {
    /// The total number.
    pub total: u64,
    /// The nodes whose Ready condition is true.
    pub ready: u64,
    /// The nodes that have usage now.
    pub reporting: u64,
}

/// Counts of pods.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCounts {
    /// The total number.
    pub total: u64,
    /// The nodes whose Ready condition is true.
    pub ready: u64,
    /// The pods with a failing probe. Older servers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes_failing: Option<u64>,
    /// The count of each phase.
    pub by_phase: BTreeMap<String, u64>,
}

/// Counts of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentCounts {
    /// The open incidents.
    pub open: u64,
    /// The incidents that the server stores.
    pub total: u64,
}

/// The stored history.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HistoryStatus {
    /// How far the history goes back; 0s without a history.
    pub retention: GoDuration,
    /// The time of the oldest point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// The number of series: one for each container and node, deleted ones included.
    pub series: u64,
    /// The number of points.
    pub points: u64,
    /// The memory of the points in bytes.
    pub bytes: u64,
    /// Whether what is older is read from an engine.
    pub engine: bool,
}
