//! TLS: the certificates that are shown and their reload, the server's own CA, and the listener.
//!
//! | part        | what it knows                                                                 |
//! |-------------|-------------------------------------------------------------------------------|
//! | `protocol`  | versions and cipher suites, under Go's names                                  |
//! | `pair`      | a certificate with its key, read or refused                                   |
//! | `authority` | a CA, and the serving certificates it issues                                  |
//! | `shown`     | which pair a client is shown                                                  |
//! | `keeper`    | when to look at files (`watched`), to renew our own (`own`), to warn (`ends`) |
//! | `listener`  | places for connections, and who gives one up (`room`)                         |
//! | `connection`| one connection, and how long it may take for what (`activity`)                |
//! | `handshake` | how a connection begins                                                       |
//! | `client`    | what a client shows                                                           |

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
mod settings;
mod socket;
mod unusable;
mod watched_pair;

pub use authority::Authority;
pub(crate) use authority::{is_due, pem_of, validity_of};
pub use cert_reloader::Keeper;
pub use cert_resolver::Certificates;
pub use client::ClientCertificates;
pub use error::CertificateError;
pub(crate) use idle_eviction::Known;
pub use limits::{Limits, UNKNOWN_BYTES};
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

/// All that a listener needs of TLS.
#[derive(Debug)]
pub struct Tls {
    config: Arc<ServerConfig>,
    streams: u32,
    certificates: Arc<Certificates>,
    metrics: TlsMetrics,
}

impl Tls {
    /// Reads or makes the certificates. The second value keeps them as they should be, and has to be
    /// [run](Keeper::run).
    ///
    /// # Errors
    /// Which file cannot be used and why.
    pub fn new(
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Keeper), CertificateError> {
        let metrics = TlsMetrics::default();
        let keeper = Keeper::start(settings, clock, metrics.clone())?;
        let certificates = Arc::clone(keeper.certificates());
        let config = protocol::config(settings, Arc::clone(&certificates))?;
        let tls = Self {
            config: Arc::new(config),
            streams: settings.streams.map_or(protocol::STREAMS, NonZeroU32::get),
            certificates,
            metrics,
        };
        Ok((tls, keeper))
    }

    /// Its metrics.
    pub fn metrics(&self) -> &TlsMetrics {
        &self.metrics
    }

    /// What is shown.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }
}
