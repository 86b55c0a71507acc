//! The flags as they are typed: the peer's names and defaults, a file a group.

mod authentication;
mod authorization;
mod cluster;
mod inherited;
mod kubelets;
mod logging;
mod serving;

use std::time::Duration;

use clap::Parser;
use kubevitals_proto::duration::GoDuration;

pub use authentication::Authentication;
pub use authorization::Authorization;
pub use cluster::Cluster;
pub use inherited::Inherited;
pub use kubelets::Kubelets;
pub use logging::Logging;
pub use serving::Serving;

/// A Kubernetes metrics server: scrapes every kubelet and answers metrics.k8s.io.
#[derive(Debug, Clone, Parser)]
#[command(name = "vitals-server", version, max_term_width = 100)]
pub struct Flags {
    /// What is watched, and how the API server is reached.
    #[command(flatten)]
    pub cluster: Cluster,
    /// How kubelets are asked.
    #[command(flatten)]
    pub kubelets: Kubelets,
    /// Where and how requests are taken.
    #[command(flatten)]
    pub serving: Serving,
    /// Who asks.
    #[command(flatten)]
    pub authentication: Authentication,
    /// May they.
    #[command(flatten)]
    pub authorization: Authorization,
    /// What is logged.
    #[command(flatten)]
    pub logging: Logging,
    /// The peer's flags that have no meaning here: accepted, and named once at start.
    #[command(flatten)]
    pub inherited: Inherited,
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
        assert!(
            flags.kubelets.kubelet_use_node_status_port && !flags.kubelets.kubelet_insecure_tls
        );
        assert_eq!(flags.serving.secure_port, 10250);
        assert_eq!(flags.kubelets.kubelet_preferred_address_types.len(), 3);
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
