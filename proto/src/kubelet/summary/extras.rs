//! The part of an answer that is used beside CPU and memory: file systems, network, pressure, swap, processes.
//!
//! A page has about 5.5 KB for each pod, most of it containers, volumes and interfaces that are not used. The parser
//! skips them; names are borrowed from the body. What is built is one list of pods.

use super::bounded::{Elements, bounded};
use super::lenient::{float, number, time};
use super::{FsStats, RlimitStats, RuntimeStats, SummaryError, SwapStats, checked};
use crate::time::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;

/// What is used of the whole answer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Extras<'a> {
    /// The node itself.
    pub node: NodeExtras,
    /// Its pods, in no order.
    #[serde(borrow, deserialize_with = "bounded")]
    pub pods: Vec<PodExtras<'a>>,
}

/// Of the node itself.
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
    /// The file system the kubelet works on.
    pub fs: Option<FsStats>,
    /// The file systems of the container runtime.
    pub runtime: Option<RuntimeStats>,
    /// Processes.
    pub rlimit: Option<RlimitStats>,
}

/// Of one pod.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodExtras<'a> {
    /// Which pod.
    #[serde(borrow)]
    pub pod_ref: PodName<'a>,
    /// When it started.
    #[serde(deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// Pressure on CPU.
    pub cpu: Option<Pressured>,
    /// Pressure on memory.
    pub memory: Option<Pressured>,
    /// Pressure on input and output.
    pub io: Option<Pressured>,
    /// Its swap.
    pub swap: Option<SwapStats>,
    /// Its default interface.
    pub network: Option<Traffic>,
    /// What it uses of the node's disk: writable layers, logs and emptyDirs.
    #[serde(rename = "ephemeral-storage")]
    pub ephemeral_storage: Option<Used>,
    /// Processes.
    #[serde(rename = "process_stats")]
    pub process_stats: Option<super::ProcessStats>,
}

/// Which pod.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct PodName<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Its namespace.
    #[serde(borrow)]
    pub namespace: Cow<'a, str>,
}

/// A resource that may have pressure.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Pressured {
    /// Its pressure.
    pub psi: Option<Stalls>,
}

/// Pressure stall information, as far as it is used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Stalls {
    /// All work waited.
    pub full: Stall,
    /// Some work waited.
    pub some: Stall,
}

/// One line of pressure stall information, as far as it is used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Stall {
    /// Time waited since the start, in microseconds. Zero in all lines of a node whose kernel does not measure it.
    #[serde(deserialize_with = "number")]
    pub total: Option<u64>,
    /// Percent of the last minute.
    #[serde(deserialize_with = "float")]
    pub avg60: f64,
}

/// Counters of the default interface, since it is there.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Traffic {
    /// When they were read, to the second.
    #[serde(deserialize_with = "time")]
    pub time: Option<Timestamp>,
    /// Bytes received.
    #[serde(deserialize_with = "number")]
    pub rx_bytes: Option<u64>,
    /// Bytes sent.
    #[serde(deserialize_with = "number")]
    pub tx_bytes: Option<u64>,
}

/// What is used of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Used {
    /// In bytes.
    #[serde(deserialize_with = "number")]
    pub used_bytes: Option<u64>,
}

impl<'a> Extras<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON, not shaped as an answer of `/stats/summary`, or has more pods than a node can.
    pub fn parse(body: &'a [u8]) -> Result<Self, SummaryError> {
        let extras: Self = super::object(body)?;
        checked(extras.pods.len())?;
        Ok(extras)
    }
}

impl Elements for PodExtras<'_> {}
