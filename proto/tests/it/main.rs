//! What real Kubernetes said, decoded and said again.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in test functions, but not in what they call"
)]

mod bounds;
#[path = "../cases/mod.rs"]
mod cases;
mod custom_metrics;
mod exposition;
mod fixtures;
mod forms;
mod metrics;
mod objects;
mod openapi;
#[path = "../owned.rs"]
mod owned;
mod probes;
mod quantity;
mod resource;
mod selector;
mod status;
mod summary;
mod vitals;
mod wire;
mod yaml;
