//! The serving certificate, and the listener that uses it.

mod activity;
mod certificate;
mod connection;
mod listener;

pub use certificate::{CertificateError, server_config};
pub use listener::{Limits, serve};

use std::path::PathBuf;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;

/// What the server shows, and how connections are taken.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The serving certificate and its key, as files; without, one is made.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// The certificates that a client showed, its own first; an extension of each of its requests. TLS has seen that
/// the client has the key, and nothing more: whom to believe is for `auth` to say.
#[derive(Debug, Clone)]
pub struct ClientCertificates(pub Arc<[CertificateDer<'static>]>);
