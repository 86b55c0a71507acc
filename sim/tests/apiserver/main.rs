//! The simulated API server as its clients see it: kube-rs, kubectl, and an aggregated server behind it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod aggregation;
mod auth;
mod backend;
mod faults;
mod fixtures;
mod harness;
mod kubectl;
mod lists;
mod logs;
mod operations;
mod watches;
mod writes;
