//! The readings, group by group, as the kubelet names them.

use super::bounded::{Elements, bounded};
use super::lenient::{float, number, time};
use crate::time::Timestamp;
use serde::Deserialize;

/// The node itself.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStats {
    /// Its name.
    pub node_name: String,
    /// When it booted.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// Cgroups of the system: kubelet, runtime, pods.
    #[serde(deserialize_with = "bounded")]
    pub system_containers: Vec<ContainerStats>,
    /// CPU of the whole node.
    pub cpu: Option<CpuStats>,
    /// Memory of the whole node.
    pub memory: Option<MemoryStats>,
    /// Swap of the whole node.
    pub swap: Option<SwapStats>,
    /// Pressure on input and output.
    pub io: Option<IoStats>,
    /// Network of the whole node.
    pub network: Option<NetworkStats>,
    /// The file system the kubelet works on.
    pub fs: Option<FsStats>,
    /// The file systems of the container runtime.
    pub runtime: Option<RuntimeStats>,
    /// Processes.
    pub rlimit: Option<RlimitStats>,
}

/// One pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStats {
    /// Which pod.
    pub pod_ref: PodRef,
    /// When it started.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// Its containers that run, and in old kubelets some that do not.
    #[serde(deserialize_with = "bounded")]
    pub containers: Vec<ContainerStats>,
    /// CPU of the whole pod.
    pub cpu: Option<CpuStats>,
    /// Memory of the whole pod.
    pub memory: Option<MemoryStats>,
    /// Swap of the whole pod.
    pub swap: Option<SwapStats>,
    /// Pressure on input and output.
    pub io: Option<IoStats>,
    /// Network of the pod.
    pub network: Option<NetworkStats>,
    /// Its volumes.
    #[serde(rename = "volume", deserialize_with = "bounded")]
    pub volumes: Vec<VolumeStats>,
    /// What it uses of the node's disk: writable layers, logs and emptyDirs.
    #[serde(rename = "ephemeral-storage")]
    pub ephemeral_storage: Option<FsStats>,
    /// Processes.
    #[serde(rename = "process_stats")]
    pub process_stats: Option<ProcessStats>,
}

/// Which pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodRef {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its UID; of a static pod, the hash of its manifest.
    pub uid: String,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerStats {
    /// Its name within the pod.
    pub name: String,
    /// When it started.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// CPU.
    pub cpu: Option<CpuStats>,
    /// Memory.
    pub memory: Option<MemoryStats>,
    /// Swap.
    pub swap: Option<SwapStats>,
    /// Pressure on input and output.
    pub io: Option<IoStats>,
    /// Its writable layer.
    pub rootfs: Option<FsStats>,
    /// Its logs.
    pub logs: Option<FsStats>,
}

/// CPU.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CpuStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Use between the last two measurements, in nanocores.
    #[serde(deserialize_with = "number")]
    pub usage_nano_cores: Option<u64>,
    /// Time consumed since the start, in nanoseconds.
    #[serde(deserialize_with = "number")]
    pub usage_core_nano_seconds: Option<u64>,
    /// Pressure.
    pub psi: Option<PressureStats>,
}

/// Memory, in bytes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MemoryStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// What is left under the limit; absent without one.
    #[serde(deserialize_with = "number")]
    pub available_bytes: Option<u64>,
    /// All that is charged, caches included.
    #[serde(deserialize_with = "number")]
    pub usage_bytes: Option<u64>,
    /// What cannot be reclaimed at once: what `kubectl top` shows.
    #[serde(deserialize_with = "number")]
    pub working_set_bytes: Option<u64>,
    /// Anonymous memory.
    #[serde(deserialize_with = "number")]
    pub rss_bytes: Option<u64>,
    /// Minor page faults since the start.
    #[serde(deserialize_with = "number")]
    pub page_faults: Option<u64>,
    /// Major page faults since the start.
    #[serde(deserialize_with = "number")]
    pub major_page_faults: Option<u64>,
    /// Pressure.
    pub psi: Option<PressureStats>,
}

/// Swap, in bytes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SwapStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// What is left.
    #[serde(deserialize_with = "number")]
    pub swap_available_bytes: Option<u64>,
    /// What is used.
    #[serde(deserialize_with = "number")]
    pub swap_usage_bytes: Option<u64>,
}

/// Input and output.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct IoStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Pressure.
    pub psi: Option<PressureStats>,
}

