//! Flags of the cluster.

use std::path::PathBuf;

use clap::Args;

use crate::flag_values::label_selector;

/// The flags of the cluster.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterFlags {
    /// The kubeconfig of the API server; without it, the in-cluster configuration.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Scrape only nodes with these labels, for example "pool=web,!virtual".
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = label_selector)]
    pub node_selector: Option<String>,
}
