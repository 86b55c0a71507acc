//! `NodeVitals`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;
use super::usage::{Absence, Amounts, Trend, Usage};
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// A node: usage, requests, limits and condition.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeVitals {
    /// Always `NodeVitals`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The node's own name, labels and creation time, with a UID of its own and the node as owner.
    pub metadata: Meta,
    /// What kubectl shows under STATUS: `Ready`, `NotReady`, `Ready,SchedulingDisabled`.
    pub status: String,
    /// Whether its Ready condition is true; the field selector `status.ready`.
    pub ready: bool,
    /// Since when `ready` is what it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<Timestamp>,
    /// Conditions other than Ready that are not as they should be: `MemoryPressure`, `DiskPressure`, `PIDPressure`, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The pages of its kubelet that the server reads, and what came of asking for each of them last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<KubeletPage>,
    /// What it uses, the system included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why `usage` is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The resources of the node.
    pub capacity: Amounts,
    /// What pods can have.
    pub allocatable: Amounts,
    /// What its pods request, as the scheduler counts it: during a resize in place the larger of old and new, unless the
    /// node can never grant it.
    pub requests: Amounts,
    /// What its pods are limited to, of those that are.
    pub limits: Amounts,
    /// Parts of `allocatable`.
    pub ratios: NodeRatios,
    /// The pods of the node, and the most that it can run.
    pub pods: PodCapacity,
    /// Restarts of its containers within the time that the server remembers.
    pub restarts: u64,
    /// Names of its own incidents that are not over; they are in the namespace `default`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// The file system the kubelet works on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// The file system of images, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_disk: Option<Disk>,
    /// Bytes sent and received by the default interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Pressure stall information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// Processes that run on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// Bytes of swap it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_capacity: Option<Quantity>,
    /// The latest history, if the request has `trend=STEPS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
}

/// A condition of a node that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `MemoryPressure`, `DiskPressure`, `PIDPressure`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// A page of a node's kubelet that the server reads.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeletPage {
    /// `resource` (usage), `probes` (counts of probe results) or `summary` (disk, network, pressure, processes).
    pub name: String,
    /// The path at the kubelet: `/metrics/resource`, `/metrics/probes`, `/stats/summary`.
    pub path: String,
    /// `Answering`, `Failing`, `Waiting` (the first request is not over), or `Disabled` (the configuration turns the page off).
    pub state: String,
    /// Why it fails, in one word: `Forbidden`, `Timeout`, `Status`, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why it fails, in one sentence for a person.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When the last request that succeeded was sent, by the server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
}

/// Parts of what a node can give to pods: 0.5 is half.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeRatios {
    /// CPU used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// CPU requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_requested: Option<f64>,
    /// Memory used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Memory requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_requested: Option<f64>,
}

/// Pods on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodCapacity {
    /// The pods that are bound to the node and not over.
    pub count: u64,
    /// The most pods that the node can run.
    pub capacity: u64,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Disk {
    /// Bytes used.
    pub used: Quantity,
    /// Bytes in all.
    pub capacity: Quantity,
    /// Bytes that can still be used.
    pub available: Quantity,
}

/// Bytes a second over the time between the last two readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Network {
    /// Received.
    pub rx_bytes_per_second: u64,
    /// Sent.
    pub tx_bytes_per_second: u64,
}

/// Pressure stall information: for what part of the last minute, in percent, some tasks waited
/// (`some avg60`).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Pressure {
    /// Waiting for CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Waiting for memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// Waiting for input or output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io: Option<f64>,
}
