//! `NodeVitals`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::usage::{Absence, Amounts, GpuUsage, Trend, Usage};
use super::{Meta, Statistics};
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
    /// The STATUS column of kubectl: Ready, NotReady, Ready,SchedulingDisabled.
    pub status: String,
    /// Whether the Ready condition is true; the field selector status.ready.
    pub ready: bool,
    /// The last change of ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_since: Option<Timestamp>,
    /// Conditions that report a problem, other than Ready: MemoryPressure, DiskPressure, PIDPressure, …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The taints: dedicated=gpu:NoSchedule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<String>,
    /// Versions of the software on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<NodeSystem>,
    /// The images on the node that its kubelet reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<NodeImages>,
    /// The pages of its kubelet that the server requests, and the result of the last request for each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<KubeletPage>,
    /// The usage of the node, including the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The reason why usage is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent: Option<Absence>,
    /// The resources of the node.
    pub capacity: Amounts,
    /// The allocatable resources.
    pub allocatable: Amounts,
    /// The sum of the requests of its pods, as the scheduler counts them: during a resize in place the larger of old
    /// and new, unless the node can never grant it.
    pub requests: Amounts,
    /// The sum of the limits of its pods.
    pub limits: Amounts,
    /// Ratios to the allocatable resources.
    pub ratios: NodeRatios,
    /// The usage of the GPUs of its pods, if an exporter reports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuUsage>,
    /// The number of pods on the node, and the maximum.
    pub pods: PodCapacity,
    /// The restarts of its containers within the retention of the history.
    pub restarts: u64,
    /// The names of the open incidents of the node itself; they are in the namespace default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incidents: Vec<String>,
    /// The file system of the kubelet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Disk>,
    /// The file system of images, if it is a separate one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_disk: Option<Disk>,
    /// Bytes sent and received by the default interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Pressure stall information.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Pressure>,
    /// The number of processes on the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// The size of the swap space in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_capacity: Option<Quantity>,
    /// The latest history, if the request has `trend=STEPS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trend: Option<Trend>,
    /// The usage of the node over a span, if the request has `stats=SPAN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<Statistics>,
}

/// A condition of a node that reports a problem.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// `MemoryPressure`, `DiskPressure`, `PIDPressure`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason, one word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The begin of the condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Versions of the software on a node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSystem {
    /// The version of the kubelet.
    pub kubelet_version: String,
    /// The container runtime: containerd://2.2.0.
    pub container_runtime: String,
    /// The operating system: Debian GNU/Linux 13 (trixie).
    pub os_image: String,
    /// The version of the kernel.
    pub kernel_version: String,
}

/// Images on a node. A kubelet reports the 50 largest, unless it is configured otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeImages {
    /// Their number.
    pub count: u32,
    /// The sum of their sizes in bytes.
    pub bytes: u64,
}

/// A page of a node's kubelet that the server requests.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KubeletPage {
    /// `resource` (usage), `probes` (counts of probe results) or `summary` (disk, network, pressure, processes).
    pub name: String,
    /// The path at the kubelet: `/metrics/resource`, `/metrics/probes`, `/stats/summary`.
    pub path: String,
    /// Answering, Failing, Waiting (the first request is in flight), or Disabled (the configuration turns the page
    /// off).
    pub state: String,
    /// The reason of the failure, one word: Forbidden, Timeout, Status, …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The failure, in one sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The time of the last successful request, by the server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
}

/// Ratios to the allocatable resources of the node: 0.5 is half.
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
    /// The pods that are bound to the node and have not finished.
    pub count: u64,
    /// The maximum number of pods on the node.
    pub capacity: u64,
}

/// A file system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Disk {
    /// Bytes used.
    pub used: Quantity,
    /// The size in bytes.
    pub capacity: Quantity,
    /// Free bytes.
    pub available: Quantity,
}

/// Bytes per second between the last two samples.
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
    /// For CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// For memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<f64>,
    /// For input and output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io: Option<f64>,
}
