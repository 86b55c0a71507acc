//! The sources of data: the APIs of a cluster, requested with the user's kubeconfig.

mod attempts;
mod body_chunks;
mod claim;
mod client;
mod connect;
mod decode;
mod detail;
mod direct;
mod discovery;
mod error;
mod error_text;
mod facts;
mod fault;
pub mod feed;
mod health;
mod hpa;
mod hpa_facts;
mod item;
mod json_items;
pub mod kubeconfig;
mod kubernetes;
mod list_items;
mod list_pages;
mod message_sender;
mod metrics_api;
mod nodes;
mod object_names;
mod own_metrics;
mod past;
mod pod_selection;
mod pods;
mod reduced;
mod response;
mod selection_limits;
mod source_choice;
mod status;
mod subset;
mod tls;
mod usage;
mod usage_polls;
mod vitals;
mod vitals_api;
mod volumes;
mod watch;
mod why;

pub use client::ApiClient;
pub use connect::{Handover, Modes, Terminal, provider};
pub use error::Error;
pub use feed::{Connector, Feed};
pub use hpa_facts::read_hpa;
pub use metrics_api::{MetricsApi, Selection};
pub use nodes::{NodeCapacity, Resources};
pub use object_names::{Named, ObjectName, object_names};
pub use pods::PodRef;
pub use selection_limits::SelectionLimits;
pub use status::Failure;
pub use subset::Subset;
pub use usage::{ContainerUsage, NodeUsage, PodUsage, Usage};
pub use vitals_api::{PodQuery, VitalsApi, VitalsService};
pub use why::{WhyResponse, is_not_ours};

/// A path below kubevitals.io.
fn vitals_path(rest: &str) -> String {
    use kubevitals_proto::vitals::{GROUP, VERSION};
    format!("/apis/{GROUP}/{VERSION}{rest}")
}
