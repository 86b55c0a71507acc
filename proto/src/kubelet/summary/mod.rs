//! `/stats/summary`: what the kubelet knows of the node, its pods and their containers.
//!
//! Only what is used is kept; everything else is skipped as it is read. Every reading may be
//! absent: with `only_cpu_and_memory=true` there is no network and no file system, Windows has no
//! swap and no pressure, old kubelets have less. A number that is none a reading can have (negative,
//! not whole, not a number) counts as absent, and so does a time that is none, so that one bad field
//! does not cost the rest.
//!
//! Times are cut to whole seconds by the kubelet.
//!
//! [`Summary`] has all of it, [`Extras`] what is used beside CPU and memory, at a fraction of the cost.

mod extras;
mod lenient;
mod stats;

pub use extras::{Extras, NodeExtras, PodExtras, PodName, Pressured, Stall, Stalls, Traffic, Used};
pub use stats::{
    ContainerStats, CpuStats, FsStats, InterfaceStats, IoStats, MemoryStats, NetworkStats,
    NodeStats, PodRef, PodStats, Pressure, PressureStats, ProcessStats, RlimitStats, RuntimeStats,
    SwapStats, VolumeStats,
};

use lenient::null_is_default;
use serde::Deserialize;
use serde::de::Error as _;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Summary {
    /// The node itself.
    #[serde(default)]
    pub node: NodeStats,
    /// Its pods, in no order.
    #[serde(default, deserialize_with = "null_is_default")]
    pub pods: Vec<PodStats>,
}

impl Summary {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON, or not shaped as an answer of `/stats/summary`.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        object(body)?;
        serde_json::from_slice(body)
    }
}

/// Refuses an array, whose elements serde would take for the fields in order.
fn object(body: &[u8]) -> Result<(), serde_json::Error> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(serde_json::Error::custom(
            "expected an object, found an array",
        ));
    }
    Ok(())
}
