//! Chooses the cluster and the user by the kubeconfig files and the flags that override them.
//!
//! The rules, their order and the texts are kubectl's; the parser is kube's.

mod check;
mod files;
mod load;
mod merge;
mod normalize;
mod proxy;

use std::sync::Arc;
use std::time::Duration;

use kube::config::AuthInfo;

pub use merge::Settings;

use super::Error;
use super::connect::{Credentials, Identity, Terminal, Transport};
use crate::cli::Connection;
use merge::SelectedCluster;

/// A cluster, and credentials for it.
#[derive(Debug)]
pub struct Target {
    /// The transport to the cluster.
    pub(super) transport: Transport,
    /// `host:port`, as messages name the server.
    pub host: String,
    /// The timeout of a request; none for no limit.
    pub timeout: Option<Duration>,
}

impl Target {
    /// Gets credentials, so that a failing plugin is reported before any request.
    ///
    /// # Errors
    /// There are no credentials.
    pub async fn authenticate(&self) -> Result<(), Error> {
        let Transport {
            credentials,
            identity,
            ..
        } = &self.transport;
        credentials
            .get(identity)
            .await
            .map(drop)
            .map_err(|error| Error::Config(error.to_string()))
    }
}

impl Settings {
    /// Reads the kubeconfig that the flags, `$KUBECONFIG` or the home directory name.
    ///
    /// # Errors
    /// A file cannot be read or parsed.
    pub fn read(flags: &Connection) -> Result<Self, Error> {
        Ok(Self::new(files::read(flags)?, flags.clone()))
    }

    /// The namespace of requests.
    ///
    /// # Errors
    /// The selected context, its user or its cluster is invalid, unless a flag sets the namespace.
    pub fn namespace(&self) -> Result<String, Error> {
        if let Some(namespace) = self.namespace_flag() {
            return Ok(namespace.to_owned());
        }
        self.confirm_usable()?;
        let namespace = self
            .context()?
            .namespace
            .filter(|namespace| !namespace.is_empty());
        let in_cluster = || self.in_cluster().then(in_cluster_namespace).flatten();
        Ok(namespace
            .or_else(in_cluster)
            .unwrap_or_else(|| "default".to_owned()))
    }

    /// The cluster and the user. A credential plugin may use the terminal.
    ///
    /// # Errors
    /// The selected context, its user or its cluster is invalid.
    pub fn target(&self, terminal: &Terminal) -> Result<Target, Error> {
        let selected = self.selected()?;
        self.confirm_usable()?;
        let timeout = self.timeout()?;
        let selected = if self.in_cluster() {
            merge::in_cluster()
        } else {
            selected
        };
        connect(selected, timeout, terminal)
    }
}

/// Loads certificates and credentials.
fn connect(
    selected: SelectedCluster,
    timeout: Option<Duration>,
    terminal: &Terminal,
) -> Result<Target, Error> {
    let SelectedCluster {
        cluster,
        cluster_name,
        user,
        user_name,
        user_file,
    } = selected;
    let address = cluster.server.clone().unwrap_or_default();
    let server = with_scheme(&address);
    let uri: http::Uri = server.parse().map_err(|_| not_a_host(&address))?;
    let host = uri
        .authority()
        .ok_or_else(|| not_a_host(&address))?
        .to_string();
    match uri.scheme_str() {
        Some("http" | "https") => {}
        scheme => {
            let scheme = scheme.unwrap_or_default();
            return Err(Error::Unreachable(format!(
                "unsupported protocol scheme {scheme:?}"
            )));
        }
    }
    let proxy = proxy::for_server(&uri, &cluster_name, cluster.proxy_url.as_deref())?;
    let trust = load::trust(&cluster)?;
    // Credentials are never sent without TLS.
    let (identity, credentials) = if uri.scheme_str() == Some("https") {
        let user = load::with_cluster_info(&cluster, user.clone())?;
        let identity = load::identity(&user, &user_name, user_file.as_deref())?;
        let credentials =
            Credentials::of(&user, terminal).map_err(|error| Error::Config(error.to_string()))?;
        (identity, credentials)
    } else {
        (Identity::default(), Credentials::None)
    };
    let mut config = kube::Config::new(uri);
    config.tls_server_name = cluster.tls_server_name;
    config.disable_compression = cluster.disable_compression.unwrap_or_default();
    // Only impersonation becomes headers; credentials are handled by the transport.
    config.auth_info = AuthInfo {
        impersonate: user.impersonate,
        impersonate_uid: user.impersonate_uid,
        impersonate_groups: user.impersonate_groups,
        impersonate_user_extra: user.impersonate_user_extra,
        ..AuthInfo::default()
    };
    Ok(Target {
        host,
        timeout,
        transport: Transport {
            config,
            proxy,
            trust,
            identity: Arc::new(identity),
            credentials,
        },
    })
}

fn in_cluster_namespace() -> Option<String> {
    let of_pod = std::env::var("POD_NAMESPACE")
        .ok()
        .filter(|namespace| !namespace.is_empty());
    of_pod.or_else(|| {
        let namespace = std::fs::read_to_string(merge::mounted("namespace")).ok()?;
        let namespace = namespace.trim().to_owned();
        (!namespace.is_empty()).then_some(namespace)
    })
}

fn with_scheme(server: &str) -> String {
    let server = if server.contains("://") {
        server.to_owned()
    } else {
        format!("http://{server}")
    };
    server.trim_end_matches('/').to_owned()
}

fn not_a_host(server: &str) -> Error {
    Error::Config(format!(
        "host must be a URL or a host:port pair: {server:?}"
    ))
}
