//! The server from outside: over real sockets, against simulated kubelets and a simulated API server.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy's exemption for tests does not reach the functions that they share"
)]

mod auth;
mod autoscaling;
mod availability;
mod captures;
mod cli;
mod clocks;
mod crowd;
mod custom_metrics;
mod ending;
#[path = "../../../proto/tests/shared/examples.rs"]
mod examples;
mod external_queries;
mod faults;
mod flags;
mod forms;
mod fresh;
mod harness;
mod health;
mod history;
mod hostile_kubelet;
mod hostile_tenant;
mod http;
mod incidents;
mod incidents_configmap;
mod kubectl;
mod limits;
mod log;
mod long_history;
mod manage;
mod manifests;
mod memory;
mod metrics;
mod native_histograms;
mod notify;
mod own_metrics;
#[path = "../../../proto/tests/owned.rs"]
mod owned;
mod pages;
mod pod_filter;
mod printed;
mod prometheus;
mod real_exporters;
mod recording;
mod remote_write;
mod resources;
mod scenarios;
mod shards;
mod soak;
mod state;
mod targets;
mod then_and_now;
mod tls;
mod tls_reload;
mod vitals;
mod volumes;
mod why;
mod work;

/// The program's own, so that tests can tell what something takes.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
