//! What a kubelet says, decoded.
//!
//! - [`exposition`]: the Prometheus text format, line by line, zero-copy.
//! - [`resource`]: `/metrics/resource`: CPU and memory of the node and its containers.

pub mod exposition;
pub mod number;
pub mod resource;
