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
    /// All nodes together, those that have usage. Its timestamp is that of the oldest among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The resources of the nodes.
    pub capacity: Amounts,
    /// What pods can have.
    pub allocatable: Amounts,
    /// What pods can have on the nodes that have usage: `usage` is of those. Older servers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocatable_reporting: Option<Amounts>,
    /// What pods request.
    pub requests: Amounts,
    /// What pods are limited to, of those that are.
    pub limits: Amounts,
    /// Parts of what pods can have: what is used, of that of the nodes that have usage.
    pub ratios: NodeRatios,
    /// Probes that fail now.
    pub probes_failing: u64,
    /// Restarts within the time that the server remembers.
    pub restarts: u64,
    /// Counts of incidents.
    pub incidents: IncidentCounts,
    /// What the server remembers.
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
    /// All of them.
    pub total: u64,
    /// Those whose Ready condition is true.
    pub ready: u64,
    /// Those that have usage now.
    pub reporting: u64,
}

/// Counts of pods.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCounts {
    /// All of them.
    pub total: u64,
    /// Those whose Ready condition is true.
    pub ready: u64,
    /// Those of which a probe fails. Older servers leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probes_failing: Option<u64>,
    /// The count of each phase.
    pub by_phase: BTreeMap<String, u64>,
}

/// Counts of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IncidentCounts {
    /// Those that are not over.
    pub open: u64,
    /// Those that the server remembers.
    pub total: u64,
}

/// What the server remembers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HistoryStatus {
    /// How far the history goes back; 0s without a history.
    pub retention: GoDuration,
    /// The oldest point there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Timestamp>,
    /// Series: containers and nodes, those that are gone included.
    pub series: u64,
    /// The number of points.
    pub points: u64,
    /// The memory of the points in bytes.
    pub bytes: u64,
}
