//! The flags as they are typed: the peer's names and defaults.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};
use kubevitals_proto::duration::GoDuration;

use crate::cluster::AddressType;
use crate::telemetry::LogFormat;

const SERVING: &str = "Serving";
const KUBELETS: &str = "Kubelets";
const CLUSTER: &str = "Cluster";
const LOGGING: &str = "Logging";

/// A Kubernetes metrics server: scrapes every kubelet and answers metrics.k8s.io.
#[derive(Debug, Clone, Parser)]
#[command(name = "vitals-server", version, max_term_width = 100)]
pub struct Flags {
    /// Path to a kubeconfig; without it the in-cluster configuration is used.
    #[arg(long, value_name = "FILE", help_heading = CLUSTER)]
    pub kubeconfig: Option<PathBuf>,

    /// Only nodes with these labels are scraped, for example "pool=web,!virtual".
    #[arg(short = 'l', long, value_name = "SELECTOR", help_heading = CLUSTER)]
    pub node_selector: Option<String>,

    /// Time between two scrapes of a node, at least 10s.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration, help_heading = KUBELETS)]
    pub metric_resolution: Duration,

    /// The kubelets' port.
    #[arg(long, value_name = "PORT", default_value_t = 10250, value_parser = port, help_heading = KUBELETS)]
    pub kubelet_port: u16,

    /// Use the port in each node's status instead of --kubelet-port.
    #[arg(long, help_heading = KUBELETS, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub kubelet_use_node_status_port: bool,

    /// Which of a node's addresses to use, best first.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', help_heading = KUBELETS,
          default_value = "Hostname,InternalDNS,InternalIP,ExternalDNS,ExternalIP")]
    pub kubelet_preferred_address_types: Vec<AddressType>,

    /// How long one scrape may take, at most 0.9 of --metric-resolution.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration, help_heading = KUBELETS)]
    pub kubelet_request_timeout: Duration,

    /// Accept any certificate of a kubelet. For test clusters only.
    #[arg(long, help_heading = KUBELETS, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub kubelet_insecure_tls: bool,

    /// The CA of the kubelets' certificates; without it, the API server's CA.
    #[arg(long, value_name = "FILE", help_heading = KUBELETS)]
    pub kubelet_certificate_authority: Option<PathBuf>,

    /// A client certificate to show to kubelets.
    #[arg(long, value_name = "FILE", help_heading = KUBELETS)]
    pub kubelet_client_certificate: Option<PathBuf>,

    /// Its key.
    #[arg(long, value_name = "FILE", help_heading = KUBELETS)]
    pub kubelet_client_key: Option<PathBuf>,

    /// Ask kubelets by plain HTTP, without credentials. Deprecated, and never right.
    #[arg(long, help_heading = KUBELETS, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub deprecated_kubelet_completely_insecure: bool,

    /// The address to serve on.
    #[arg(long, value_name = "IP", default_value = "0.0.0.0", help_heading = SERVING)]
    pub bind_address: IpAddr,

    /// The port to serve HTTPS on.
    #[arg(long, value_name = "PORT", default_value_t = 443, value_parser = port, help_heading = SERVING)]
    pub secure_port: u16,

    /// The serving certificate, followed by its chain; without it, a self-signed one is made at start.
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub tls_cert_file: Option<PathBuf>,

    /// The serving certificate's key.
    #[arg(long, value_name = "FILE", help_heading = SERVING)]
    pub tls_private_key_file: Option<PathBuf>,

    /// How log lines are written: text or json.
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = LOGGING)]
    pub logging_format: LogFormat,

    /// How much is logged: 0 to 3 information, 4 and up debugging, 8 and up everything.
    #[arg(short = 'v', long = "v", value_name = "LEVEL", default_value_t = 0, help_heading = LOGGING)]
    pub verbosity: u8,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: GoDuration = text
        .parse()
        .map_err(|_| "write a duration like 15s or 1m30s".to_owned())?;
    u64::try_from(duration.0)
        .map(Duration::from_nanos)
        .map_err(|_| "a duration cannot be negative here".to_owned())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|port| *port > 0)
        .ok_or_else(|| "write a port from 1 to 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }

    #[test]
    fn the_peers_flags_for_kubelets_are_understood() {
        let flags = Flags::try_parse_from([
            "vitals-server",
            "--secure-port=10250",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            "--kubelet-use-node-status-port",
            "--metric-resolution=15s",
            "--kubelet-insecure-tls=false",
        ])
        .unwrap();
        assert!(flags.kubelet_use_node_status_port && !flags.kubelet_insecure_tls);
        assert_eq!(flags.secure_port, 10250);
        assert_eq!(flags.kubelet_preferred_address_types.len(), 3);
    }

    #[test]
    fn wrong_values_are_named() {
        for (flag, said) in [
            ("--metric-resolution=soon", "write a duration"),
            ("--metric-resolution=-5s", "cannot be negative"),
            ("--kubelet-port=0", "write a port"),
            (
                "--kubelet-preferred-address-types=Planet",
                "no node address type",
            ),
            ("--logging-format=xml", "use text or json"),
            ("--bind-address=here", "invalid"),
            ("--no-such-flag", "unexpected argument"),
        ] {
            let error = Flags::try_parse_from(["vitals-server", flag])
                .unwrap_err()
                .to_string();
            assert!(error.contains(said), "{flag}: {error}");
        }
    }
}
