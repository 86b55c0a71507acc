//! vitals-server: scrapes every kubelet and serves metrics.k8s.io and kubevitals.io.
//!
//! Data flows one way: `scrape` and `cluster` receive it, `store` stores it, `query` joins it, `api` serves it.
//! docs/architecture.md has an overview, and the layers that imports follow.

mod api;
pub mod auth;
pub mod availability;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod engine;
pub mod export;
pub mod external_queries;
mod flag_values;
pub mod health;
pub mod manage;
pub mod memory;
pub mod outbound;
mod parameters;
pub mod pod_metrics;
pub mod query;
pub mod scrape;
mod server;
pub mod shard;
pub mod state;
pub mod store;
mod tasks;
pub mod telemetry;
pub mod tls;
pub mod work;

pub use kubevitals_proto::objects::intern;
pub use server::{Server, StartError};

/// The program's allocator, so that tests can measure memory.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Functions for fuzz targets.
#[cfg(fuzzing)]
pub mod fuzzing {
    /// Decodes bytes as a state, as they are and within a valid frame.
    pub fn check_state(bytes: &[u8]) {
        crate::state::fuzzing::check_any_input(bytes);
    }
}
