//! The values besides CPU and memory: file systems, network, pressure, swap, processes.
//!
//! A page has about 5.5 KB for each pod, most of it containers, interfaces and volumes without a claim, which are not
//! used. The parser skips them, and borrows names from the body.

use super::SummaryError;
use super::bounded::{Elements, bounded};
use super::lenient::{number, time};
use super::volumes::{VolumeStats, claimed};
use crate::lenient::lenient;
use crate::time::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// The values of a node and its pods.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Extras<'a> {
    /// The node.
    pub node: NodeExtras,
    /// The pods, in no order.
    #[serde(borrow, deserialize_with = "bounded")]
    pub pods: Vec<PodExtras<'a>>,
}

/// The values of the node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct NodeExtras {
    /// Pressure on CPU.
    pub cpu: Option<Pressured>,
    /// Pressure on memory.
    pub memory: Option<Pressured>,
    /// Pressure on input and output.
    pub io: Option<Pressured>,
    /// Swap of the whole node.
    pub swap: Option<SwapStats>,
    /// The default interface.
    pub network: Option<Traffic>,
    /// The file system of the kubelet.
    pub fs: Option<FsStats>,
    /// The file systems of the container runtime.
    pub runtime: Option<RuntimeStats>,
    /// Processes.
    pub rlimit: Option<RlimitStats>,
}

/// The values of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodExtras<'a> {
    /// The pod.
    #[serde(borrow)]
    pub pod_ref: PodName<'a>,
    /// The start of the pod.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// Pressure on CPU.
    pub cpu: Option<Pressured>,
    /// Pressure on memory.
    pub memory: Option<Pressured>,
    /// Pressure on input and output.
    pub io: Option<Pressured>,
    /// Swap of the pod.
    pub swap: Option<SwapStats>,
    /// The default interface.
    pub network: Option<Traffic>,
    /// Usage of the node's disk: writable layers, logs and emptyDirs.
    #[serde(rename = "ephemeral-storage")]
    pub ephemeral_storage: Option<Used>,
    /// The volumes that have a claim.
    #[serde(rename = "volume", borrow, deserialize_with = "claimed")]
    pub volumes: Vec<VolumeStats<'a>>,
    /// Processes.
    #[serde(rename = "process_stats")]
    pub process_stats: Option<ProcessStats>,
}

/// The name of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct PodName<'a> {
    /// The name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// The namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
}

/// A resource that may have pressure.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Pressured {
    /// The pressure.
    pub psi: Option<Stalls>,
}

/// Pressure stall information: how long work waited for a resource. Kubelets leave it out or write zeros if the kernel
/// does not measure it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Stalls {
    /// All work waited.
    pub full: Stall,
    /// Some work waited.
    pub some: Stall,
}

/// One line of pressure stall information.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Stall {
    /// Time waited since the start, in **microseconds** (the kubelet's documentation says nanoseconds; its numbers are
    /// the kernel's).
    #[serde(deserialize_with = "number")]
    pub total: Option<u64>,
    /// Percent of the last minute.
    #[serde(deserialize_with = "lenient")]
    pub avg60: f64,
}

/// Counters of the default interface since its creation.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Traffic {
    /// The time of the counters, in whole seconds.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Bytes received.
    #[serde(deserialize_with = "number")]
    pub rx_bytes: Option<u64>,
    /// Bytes sent.
    #[serde(deserialize_with = "number")]
    pub tx_bytes: Option<u64>,
}

/// The usage of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Used {
    /// Bytes used.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
}

/// A file system, in bytes and inodes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FsStats {
    /// Bytes left.
    #[serde(deserialize_with = "number")]
    pub available_bytes: Option<u64>,
    /// The size in bytes.
    #[serde(deserialize_with = "number")]
    pub capacity_bytes: Option<u64>,
    /// Bytes used.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
    /// Inodes in all.
    #[serde(deserialize_with = "number")]
    pub inodes: Option<u64>,
}

/// The file systems of the container runtime.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimeStats {
    /// The file system of images.
    pub image_fs: Option<FsStats>,
}

/// Swap, in bytes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SwapStats {
    /// Bytes left.
    #[serde(deserialize_with = "number")]
    pub swap_available_bytes: Option<u64>,
    /// Bytes used.
    #[serde(deserialize_with = "number")]
    pub swap_usage_bytes: Option<u64>,
}

/// Processes of the node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct RlimitStats {
    /// The number of processes.
    #[serde(deserialize_with = "number")]
    pub curproc: Option<u64>,
}

/// Processes of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct ProcessStats {
    /// The number of processes.
    #[serde(deserialize_with = "number")]
    pub process_count: Option<u64>,
}

impl<'a> Extras<'a> {
    /// Parses a body.
    ///
    /// # Errors
    /// When it is not JSON, not a response of `/stats/summary`, or has more pods and claims than a node can.
    pub fn parse(body: &'a [u8]) -> Result<Self, SummaryError> {
        super::parse(body, |extras: &Self| {
            extras.pods.iter().map(Elements::elements).sum()
        })
    }
}

impl Elements for PodExtras<'_> {
    fn elements(&self) -> usize {
        1 + self.volumes.len()
    }
}
