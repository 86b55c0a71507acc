//! What can be wrong with what the server is started with.

use std::path::PathBuf;

use kube::config::{InClusterError, KubeconfigError};

use crate::scrape::TlsError;
use crate::telemetry::chain;

/// What is wrong with the flags or with a file they name, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A flag, or two that contradict each other.
    #[error("{0}")]
    Flag(String),
    /// The kubeconfig.
    #[error("cannot use the kubeconfig {path:?}: {}", chain(cause.as_ref()))]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: Box<KubeconfigError>,
    },
    /// No kubeconfig, and not in a cluster.
    #[error("no --kubeconfig is given and this is no pod of a cluster: {}", chain(.0.as_ref()))]
    NotInCluster(#[source] Box<InClusterError>),
    /// Something for kubelets.
    #[error(transparent)]
    Kubelets(#[from] TlsError),
}

impl From<String> for ConfigError {
    fn from(text: String) -> Self {
        Self::Flag(text)
    }
}

impl From<&str> for ConfigError {
    fn from(text: &str) -> Self {
        Self::Flag(text.to_owned())
    }
}