/// Network: the default interface, and all of them.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NetworkStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// The default interface; empty if there is none.
    pub name: String,
    /// Bytes received on it since it is there.
    #[serde(deserialize_with = "number")]
    pub rx_bytes: Option<u64>,
    /// Errors while receiving.
    #[serde(deserialize_with = "number")]
    pub rx_errors: Option<u64>,
    /// Bytes sent.
    #[serde(deserialize_with = "number")]
    pub tx_bytes: Option<u64>,
    /// Errors while sending.
    #[serde(deserialize_with = "number")]
    pub tx_errors: Option<u64>,
    /// Every interface.
    #[serde(deserialize_with = "bounded")]
    pub interfaces: Vec<InterfaceStats>,
}

/// One network interface; counters since it is there.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InterfaceStats {
    /// Its name.
    pub name: String,
    /// Bytes received.
    #[serde(deserialize_with = "number")]
    pub rx_bytes: Option<u64>,
    /// Errors while receiving.
    #[serde(deserialize_with = "number")]
    pub rx_errors: Option<u64>,
    /// Bytes sent.
    #[serde(deserialize_with = "number")]
    pub tx_bytes: Option<u64>,
    /// Errors while sending.
    #[serde(deserialize_with = "number")]
    pub tx_errors: Option<u64>,
}

/// A file system, in bytes and inodes.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FsStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// What is left.
    #[serde(deserialize_with = "number")]
    pub available_bytes: Option<u64>,
    /// What there is.
    #[serde(deserialize_with = "number")]
    pub capacity_bytes: Option<u64>,
    /// What is used.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
    /// Inodes left.
    #[serde(deserialize_with = "number")]
    pub inodes_free: Option<u64>,
    /// Inodes there are.
    #[serde(deserialize_with = "number")]
    pub inodes: Option<u64>,
    /// Inodes used.
    #[serde(deserialize_with = "number")]
    pub inodes_used: Option<u64>,
}

/// A volume of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeStats {
    /// Its name within the pod.
    pub name: String,
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// What is left.
    #[serde(deserialize_with = "number")]
    pub available_bytes: Option<u64>,
    /// What there is.
    #[serde(deserialize_with = "number")]
    pub capacity_bytes: Option<u64>,
    /// What is used.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
}

/// The file systems of the container runtime.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimeStats {
    /// Where images are.
    pub image_fs: Option<FsStats>,
    /// Where writable layers are, if elsewhere.
    pub container_fs: Option<FsStats>,
}

/// Processes of the node.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RlimitStats {
    /// When it was measured.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// The most there can be.
    #[serde(deserialize_with = "number")]
    pub maxpid: Option<u64>,
    /// How many there are.
    #[serde(deserialize_with = "number")]
    pub curproc: Option<u64>,
}

/// Processes of a pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProcessStats {
    /// How many there are.
    #[serde(rename = "process_count", deserialize_with = "number")]
    pub process_count: Option<u64>,
}

/// Pressure stall information: how long work waited for a resource.
///
/// Where the kernel has none, kubelets leave it out or write zeros.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct PressureStats {
    /// All work waited.
    pub full: Pressure,
    /// Some work waited.
    pub some: Pressure,
}

/// One line of pressure stall information.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Pressure {
    /// Time waited since the start, in **microseconds** (the kubelet's documentation says
    /// nanoseconds; its numbers are the kernel's).
    #[serde(deserialize_with = "number")]
    pub total: Option<u64>,
    /// Percent of the last 10 seconds.
    #[serde(deserialize_with = "float")]
    pub avg10: f64,
    /// Percent of the last minute.
    #[serde(deserialize_with = "float")]
    pub avg60: f64,
    /// Percent of the last five minutes.
    #[serde(deserialize_with = "float")]
    pub avg300: f64,
}

impl Elements for ContainerStats {}
impl Elements for VolumeStats {}
impl Elements for InterfaceStats {}

impl Elements for PodStats {
    fn elements(&self) -> usize {
        let lists = self.containers.len() + self.volumes.len();
        1 + lists + interfaces(self.network.as_ref())
    }
}

impl Elements for NodeStats {
    fn elements(&self) -> usize {
        self.system_containers.len() + interfaces(self.network.as_ref())
    }
}

fn interfaces(network: Option<&NetworkStats>) -> usize {
    network.map_or(0, |network| network.interfaces.len())
}
