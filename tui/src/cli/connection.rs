//! The flags that choose the cluster and the user: kubectl's global flags.

use clap::Args;

/// The cluster and the user. As in kubectl, an empty value counts as absent.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster and user")]
pub struct Connection {
    /// Path to the kubeconfig file to use for CLI requests
    #[arg(long, global = true, value_name = "PATH")]
    pub kubeconfig: Option<String>,
    /// The name of the kubeconfig context to use
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The name of the kubeconfig cluster to use
    #[arg(long, global = true, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The name of the kubeconfig user to use
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// If present, the namespace scope for this CLI request; get and top accept several
    #[arg(long = "namespace", short, global = true, value_name = "NAMESPACE")]
    pub namespaces: Vec<String>,
    /// The address and port of the Kubernetes API server
    #[arg(long, short, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// How long to wait for a single server request: 1s, 2m, 3h; 0 means no limit
    #[arg(long, global = true, value_name = "TIME", hide_short_help = true)]
    pub request_timeout: Option<String>,
    /// Bearer token for authentication to the API server
    #[arg(long, global = true, hide_short_help = true)]
    pub token: Option<String>,
    /// Username for basic authentication to the API server
    #[arg(long, global = true, hide_short_help = true)]
    pub username: Option<String>,
    /// Password for basic authentication to the API server
    #[arg(long, global = true, hide_short_help = true)]
    pub password: Option<String>,
    /// Path to a client certificate file for TLS
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    pub client_certificate: Option<String>,
    /// Path to a client key file for TLS
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    pub client_key: Option<String>,
    /// Path to a cert file for the certificate authority
    #[arg(long, global = true, value_name = "PATH", hide_short_help = true)]
    pub certificate_authority: Option<String>,
    /// Server name to use for server certificate validation, instead of the host's
    #[arg(long, global = true, value_name = "NAME", hide_short_help = true)]
    pub tls_server_name: Option<String>,
    /// If true, the server's certificate will not be checked: HTTPS connections are insecure
    #[arg(long, global = true, hide_short_help = true)]
    pub insecure_skip_tls_verify: bool,
    /// Username to impersonate for the operation
    #[arg(
        long = "as",
        global = true,
        value_name = "USER",
        hide_short_help = true
    )]
    pub as_user: Option<String>,
    /// Group to impersonate for the operation; may be repeated
    #[arg(long, global = true, value_name = "GROUP", hide_short_help = true)]
    pub as_group: Vec<String>,
    /// UID to impersonate for the operation
    #[arg(long, global = true, value_name = "UID", hide_short_help = true)]
    pub as_uid: Option<String>,
    /// User extras to impersonate for the operation; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", hide_short_help = true)]
    pub as_user_extra: Vec<String>,
}

impl Connection {
    /// The flags as kubectl's, without secrets, context and namespace.
    #[must_use]
    pub fn kubectl_flags(&self) -> Vec<String> {
        let single = [
            ("kubeconfig", &self.kubeconfig),
            ("cluster", &self.cluster),
            ("user", &self.user),
            ("server", &self.server),
            ("client-certificate", &self.client_certificate),
            ("client-key", &self.client_key),
            ("certificate-authority", &self.certificate_authority),
            ("tls-server-name", &self.tls_server_name),
            ("as", &self.as_user),
            ("as-uid", &self.as_uid),
        ];
        let single = single
            .into_iter()
            .filter_map(|(name, value)| Some((name, non_empty(value.as_ref())?)));
        let groups = self
            .as_group
            .iter()
            .map(|group| ("as-group", group.as_str()));
        let flags = single
            .chain(groups)
            .map(|(name, value)| format!("--{name}={value}"));
        let insecure = self
            .insecure_skip_tls_verify
            .then(|| "--insecure-skip-tls-verify".to_owned());
        flags.chain(insecure).collect()
    }

    /// The namespace of the flag: the last one, as in kubectl.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        non_empty(self.namespaces.last())
    }

    /// All namespaces of the flag, which may be repeated or contain commas.
    pub fn all_namespaces(&self) -> impl Iterator<Item = &str> {
        let names = self.namespaces.iter().flat_map(|names| names.split(','));
        names.map(str::trim).filter(|name| !name.is_empty())
    }
}

/// The value of a flag; none if it is empty, as in kubectl.
pub(crate) fn non_empty(flag: Option<&String>) -> Option<&str> {
    flag.map(String::as_str).filter(|value| !value.is_empty())
}
