//! Decoders of the pages of a kubelet.
//!
//! - [`names`]: the maximum lengths of names.
//! - [`resource`]: `/metrics/resource`: CPU and memory of the node and its containers.
//! - [`probes`]: `/metrics/probes`: how often each probe succeeded and failed.
//! - [`summary`]: `/stats/summary`: the same usage and more, as JSON.

pub mod names;
pub mod probes;
pub mod resource;
pub mod summary;
