//! What is watched, and how the API server is reached.

use std::path::PathBuf;

use clap::Args;

use crate::flag_values::label_selector;

/// What is watched, and how the API server is reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterFlags {
    /// Path to a kubeconfig; without it the in-cluster configuration is used.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Only nodes with these labels are scraped, for example "pool=web,!virtual".
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = label_selector)]
    pub node_selector: Option<String>,
}
