//! The serving certificate, and the listener that uses it.

mod activity;
mod certificate;
mod client;
mod connection;
mod listener;

pub use certificate::{CertificateError, server_config};
pub use client::ClientCertificates;
pub use listener::{Limits, serve};

use std::path::PathBuf;

/// What the server shows, and how connections are taken.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The serving certificate and its key, as files; without, one is made.
    pub certificate: Option<(PathBuf, PathBuf)>,
}
