//! The simulated cluster from outside, over its sockets.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails says so by panicking"
)]

mod autoscaler;
mod client;
mod endpoints;
mod faults;
mod format;
mod kubelet;
mod pages;
mod program;
mod replay;
mod world;
