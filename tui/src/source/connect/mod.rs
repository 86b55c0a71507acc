//! The HTTP transport to an API server: proxy, certificates and credentials.
//!
//! kube's own client supports fewer kubeconfig fields than kubectl and lets a credential plugin write to the terminal.
//! So this module builds the transport below kube's client, by the rules of client-go.

mod auth_provider;
mod credential;
mod credentials;
mod crypto;
mod identity;
mod plugin;
mod route;
mod terminal;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::header::{AGE, AUTHORIZATION, DATE, HeaderMap, PROXY_AUTHORIZATION};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kubevitals_proto::time::Timestamp;
use rustls::pki_types::ServerName;
use tower::{BoxError, ServiceBuilder};

pub use crypto::provider;
pub use terminal::{Handover, Modes, Terminal};

pub(super) use credentials::{CredentialError, Credentials};
pub(super) use identity::Identity;
pub(super) use route::Proxy;
pub(super) use trust::Trust;

use super::Error;
use crate::clock::Clock;
use route::{Route, forwarded_login, route};

/// The timeout for a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

type Connector = TimeoutConnector<HttpsConnector<Route>>;

/// The parts from which a client is built.
#[derive(Debug)]
pub(super) struct Transport {
    /// The server, the headers of every request, and whether responses may be compressed. No credentials.
    pub config: kube::Config,
    /// The proxy; none for a direct connection.
    pub proxy: Option<Proxy>,
    /// Which server certificates are accepted.
    pub trust: Trust,
    /// The client certificate.
    pub identity: Arc<Identity>,
    /// The origin of `Authorization`.
    pub credentials: Credentials,
}

impl Transport {
    /// Builds kube's client, whose responses set the clock. Nothing is sent yet.
    ///
    /// # Errors
    /// A certificate or a name cannot be used.
    pub(super) fn client(self, clock: Clock) -> Result<kube::Client, Error> {
        let cannot = |error: kube::Error| Error::Config(error.to_string());
        let Self {
            config,
            proxy,
            trust,
            identity,
            credentials,
        } = self;
        // kube's TLS configuration uses the installed provider.
        let _ = provider();
        let mut tls = trust.client_config(&config)?;
        tls.client_auth_cert_resolver = Arc::clone(&identity) as _;
        let connector = connector(&config, tls, proxy.as_ref())?;
        let sender = Arc::new(Sender {
            proxy_login: forwarded_login(&config.cluster_url, proxy.as_ref()),
            http: ArcSwap::from_pointee((0, open(&connector))),
            connector,
            credentials,
            identity,
            clock,
        });
        let service = ServiceBuilder::new()
            .layer(config.base_uri_layer())
            .layer(config.extra_headers_layer().map_err(cannot)?)
            .service_fn(move |request| {
                let sender = Arc::clone(&sender);
                async move { sender.send(request).await }
            });
        Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
    }
}

/// The timeout for the head of a response, without the time to get a credential.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience(pub(super) Duration);

/// The server was silent for this long.
#[derive(Debug, thiserror::Error)]
#[error("the server did not answer within {} s", .0.as_secs())]
pub(super) struct Silent(pub(super) Duration);

/// Sends requests with credentials.
struct Sender {
    /// The login for a proxy that forwards requests.
    proxy_login: Option<HeaderValue>,
    connector: Connector,
    credentials: Credentials,
    identity: Arc<Identity>,
    /// The connections in use, and the version of the client certificate that they use.
    http: ArcSwap<(u64, HttpClient<Connector, Body>)>,
    clock: Clock,
}

/// A client without connections.
fn open(connector: &Connector) -> HttpClient<Connector, Body> {
    HttpClient::builder(TokioExecutor::new()).build(connector.clone())
}

impl Sender {
    async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, BoxError> {
        let credential = self.credentials.get(&self.identity).await?;
        if let Some(value) = credential.header.clone() {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        if let Some(login) = self.proxy_login.clone() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, login);
        }
        // A connection uses one client certificate for its whole time, so a new certificate needs new connections.
        let version = self.identity.version();
        if self.http.load().0 != version {
            let http = open(&self.connector);
            self.http.store(Arc::new((version, http)));
        }
        let http = self.http.load_full();
        let patience = request.extensions().get::<Patience>().copied();
        let sent = self.clock.sent();
        let response = http.1.request(request);
        let response = match patience {
            None => response.await?,
            Some(Patience(patience)) => tokio::time::timeout(patience, response)
                .await
                .map_err(|_| Silent(patience))??,
        };
        if let Some(date) = date(response.headers()) {
            self.clock.received(sent, date);
        }
        self.credentials
            .apply(&credential, response.status() == StatusCode::UNAUTHORIZED)
            .await;
        Ok(response)
    }
}

/// The time of a response. One with an `Age` comes from a cache, and its date is old.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    if headers.contains_key(AGE) {
        return None;
    }
    let text = headers.get(DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    Some(Timestamp::from_secs(date.ok()?.as_second()))
}

fn connector(
    config: &kube::Config,
    tls: rustls::ClientConfig,
    proxy: Option<&Proxy>,
) -> Result<Connector, Error> {
    let builder = HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http();
    let builder = match &config.tls_server_name {
        Some(name) => {
            let name = ServerName::try_from(name.clone()).map_err(|_| {
                Error::Config(format!(
                    "tls-server-name {name:?} is not a valid server name"
                ))
            })?;
            builder.with_server_name_resolver(FixedServerNameResolver::new(name))
        }
        None => builder,
    };
    let connector = builder
        .enable_http1()
        .wrap_connector(route(&config.cluster_url, proxy, tls));
    let mut connector = TimeoutConnector::new(connector);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_write_timeout(config.write_timeout);
    Ok(connector)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_of_a_response_is_parsed() {
        let of = |fields: &[(http::HeaderName, &str)]| {
            let fields = fields.iter().cloned();
            let fields = fields.map(|(name, value)| (name, value.parse().unwrap()));
            date(&fields.collect()).map(Timestamp::as_secs)
        };
        const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(of(&[(DATE, NOW)]), Some(784_111_777));
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(DATE, NOW), (AGE, "0")]), None);
        for nonsense in [
            "",
            "soon",
            "1994-11-06T08:49:37Z",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(of(&[(DATE, nonsense)]), None, "{nonsense}");
        }
    }
}
