//! `/stats/summary`: statistics of the node, its pods and their containers.
//!
//! The parser skips all that is not used. Every reading may be
//! absent: with `only_cpu_and_memory=true` there is no network and no file system, Windows has no
//! swap and no pressure, old kubelets have less. A number that is none a reading can have (negative,
//! not whole, not a number) counts as absent, and so does a time that is none, so that one bad field
//! does not cost the rest.
//!
//! Times are cut to whole seconds by the kubelet.
//!
//! [`Summary`] has all of it, [`Extras`] what is used beside CPU and memory, at a fraction of the cost.

mod bounded;
mod extras;
mod lenient;
mod stats;

pub use bounded::MAX_ELEMENTS;
pub use extras::{Extras, NodeExtras, PodExtras, PodName, Pressured, Stall, Stalls, Traffic, Used};
pub use stats::{
    ContainerStats, CpuStats, FsStats, InterfaceStats, IoStats, MemoryStats, NetworkStats,
    NodeStats, PodRef, PodStats, Pressure, PressureStats, ProcessStats, RlimitStats, RuntimeStats,
    SwapStats, VolumeStats,
};

use bounded::{Elements, bounded};
use serde::Deserialize;
use serde::de::Error as _;

/// Why a body is not used.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// It is not JSON, or not shaped as an answer of `/stats/summary`.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
    /// It has more than [`MAX_ELEMENTS`] pods, containers, volumes and interfaces.
    #[error("it has more than {MAX_ELEMENTS} pods, containers, volumes and interfaces")]
    TooMany,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct Summary {
    /// The node itself.
    #[serde(default)]
    pub node: NodeStats,
    /// Its pods, in no order.
    #[serde(default, deserialize_with = "bounded")]
    pub pods: Vec<PodStats>,
}

impl Summary {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is not JSON, not shaped as an answer of `/stats/summary`, or has more list elements than a node can.
    pub fn parse(body: &[u8]) -> Result<Self, SummaryError> {
        let summary: Self = object(body)?;
        let of_pods: usize = summary.pods.iter().map(Elements::elements).sum();
        checked(summary.node.elements() + of_pods)?;
        Ok(summary)
    }
}

/// Refuses a body with so many list elements, if they are too many.
fn checked(elements: usize) -> Result<(), SummaryError> {
    if elements > MAX_ELEMENTS {
        return Err(SummaryError::TooMany);
    }
    Ok(())
}

/// Reads an object. Refuses an array, whose elements serde would take for the fields in order.
fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, serde_json::Error> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        return Err(serde_json::Error::custom(
            "expected an object, found an array",
        ));
    }
    serde_json::from_slice(body)
}
