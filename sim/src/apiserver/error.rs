//! Why the API server could not be started or changed.

use std::net::SocketAddr;

use thiserror::Error;

use crate::pki::PkiError;

/// The API server could not be started.
#[derive(Debug, Error)]
pub enum ApiServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A certificate could not be made or used.
    #[error("cannot set up TLS")]
    Pki(#[from] PkiError),
}
