//! Who asks.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::duration;

/// Who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct Authentication {
    /// A kubeconfig of the API server that says who somebody is, if it is another.
    #[arg(long, value_name = "FILE")]
    pub authentication_kubeconfig: Option<PathBuf>,

    /// Do not read that API server's configmap extension-apiserver-authentication.
    #[arg(long)]
    pub authentication_skip_lookup: bool,

    /// Take whoever shows a certificate for anonymous until that configmap is read.
    #[arg(long)]
    pub authentication_tolerate_lookup_failure: bool,

    /// How long what a token's review said is believed.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authentication_token_webhook_cache_ttl: Duration,

    /// CAs of clients' certificates, read again when it changes, instead of the configmap's.
    #[arg(long, value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,

    /// CAs of front proxies, likewise; with it, the flags below count instead of the configmap.
    #[arg(long, value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,

    /// Names that a front proxy's certificate may have; none: any.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub requestheader_allowed_names: Vec<String>,

    /// Headers with the user's name; the first that has any counts.
    #[arg(
        long,
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "x-remote-user"
    )]
    pub requestheader_username_headers: Vec<String>,

    /// Headers with the user's UID.
    #[arg(long, value_name = "HEADERS", value_delimiter = ',')]
    pub requestheader_uid_headers: Vec<String>,

    /// Headers with the user's groups.
    #[arg(
        long,
        value_name = "HEADERS",
        value_delimiter = ',',
        default_value = "x-remote-group"
    )]
    pub requestheader_group_headers: Vec<String>,

    /// What headers with more about the user begin with.
    #[arg(
        long,
        value_name = "PREFIXES",
        value_delimiter = ',',
        default_value = "x-remote-extra-"
    )]
    pub requestheader_extra_headers_prefix: Vec<String>,
}
