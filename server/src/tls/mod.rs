//! TLS: the listener, its certificates and their reload, and the server's own CA.
//!
//! | part             | content                                                                              |
//! |------------------|--------------------------------------------------------------------------------------|
//! | `settings`       | flags and settings; `protocol`: TLS versions and cipher suites; `server_config`       |
//! | `pair`           | a certificate with its key                                                           |
//! | `authority`      | a CA, and the serving certificates that it issues                                    |
//! | `cert_resolver`  | which certificate a client gets                                                      |
//! | `cert_reloader`  | reload of files (`watched_pair`), renewal (`self_signed`), `expiry_warning`          |
//! | `listener`       | accepts connections up to the `limits`; `idle_eviction` closes idle ones             |
//! | `connection`     | serves one connection: `handshake`, HTTP, and its deadlines (`activity`)             |
//! | `client`         | client certificates                                                                  |

mod activity;
mod authority;
mod cert_reloader;
mod cert_resolver;
mod client;
mod connection;
mod error;
mod expiry_warning;
mod handshake;
mod idle_eviction;
mod limits;
mod listener;
mod long_running;
mod metrics;
mod pair;
mod protocol;
mod provider;
mod self_signed;
mod server_config;
mod settings;
mod socket;
mod unusable;
mod watched_pair;

pub use authority::Authority;
pub(crate) use authority::{is_due, pem_of, validity_of};
pub use cert_reloader::CertReloader;
pub use cert_resolver::CertResolver;
pub use client::ClientCertificates;
pub use error::CertificateError;
pub(crate) use idle_eviction::Authenticated;
pub use limits::{Limits, UNAUTHENTICATED_BYTES};
pub use listener::serve;
pub use long_running::LongRunning;
pub use metrics::{Reloads, TlsMetrics};
pub use pair::{Kind, Pair};
pub use protocol::{CipherSuites, MinVersion};
pub use provider::provider;
pub use settings::{NamedPair, Service, ServingFlags, Settings};
pub use socket::listen;
pub(crate) use unusable::why_unusable;

use std::num::NonZeroU32;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::clock::Clock;

/// What a listener needs for TLS.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    streams: u32,
    certificates: Arc<CertResolver>,
    metrics: TlsMetrics,
}

impl Tls {
    /// Reads or makes the certificates. The second value keeps them up to date while it [runs](CertReloader::run).
    ///
    /// # Errors
    /// Which file cannot be used and why.
    pub fn new(
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, CertReloader), CertificateError> {
        let metrics = TlsMetrics::default();
        let reloader = CertReloader::start(settings, clock, metrics.clone())?;
        let certificates = Arc::clone(reloader.certificates());
        let config = server_config::server_config(settings, Arc::clone(&certificates))?;
        let tls = Self {
            config: Arc::new(config),
            streams: settings.streams.map_or(protocol::STREAMS, NonZeroU32::get),
            certificates,
            metrics,
        };
        Ok((tls, reloader))
    }

    /// The metrics of connections and certificates.
    pub fn metrics(&self) -> &TlsMetrics {
        &self.metrics
    }

    /// The served certificates.
    pub fn certificates(&self) -> &Arc<CertResolver> {
        &self.certificates
    }
}
