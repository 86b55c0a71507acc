//! Why a cluster could not be started.

use std::path::PathBuf;

use thiserror::Error;

use crate::apiserver::ApiServerError;
use crate::pki::PkiError;

/// A cluster could not be started.
#[derive(Debug, Error)]
pub enum SimError {
    /// The kubelets' port cannot be listened on.
    #[error("kubelets cannot listen on port {port}")]
    Listen {
        /// The port.
        port: u16,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A certificate could not be made.
    #[error("cannot make the cluster's certificates")]
    Pki(#[from] PkiError),
    /// The API server could not be started.
    #[error("cannot start the API server")]
    ApiServer(#[from] ApiServerError),
    /// The token or a kubeconfig could not be written.
    #[error("cannot write {path}")]
    Write {
        /// Where to.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}
