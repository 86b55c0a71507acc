//! All flags, in a group for each part, with metrics-server's names and defaults.

mod inherited;
mod read;

use clap::{ArgAction, Args, Parser};

pub use super::cluster::ClusterFlags;
use crate::api;
use crate::auth::{AuthenticationFlags, AuthorizationFlags};
use crate::availability::AvailabilityFlags;
use crate::engine::EngineFlags;
use crate::export::ExportFlags;
use crate::export::notify::IncidentFlags;
use crate::flag_values::{bytes, go_like};
use crate::pod_metrics::PodMetricsFlags;
use crate::scrape::KubeletFlags;
use crate::shard::ShardFlags;
use crate::state::StateFlags;
use crate::store::history::HistoryFlags;
use crate::telemetry::LogFlags;
use crate::tls::ServingFlags;

pub use inherited::Inherited;
pub use read::Invocation;

/// The flags of the program.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Print this help.
    #[arg(short = 'h', long, action = ArgAction::HelpShort)]
    help: Option<bool>,

    /// Print the version.
    #[arg(long)]
    pub version: bool,

    /// The memory that the server may use; without it, the memory limit of the container.
    #[arg(long, value_name = "QUANTITY", value_parser = bytes)]
    pub memory_limit: Option<usize>,
}

/// A Kubernetes metrics server: scrapes every kubelet and serves metrics.k8s.io.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "vitals-server",
    disable_help_flag = true,
    term_width = 100,
    // The last one counts.
    args_override_self = true,
)]
// Applies to the flags of all groups.
#[command(mut_args = go_like)]
pub struct Flags {
    /// The program.
    #[command(flatten)]
    pub general: General,
    /// The cluster.
    #[command(flatten)]
    pub cluster: ClusterFlags,
    /// Scrapes of kubelets.
    #[command(flatten)]
    pub kubelets: KubeletFlags,
    /// The history.
    #[command(flatten)]
    pub history: HistoryFlags,
    /// The availability of workloads.
    #[command(flatten)]
    pub availability: AvailabilityFlags,
    /// The long history.
    #[command(flatten)]
    pub engine: EngineFlags,
    /// Pods' own metrics.
    #[command(flatten)]
    pub pod_metrics: PodMetricsFlags,
    /// The persisted state.
    #[command(flatten)]
    pub state: StateFlags,
    /// The shard.
    #[command(flatten)]
    pub shard: ShardFlags,
    /// What leaves the server for other systems.
    #[command(flatten)]
    pub export: ExportFlags,
    /// Incidents that are sent to other systems.
    #[command(flatten)]
    pub incidents: IncidentFlags,
    /// Serving.
    #[command(flatten)]
    pub serving: ServingFlags,
    /// Limits of requests, and the shutdown.
    #[command(flatten)]
    pub requests: api::Settings,
    /// Authentication.
    #[command(flatten)]
    pub authentication: AuthenticationFlags,
    /// Authorization.
    #[command(flatten)]
    pub authorization: AuthorizationFlags,
    /// The log.
    #[command(flatten)]
    pub logging: LogFlags,
    /// The peer's flags that have no effect.
    #[command(flatten)]
    pub inherited: Inherited,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::flag_values::rows;

    #[test]
    fn the_definition_is_valid() {
        Flags::command().debug_assert();
    }

    fn read(flags: &[&str]) -> Result<Flags, String> {
        let words = ["vitals-server"].iter().chain(flags).map(Into::into);
        match Flags::read(words)? {
            Invocation::Serve(flags) => Ok(*flags),
            Invocation::Print(text) => Err(text),
        }
    }

