//! Which cluster to talk to, and as whom: kubeconfig files and the flags that override them.
//!
//! The rules, their order and their words are kubectl's; reading, TLS and credentials are kube's.

mod check;
mod files;
mod merge;
mod proxy;

use std::time::Duration;

use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster,
    NamedContext,
};

use super::Error;
use crate::cli::Connection;
use merge::Merged;

/// The server where no kubeconfig names one.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// A cluster, and credentials for it.
#[derive(Debug)]
pub struct Target {
    /// What kube needs to connect.
    pub config: kube::Config,
    /// `host:port`, as messages name the server.
    pub host: String,
    /// How long one request may take; none waits for ever.
    pub timeout: Option<Duration>,
}

/// The kubeconfig files and flags, read but not yet relied on.
#[derive(Debug)]
pub struct Settings {
    merged: Merged,
}

impl Settings {
    /// Reads the kubeconfig that the flags, `$KUBECONFIG` or the home directory name.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn read(flags: &Connection) -> Result<Self, Error> {
        Ok(Self {
            merged: Merged::new(files::read(flags)?, flags.clone()),
        })
    }

    /// The chosen context; empty where there is none.
    #[must_use]
    pub fn context_name(&self) -> &str {
        self.merged.context_name()
    }

    /// The name of the chosen cluster, if it has one.
    #[must_use]
    pub fn cluster_name(&self) -> Option<String> {
        Some(self.merged.cluster_name()).filter(|name| !name.is_empty())
    }

    /// All contexts, in the kubeconfig's order.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        self.merged.contexts()
    }

    /// The namespace to look at.
    ///
    /// # Errors
    /// What is wrong with the chosen context, its user or its cluster, unless a flag gives the
    /// namespace.
    pub fn namespace(&self) -> Result<String, Error> {
        if let Some(namespace) = self.merged.namespace_flag() {
            return Ok(namespace.to_owned());
        }
        self.merged.confirm_usable()?;
        let namespace = self
            .merged
            .context()?
            .namespace
            .filter(|namespace| !namespace.is_empty());
        let in_cluster = || {
            self.merged
                .in_cluster()
                .then(in_cluster_namespace)
                .flatten()
        };
        Ok(namespace
            .or_else(in_cluster)
            .unwrap_or_else(|| "default".to_owned()))
    }

    /// The cluster to talk to, and as whom.
    ///
    /// # Errors
    /// What is wrong with the chosen context, its user or its cluster.
    pub async fn target(&self) -> Result<Target, Error> {
        let user = self.merged.user()?;
        self.merged.context()?;
        let cluster = self.merged.cluster()?;
        self.merged.confirm_usable()?;
        let timeout = self.merged.timeout()?;
        if self.merged.in_cluster() {
            return in_cluster(timeout);
        }
        connect(cluster, user, timeout).await
    }
}

/// Lets kube load certificates and credentials.
async fn connect(
    mut cluster: Cluster,
    user: AuthInfo,
    timeout: Option<Duration>,
) -> Result<Target, Error> {
    let given = cluster.server.clone().unwrap_or_default();
    let server = with_scheme(&given);
    let uri: http::Uri = server.parse().map_err(|_| not_a_host(&given))?;
    let host = uri
        .authority()
        .ok_or_else(|| not_a_host(&given))?
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
    // Credentials never go over an open wire.
    let user = if uri.scheme_str() == Some("https") {
        check::token_file(&user)?;
        user
    } else {
        AuthInfo {
            impersonate: user.impersonate,
            impersonate_uid: user.impersonate_uid,
            impersonate_groups: user.impersonate_groups,
            impersonate_user_extra: user.impersonate_user_extra,
            ..AuthInfo::default()
        }
    };
    let proxy = proxy::for_server(&uri, cluster.proxy_url.take())?;
    cluster.server = Some(server);
    let authority = cluster.clone();
    let mut config =
        kube::Config::from_custom_kubeconfig(alone(cluster, user), &KubeConfigOptions::default())
            .await
            .map_err(|error| Error::Config(check::explain(&error)))?;
    if config.root_cert.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::Config(check::no_roots(&authority)));
    }
    config.proxy_url = proxy;
    Ok(Target {
        host,
        timeout,
        config: calm(config),
    })
}

/// A kubeconfig with nothing else in it.
fn alone(cluster: Cluster, user: AuthInfo) -> Kubeconfig {
    let name = || "chosen".to_owned();
    Kubeconfig {
        clusters: vec![NamedCluster {
            name: name(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: name(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: name(),
            context: Some(Context {
                cluster: name(),
                user: Some(name()),
                ..Context::default()
            }),
            ..NamedContext::default()
        }],
        current_context: Some(name()),
        ..Kubeconfig::default()
    }
}

fn in_cluster(timeout: Option<Duration>) -> Result<Target, Error> {
    let config = kube::Config::incluster_env().map_err(|error| Error::Config(error.to_string()))?;
    let host = config
        .cluster_url
        .authority()
        .map(ToString::to_string)
        .unwrap_or_default();
    Ok(Target {
        host,
        timeout,
        config: calm(config),
    })
}

fn in_cluster_namespace() -> Option<String> {
    let of_pod = std::env::var("POD_NAMESPACE")
        .ok()
        .filter(|namespace| !namespace.is_empty());
    of_pod.or_else(|| {
        let file = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
        let namespace = std::fs::read_to_string(file).ok()?.trim().to_owned();
        (!namespace.is_empty()).then_some(namespace)
    })
}

/// Retries and time limits are ours: kube's would repeat requests that kubectl does not.
fn calm(mut config: kube::Config) -> kube::Config {
    config.default_retry = false;
    config.read_timeout = None;
    config
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
