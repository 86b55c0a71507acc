//! May they.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::duration;

/// May they.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authorization")]
pub struct Authorization {
    /// A kubeconfig of the API server that says who may, if it is another.
    #[arg(long, value_name = "FILE")]
    pub authorization_kubeconfig: Option<PathBuf>,

    /// Paths open to everybody; with * at the end, all that begin so.
    #[arg(
        long,
        value_name = "PATHS",
        value_delimiter = ',',
        default_value = "/healthz,/readyz,/livez"
    )]
    pub authorization_always_allow_paths: Vec<String>,

    /// How long it is believed that somebody may.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authorization_webhook_cache_authorized_ttl: Duration,

    /// How long it is believed that somebody may not.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authorization_webhook_cache_unauthorized_ttl: Duration,
}
