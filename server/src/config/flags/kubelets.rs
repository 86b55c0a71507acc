//! How kubelets are asked.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{duration, port};
use crate::cluster::AddressType;

/// How kubelets are asked.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kubelets")]
pub struct Kubelets {
    /// Time between two scrapes of a node, at least 10s.
    #[arg(long, value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub metric_resolution: Duration,

    /// Time between two requests for a node's /metrics/probes, at least 10s; 0 asks for none.
    #[arg(long, value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub probes_interval: Duration,

    /// Time between two requests for a node's whole /stats/summary (disk, network, pressure, processes), at least 10s;
    /// 0 asks for none.
    #[arg(long, value_name = "DURATION", default_value = "1m0s", value_parser = duration)]
    pub summary_interval: Duration,

    /// The kubelets' port.
    #[arg(long, value_name = "PORT", default_value_t = 10250, value_parser = port)]
    pub kubelet_port: u16,

    /// Use the port in each node's status instead of --kubelet-port.
    #[arg(long)]
    pub kubelet_use_node_status_port: bool,

    /// Which of a node's addresses to use, best first.
    #[arg(
        long,
        value_name = "TYPES",
        value_delimiter = ',',
        default_value = "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP"
    )]
    pub kubelet_preferred_address_types: Vec<AddressType>,

    /// How long one scrape may take, at most 0.9 of --metric-resolution.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub kubelet_request_timeout: Duration,

    /// Accept any certificate of a kubelet. For test clusters only.
    #[arg(long)]
    pub kubelet_insecure_tls: bool,

    /// The CA of the kubelets' certificates; without it, the API server's CA.
    #[arg(long, value_name = "FILE")]
    pub kubelet_certificate_authority: Option<PathBuf>,

    /// A client certificate to show to kubelets, in place of the token.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_certificate: Option<PathBuf>,

    /// Its key.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_key: Option<PathBuf>,

    /// Ask kubelets by plain HTTP, without credentials. Deprecated, and never right.
    #[arg(long)]
    pub deprecated_kubelet_completely_insecure: bool,
}
