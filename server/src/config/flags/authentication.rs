//! Who asks.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::duration;

/// Who asks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Authentication")]
pub struct Authentication {
    /// A kubeconfig of the API server that reviews tokens and has the configmap
    /// kube-system/extension-apiserver-authentication; without it, the one that is watched.
    #[arg(long, value_name = "FILE")]
    pub authentication_kubeconfig: Option<PathBuf>,

    /// Do not read that configmap: certificates are judged by the files given here, or not at all.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub authentication_skip_lookup: bool,

    /// Do not wait for that configmap: until it is read, certificates say nothing, and their holders are anonymous.
    #[arg(long, default_value_t = false, action = ArgAction::Set, num_args = 0..=1,
          require_equals = true, default_missing_value = "true")]
    pub authentication_tolerate_lookup_failure: bool,

    /// How long what a token's review said is believed.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub authentication_token_webhook_cache_ttl: Duration,

    /// CAs of client certificates: a user's name is the CN, its groups are each O. Read again when it changes.
    /// Without it, the configmap's client-ca-file.
    #[arg(long, value_name = "FILE")]
    pub client_ca_file: Option<PathBuf>,

    /// CAs of front proxies, who say in headers whom they ask for. Read again when it changes. Without it, the
    /// configmap says all about front proxies, and the flags below have no effect.
    #[arg(long, value_name = "FILE")]
    pub requestheader_client_ca_file: Option<PathBuf>,

    /// Common names that a front proxy's certificate may have; none: any that is of its CA.
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

    /// What the names of headers begin with that say more of the user.
    #[arg(
        long,
        value_name = "PREFIXES",
        value_delimiter = ',',
        default_value = "x-remote-extra-"
    )]
    pub requestheader_extra_headers_prefix: Vec<String>,
}