    #[test]
    fn flags_of_the_peers_manifests_are_accepted() {
        let flags = read(&[
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
        assert_eq!(flags.inherited.names, Vec::<&str>::new());
    }

    #[test]
    fn the_last_of_several_counts_and_lists_grow() {
        let flags = read(&[
            "--metric-resolution=15s",
            "--metric-resolution",
            "20s",
            "--kubelet-insecure-tls",
            "--kubelet-insecure-tls=F",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-preferred-address-types=ExternalIP,Hostname",
            "--kubeconfig=/somewhere",
            "--kubeconfig=",
            "-l",
            "a=b",
            "-l=c=d",
        ])
        .unwrap();
        assert_eq!(flags.kubelets.metric_resolution.as_secs(), 20);
        assert!(!flags.kubelets.kubelet_insecure_tls);
        assert_eq!(flags.kubelets.kubelet_preferred_address_types.len(), 3);
        assert_eq!(flags.cluster.kubeconfig, None);
        assert_eq!(flags.cluster.node_selector.as_deref(), Some("c=d"));
    }

    #[test]
    fn the_log_level_is_parsed_as_klogs() {
        for (words, level) in [
            (&["-v=4"][..], 4),
            (&["-v", "4"], 4),
            (&["-v4"], 4),
            (&["--v=4"], 4),
            (&["--v", "1000"], 1000),
            (&["-v=2", "-v=9"], 9),
        ] {
            assert_eq!(read(words).unwrap().logging.verbosity, level, "{words:?}");
        }
    }

    #[test]
    fn flags_without_effect_are_listed_once_if_set() {
        let flags = read(&["--profiling=false", "--vmodule=a=2,b=3", "--profiling"]).unwrap();
        assert_eq!(flags.inherited.names, ["profiling", "vmodule"]);
    }

    #[test]
    fn an_invalid_flag_is_one_line_that_names_it() {
        for (words, expected) in rows(
            r#"
            --metric-resolution=soon            | write a duration
            --metric-resolution=-5s             | cannot be negative
            --metric-resolution                 | --metric-resolution needs a value
            --kubelet-port=0                    | write a port
            --kubelet-preferred-address-types=A | no node address type
            --logging-format=xml                | use text or json
            --bind-address=here                 | --bind-address="here": invalid IP address
            --kubelet-insecure-tls=maybe        | write true or false
            --kubelet-insecure-tls false        | unexpected argument "false"
            --no-such-thing                     | unknown flag --no-such-thing; --help lists all
            --metric_resolution=15s             | did you mean --metric-resolution?
            -x                                  | unknown flag -x
            -v                                  | --v needs a value
            -v=-1                               | write a number from 0
            stray                               | unexpected argument "stray"
            -- stray                            | unexpected argument "stray"
            "#,
        ) {
            let line = read(&words).unwrap_err();
            assert!(
                line.contains(expected) && !line.contains('\n'),
                "{words:?}: {line}"
            );
        }
    }

    #[test]
    fn help_has_each_flag_once_under_headings_and_fits_a_terminal() {
        let help = read(&["--help"]).unwrap_err();
        assert_eq!(help, read(&["-h"]).unwrap_err());
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        for heading in [
            "General:",
            "Cluster:",
            "Kubelets:",
            "Incidents:",
            "Serving:",
            "Requests:",
            "Logging:",
        ] {
            assert!(help.lines().any(|line| line == heading), "{heading}");
        }
        let command = Flags::command();
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let flag = format!("--{}", arg.get_long().unwrap());
            let flags = help.lines().filter_map(|line| {
                // Not the text of another flag that starts with it.
                let is_flag = line.starts_with("      --") || line.starts_with("  -");
                let mut words = line.split([' ', '[']).filter(|_| is_flag);
                words.find(|word| *word == flag)
            });
            assert_eq!(flags.count(), 1, "{flag}");
            assert!(arg.get_help().is_some(), "{flag}");
        }
    }

    #[test]
    fn version_is_a_switch() {
        let version = format!("vitals-server {}\n", env!("CARGO_PKG_VERSION"));
        assert_eq!(read(&["--version"]).unwrap_err(), version);
        assert_eq!(read(&["--version=true", "-v=2"]).unwrap_err(), version);
        assert!(read(&["--version=false"]).is_ok());
    }
}
