//! Where data comes from: a cluster's API, asked with the user's own kubeconfig.

mod client;
mod decode;
mod discovery;
mod error;
pub mod kubeconfig;
mod metrics_api;
mod nodes;
mod pods;
mod status;
mod tls;
mod usage;
mod why;

pub use client::ApiClient;
pub use error::Error;
pub use metrics_api::{MetricsApi, Selection};
pub use nodes::{NodeCapacity, Resources};
pub use pods::PodRef;
pub use status::{Cause, Details, Failure};
pub use usage::{ContainerUsage, NodeUsage, PodUsage, Usage};
pub use why::{WhyAnswer, is_not_ours};
