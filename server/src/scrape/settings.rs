//! How kubelets are scraped: flags and settings.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::page::Intervals;
use super::target::Addressing;
use crate::cluster::AddressType;
use crate::flag_values::{duration_in, nonzero_duration, port, zero_or_in};

/// The shortest interval: kubelets do not have newer samples.
const SHORTEST: Duration = Duration::from_secs(10);

/// The longest interval.
const LONGEST: Duration = Duration::from_secs(3600);

/// The flags of scrapes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Kubelets")]
pub struct KubeletFlags {
    /// Time between two scrapes of a node, at least 10s.
    #[arg(long, value_name = "DURATION", default_value = "1m0s",
          value_parser = duration_in(SHORTEST, LONGEST))]
    pub metric_resolution: Duration,

    /// Time between two requests for a node's /metrics/probes, at least 10s; 0 for none.
    #[arg(long, value_name = "DURATION", default_value = "1m0s",
          value_parser = zero_or_in(SHORTEST, LONGEST))]
    pub probes_interval: Duration,

    /// Time between two requests for a node's whole /stats/summary (disk, network, pressure, processes), at least 10s;
    /// 0 for none.
    #[arg(long, value_name = "DURATION", default_value = "1m0s",
          value_parser = zero_or_in(SHORTEST, LONGEST))]
    pub summary_interval: Duration,

    /// The port of the kubelets.
    #[arg(long, value_name = "PORT", default_value_t = 10250, value_parser = port)]
    pub kubelet_port: u16,

    /// Use the port in each node's status instead of --kubelet-port.
    #[arg(long)]
    pub kubelet_use_node_status_port: bool,

    /// The types of node addresses to use, in order of preference.
    #[arg(
        long,
        value_name = "TYPES",
        value_delimiter = ',',
        default_value = "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP"
    )]
    pub kubelet_preferred_address_types: Vec<AddressType>,

    /// The timeout of one scrape, at most 0.9 of --metric-resolution.
    #[arg(long, value_name = "DURATION", default_value = "10s",
          value_parser = nonzero_duration)]
    pub kubelet_request_timeout: Duration,

    /// Accept any certificate of a kubelet. For test clusters only.
    #[arg(long)]
    pub kubelet_insecure_tls: bool,

    /// The CA of the kubelets' certificates; without it, the API server's CA.
    #[arg(long, value_name = "FILE")]
    pub kubelet_certificate_authority: Option<PathBuf>,

    /// The client certificate for kubelets, instead of the token.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_certificate: Option<PathBuf>,

    /// The key of the client certificate for kubelets.
    #[arg(long, value_name = "FILE")]
    pub kubelet_client_key: Option<PathBuf>,

    /// Scrape kubelets by plain HTTP, without credentials. Deprecated; do not use it.
    #[arg(long)]
    pub deprecated_kubelet_completely_insecure: bool,
}

/// How kubelets are scraped.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Time between two scrapes of a node.
    pub resolution: Duration,
    /// The timeout of one scrape.
    pub timeout: Duration,
    /// How addresses become URLs.
    pub addressing: Addressing,
    /// Intervals of other pages.
    pub pages: Intervals,
}

impl KubeletFlags {
    /// Converts the flags, and checks those that depend on each other.
    ///
    /// # Errors
    /// The conflict, in one line.
    pub fn settings(&self) -> Result<Settings, &'static str> {
        if self.kubelet_request_timeout > self.metric_resolution * 9 / 10 {
            return Err(
                "--kubelet-request-timeout must be at most 0.9 of --metric-resolution, or one scrape runs into the next",
            );
        }
        if self.kubelet_client_certificate.is_some() != self.kubelet_client_key.is_some() {
            return Err(
                "--kubelet-client-certificate and --kubelet-client-key go together: give both or neither",
            );
        }
        let authority = self.kubelet_certificate_authority.is_some();
        if self.kubelet_insecure_tls && authority {
            return Err(
                "--kubelet-insecure-tls and --kubelet-certificate-authority contradict each other: give one of them",
            );
        }
        let plain = self.deprecated_kubelet_completely_insecure;
        let tls = self.kubelet_insecure_tls || authority;
        if plain && (tls || self.kubelet_client_certificate.is_some()) {
            return Err(
                "--deprecated-kubelet-completely-insecure is plain HTTP: it goes with no other TLS flag for kubelets",
            );
        }
        let on = |interval: Duration| (!interval.is_zero()).then_some(interval);
        Ok(Settings {
            resolution: self.metric_resolution,
            timeout: self.kubelet_request_timeout,
            addressing: Addressing {
                preferred: self.kubelet_preferred_address_types.clone(),
                port: self.kubelet_port,
                use_status_port: self.kubelet_use_node_status_port,
                plain,
            },
            pages: Intervals {
                probes: on(self.probes_interval),
                summary: on(self.summary_interval),
            },
        })
    }
}
