//! Where data comes from: a cluster's API, asked with the user's own kubeconfig.

mod attempts;
mod choose;
mod chosen;
mod client;
mod connect;
mod decode;
mod detail;
mod discovery;
mod error;
mod fault;
pub mod feed;
mod gzip;
mod health;
mod hpa;
mod item;
pub mod kubeconfig;
mod kubernetes;
mod message_sender;
mod metrics_api;
mod nodes;
mod pods;
mod polls;
mod reduced;
mod selection_limits;
mod status;
mod tls;
mod usage;
mod vitals;
mod watch;
mod why;
mod words;

pub use client::ApiClient;
pub use connect::{Handover, Terminal, provider};
pub use error::Error;
pub use feed::{Connector, Feed};
pub use metrics_api::{MetricsApi, Selection};
pub use nodes::{NodeCapacity, Resources};
pub use pods::PodRef;
pub use selection_limits::SelectionLimits;
pub use status::Failure;
pub use usage::{ContainerUsage, NodeUsage, PodUsage, Usage};
pub use why::{WhyAnswer, is_not_ours};

/// A path below kubevitals.io.
fn vitals_path(rest: &str) -> String {
    use kubevitals_proto::vitals::{GROUP, VERSION};
    format!("/apis/{GROUP}/{VERSION}{rest}")
}
