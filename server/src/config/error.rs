//! Errors of flags and of the files that they name.

use std::path::PathBuf;

use kube::config::{InClusterError, KubeconfigError};

use crate::export::ExportFlagError;
use crate::scrape::TlsError;
use crate::telemetry::chain;

/// An error of the flags or of a file that they name, in one line.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A flag is invalid, or two contradict each other.
    #[error("{0}")]
    Flag(String),
    /// The kubeconfig cannot be used.
    #[error("cannot use the kubeconfig {path:?}: {}", chain(cause.as_ref()))]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: Box<KubeconfigError>,
    },
    /// There is no kubeconfig and no in-cluster configuration.
    #[error("--kubeconfig is not set and the server does not run in a pod: {}", chain(.0.as_ref()))]
    NotInCluster(#[source] Box<InClusterError>),
    /// The credentials for kubelets cannot be used.
    #[error(transparent)]
    Kubelets(#[from] TlsError),
    /// What leaves the server cannot be used.
    #[error(transparent)]
    Export(#[from] ExportFlagError),
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
