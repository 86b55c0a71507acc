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
mod client;
mod connection;
mod ends;
mod error;
mod handshake;
mod keeper;
mod limits;
mod listener;
mod long;
mod metrics;
mod own;
mod pair;
mod protocol;
mod provider;
mod room;
mod shown;
mod socket;
mod stop;
mod unusable;
mod watched;

pub use authority::Authority;
pub(crate) use authority::{is_due, pem_of, validity_of};
pub use client::ClientCertificates;
pub use error::CertificateError;
pub use keeper::Keeper;
pub use limits::{Limits, UNKNOWN_BYTES};
pub use listener::serve;
pub use long::LongRunning;
pub use metrics::{Reloads, TlsMetrics};
pub use pair::{Kind, Pair};
pub use protocol::{CipherSuites, MinVersion};
pub use provider::{provider, provider_or};
pub(crate) use room::Known;
pub use shown::Certificates;
pub use socket::listen;
pub(crate) use unusable::why_unusable;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;

use crate::clock::Clock;

/// What the server shows, and how connections are taken.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The serving certificate and its key, as files; without, the server makes its own.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A folder that the server's own certificate is kept in; without, it is in memory only.
    pub folder: Option<PathBuf>,
    /// Further certificates, for clients that ask for other names.
    pub named: Vec<NamedPair>,
    /// The oldest version of TLS.
    pub min_version: MinVersion,
    /// The cipher suites of TLS 1.2; those of TLS 1.3 cannot be chosen, as in Go.
    pub cipher_suites: Option<CipherSuites>,
    /// Whether HTTP/2 is offered.
    pub http2: bool,
    /// How many requests at a time one HTTP/2 connection may carry; 0 is the default, 250.
    pub streams: u32,
    /// Let other processes listen on the same address and port (SO_REUSEPORT).
    pub share_port: bool,
    /// The Service that the server is reached by: `SERVICE.NAMESPACE.svc` is what its own certificate names.
    pub service: Service,
    /// Whether the CA is kept in a Secret and written into the server's APIServices.
    pub manage: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            certificate: None,
            folder: None,
            named: Vec::new(),
            min_version: MinVersion::default(),
            cipher_suites: None,
            http2: true,
            streams: 0,
            share_port: false,
            service: Service::default(),
            manage: false,
        }
    }
}

/// A Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            namespace: "kube-system".to_owned(),
            name: "vitals-server".to_owned(),
        }
    }
}

impl Service {
    /// The names that the server's own certificate is for: the one the kube-apiserver asks for first, then what
    /// people and monitoring inside the cluster dial, then what a port-forward does.
    pub(crate) fn names(&self) -> Vec<String> {
        let Self { namespace, name } = self;
        vec![
            format!("{name}.{namespace}.svc"),
            format!("{name}.{namespace}.svc.cluster.local"),
            format!("{name}.{namespace}"),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ]
    }
}

/// A certificate for clients that ask for certain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPair {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Names, `*.` wildcards and IP addresses; when there are none, the certificate's own names.
    pub patterns: Vec<String>,
}

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
            streams: match settings.streams {
                0 => protocol::STREAMS,
                streams => streams,
            },
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
