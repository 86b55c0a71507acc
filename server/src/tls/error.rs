//! Errors of the serving certificates.

use std::path::PathBuf;

/// Why the server has no serving certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or parsed.
    #[error("cannot use {path:?} as {what}: {cause}")]
    File {
        /// What the file should contain.
        what: String,
        /// The path of the file.
        path: PathBuf,
        /// The cause.
        cause: String,
    },
    /// A certificate and a key do not match, or TLS does not support them.
    #[error("cannot serve with the certificate {certificate:?} and the key {key:?}: {cause}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The cause.
        cause: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a serving certificate: {0}")]
    Make(String),
    /// TLS does not work with these versions and cipher suites.
    #[error("cannot serve with these TLS versions and cipher suites: {0}")]
    Protocol(String),
}
