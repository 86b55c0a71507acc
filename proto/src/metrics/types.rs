//! The owned types, with JSON in Go's field order.

use super::Version;
use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;
use crate::wire::meta::{ListMeta, ObjectMeta};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Usage by resource: `cpu` and `memory`.
pub type Usage = BTreeMap<String, Quantity>;

/// The usage of a node, with the system's own processes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeMetrics {
    /// `NodeMetrics`; absent in the items of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`; absent in the items of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// The name and labels of the node. The creation time is the time of this answer.
    pub metadata: ObjectMeta,
    /// The end of the window: when the kubelet took the sample. It may lie up to two and a half resolutions back.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    // Without a description of its own, as at metrics-server: that of Duration says it.
    #[schemars(description = "")]
    pub window: GoDuration,
    /// Usage by resource. `cpu` is in cores, averaged over the window. `memory` is the working set in bytes at the
    /// timestamp: what the kernel cannot reclaim under pressure, and what the out-of-memory killer counts.
    #[serde(deserialize_with = "null_is_empty")]
    pub usage: Usage,
}

/// The usage of a pod: of all of its running containers, or the pod has no metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PodMetrics {
    /// `PodMetrics`; absent in the items of a list.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`; absent in the items of a list.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// The name, namespace and labels of the pod. The creation time is the time of this answer.
    pub metadata: ObjectMeta,
    /// The end of the window: when the kubelet took the sample. It may lie up to two and a half resolutions back.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    // Without a description of its own, as at metrics-server: that of Duration says it.
    #[schemars(description = "")]
    pub window: GoDuration,
    /// The usage of each container, all over the same window.
    #[serde(deserialize_with = "null_is_empty")]
    pub containers: Vec<ContainerMetrics>,
}

/// The usage of a container.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ContainerMetrics {
    /// The container's name in `pod.spec.containers` or, of a sidecar, in `pod.spec.initContainers`.
    pub name: String,
    /// Usage by resource. `cpu` is in cores, averaged over the window. `memory` is the working set in bytes at the
    /// timestamp: what the kernel cannot reclaim under pressure, and what the out-of-memory killer counts.
    #[serde(deserialize_with = "null_is_empty")]
    pub usage: Usage,
}

/// The usage of the nodes that have metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct NodeMetricsList {
    /// Always `NodeMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Empty: a list is always whole, and of the time of the request.
    pub metadata: ListMeta,
    /// The nodes, by name.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<NodeMetrics>,
}

/// The usage of the pods that have metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PodMetricsList {
    /// Always `PodMetricsList`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: Cow<'static, str>,
    /// The API group and version, such as `metrics.k8s.io/v1`.
    #[serde(rename = "apiVersion", skip_serializing_if = "Option::is_none")]
    pub api_version: Option<Version>,
    /// Empty: a list is always whole, and of the time of the request.
    pub metadata: ListMeta,
    /// The pods, by namespace and name.
    #[serde(deserialize_with = "null_is_empty")]
    pub items: Vec<PodMetrics>,
}

/// Go writes a list or map that was never made as null.
fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
