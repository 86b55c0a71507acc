//! `/stats/summary`: statistics of the node, its pods and their containers.
//!
//! The parsers skip all that is not used: [`Rates`] has the kubelet's own CPU rates, [`Extras`] what the server stores
//! besides CPU and memory. Every value may be absent: with `only_cpu_and_memory=true` there is no network and no file
//! system, Windows has no swap and no pressure, old kubelets have less. A number that is impossible (negative, not
//! whole, not a number) counts as absent, and so does a text that is not a time, so that one bad field does not cost
//! the rest.
//!
//! The kubelet cuts times to whole seconds.

mod bounded;
mod extras;
mod lenient;
mod prune;
mod rates;
mod volumes;

pub use bounded::MAX_ELEMENTS;
pub use extras::{
    Extras, FsStats, NodeExtras, PodExtras, PodName, Pressured, ProcessStats, RlimitStats,
    RuntimeStats, Stall, Stalls, SwapStats, Traffic, Used,
};
pub use prune::prune;
pub use rates::{ContainerRates, CpuRate, NodeRates, PodRates, Rates};
pub use volumes::{ClaimName, VolumeStats};

use serde::Deserialize;
use serde::de::Error as _;

/// Why a body is not used.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// It is not JSON, or not a response of `/stats/summary`.
    #[error(transparent)]
    Malformed(#[from] serde_json::Error),
    /// It has more than [`MAX_ELEMENTS`] pods, containers and claims.
    #[error("it has more than {MAX_ELEMENTS} pods, containers and claims")]
    TooMany,
}

/// Parses an object, and refuses it if it has too many `elements`. Refuses an array, whose elements serde would take for
/// the fields in order.
fn parse<'a, T: Deserialize<'a>>(
    body: &'a [u8],
    elements: impl FnOnce(&T) -> usize,
) -> Result<T, SummaryError> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        let error = serde_json::Error::custom("expected an object, found an array");
        return Err(error.into());
    }
    let parsed: T = serde_json::from_slice(body)?;
    if elements(&parsed) > MAX_ELEMENTS {
        return Err(SummaryError::TooMany);
    }
    Ok(parsed)
}
