//! Why nothing can be served over TLS.

use std::path::PathBuf;

/// Why there is no serving certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file that cannot be read, or does not hold what it should.
    #[error("cannot use {path:?} as {what}: {cause}")]
    File {
        /// What it should be.
        what: String,
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: String,
    },
    /// A certificate and a key that do not belong together, or the like.
    #[error("cannot serve with the certificate {certificate:?} and the key {key:?}: {cause}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's.
        key: PathBuf,
        /// Why not.
        cause: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a serving certificate: {0}")]
    Make(String),
    /// No TLS with these versions and cipher suites.
    #[error("cannot serve with these TLS versions and cipher suites: {0}")]
    Protocol(String),
}
