//! What something uses, may use, and why that is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::GoDuration;
use crate::quantity::Quantity;
use crate::time::Timestamp;

/// CPU and memory used over a window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Cores, averaged over the window.
    pub cpu: Quantity,
    /// The working set in bytes at the timestamp: what the kernel cannot reclaim under pressure, and what the
    /// out-of-memory killer counts.
    pub memory: Quantity,
    /// Bytes of swap used: of a node with swap space, of a pod or container that uses swap. A pod's swap is the sum of
    /// its containers, or the swap of the pod as a whole if that is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap: Option<Quantity>,
    /// The end of the window, by the kubelet's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The window of the CPU rate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<GoDuration>,
    /// True for a pod with a container that has just started: CPU of that container is the mean since its start, until it
    /// has a rate. The metrics.k8s.io API has no usage of the pod until then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub provisional: bool,
}

/// Amounts of resources: requests, limits, capacity, allocatable. Resources that are not set are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Amounts {
    /// Cores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Quantity>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Bytes of the node's own disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<Quantity>,
    /// GPUs, shares of GPUs or MIG instances, of all vendors together: nvidia.com/gpu, nvidia.com/mig-…, amd.com/gpu,
    /// gpu.intel.com/i915, gpu.intel.com/xe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu: Option<u64>,
}

/// What GPUs do, as an exporter reports it that names the pod of each GPU.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct GpuUsage {
    /// The number of GPUs that are reported.
    pub count: u64,
    /// GPUs in use, summed: 1500m are one and a half GPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<Quantity>,
    /// Bytes of GPU memory used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Quantity>,
    /// Bytes of GPU memory, used and free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_capacity: Option<Quantity>,
    /// The time of the oldest of these values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

impl GpuUsage {
    /// The mean utilization of the GPUs: 0.5 is half.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "there are few GPUs")]
    pub fn mean_utilization(&self) -> Option<f64> {
        let utilization = self.utilization.filter(|_| self.count > 0)?;
        Some(utilization.to_f64() / self.count as f64)
    }
}

/// Ratios of usage to requests and limits: 0.5 is half. Absent without usage, request or limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Ratios {
    /// CPU used of CPU requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_of_request: Option<f64>,
    /// CPU used of the CPU limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_of_limit: Option<f64>,
    /// Memory used of memory requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_of_request: Option<f64>,
    /// Memory used of the memory limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_of_limit: Option<f64>,
}

/// The reason why usage is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Absence {
    /// The reason, one word: NotReported, FirstPoint, Stale, NotRunning, …
    pub reason: String,
    /// The reason as a sentence.
    pub message: String,
}

/// The latest steps of a series, oldest first, for a sparkline. A gap is null.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Trend {
    /// The end of the last step.
    pub until: Timestamp,
    /// The length of each step.
    pub step: GoDuration,
    /// Nanocores, the mean of each step.
    pub cpu: Vec<Option<u64>>,
    /// Bytes, the mean of each step.
    pub memory: Vec<Option<u64>>,
}
