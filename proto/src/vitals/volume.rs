//! `VolumeVitals`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Meta;
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// A PersistentVolumeClaim that pods mount: how full its volume is, and when it will be full.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeVitals {
    /// Always `VolumeVitals`.
    pub kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// The name and the namespace of the claim.
    pub metadata: Meta,
    /// When the kubelet measured the volume. Kubelets do so every one to two minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The size of the file system in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
    /// Bytes used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<Quantity>,
    /// Bytes that can still be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available: Option<Quantity>,
    /// The inodes; absent for a file system that has no fixed number of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes: Option<Inodes>,
    /// Ratios of what cannot be used any more.
    pub ratios: VolumeRatios,
    /// The growth of the used bytes; absent until there are ten minutes of samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<VolumeGrowth>,
    /// The names of the first 100 pods that mount the claim.
    pub pods: Vec<String>,
    /// The number of pods that mount the claim.
    pub pod_count: u64,
    /// The names of the first 100 nodes on which pods mount the claim. The kubelet of the first one has the latest
    /// values.
    pub nodes: Vec<String>,
    /// The number of nodes on which pods mount the claim.
    pub node_count: u64,
}

/// Inodes of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Inodes {
    /// Inodes in all.
    pub capacity: u64,
    /// Inodes used.
    pub used: u64,
}

/// Ratios of a volume: 0.5 is half.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeRatios {
    /// Of the capacity, what is not available: a full volume has 1, whatever is reserved for root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<f64>,
    /// Of the inodes, those that are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inodes: Option<f64>,
}

/// The growth of a volume over the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeGrowth {
    /// The change of the used bytes in an hour; negative if they fall.
    pub bytes_per_hour: i64,
    /// Since when the volume has been observed, at most for an hour.
    pub since: Timestamp,
    /// When the volume is full if the growth goes on; absent if that is more than 30 days away, or if the volume does
    /// not grow steadily.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_at: Option<Timestamp>,
}

impl VolumeVitals {
    /// The most pods and the most nodes that an object names.
    pub const MAX_NAMES: usize = 100;
}
