//! The way to a server: directly, or through a proxy.

use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryFutureExt;
use futures::future::BoxFuture;
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use crate::source::kubeconfig::Proxy;

/// A connection that TLS to the server may go over. TLS below it is the proxy's own.
type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Connects to a server's address.
#[derive(Clone)]
pub(super) enum Route {
    /// Without a proxy.
    Direct(HttpConnector),
    /// Through an HTTP proxy, with CONNECT.
    Http(Tunnel<HttpConnector>),
    /// Through an HTTP proxy that speaks TLS, with CONNECT.
    Https(Tunnel<HttpsConnector<HttpConnector>>),
    /// Through a SOCKS proxy, which resolves the server's name.
    Socks(SocksV5<HttpConnector>),
}

impl Route {
    /// The way through a proxy, or the direct one. `tls` is used for a proxy that speaks TLS.
    pub(super) fn of(proxy: Option<Proxy>, tls: rustls::ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let Some(Proxy { uri, login }) = proxy else {
            return Self::Direct(tcp);
        };
        let basic = login.as_ref().and_then(|(user, password)| {
            let login = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
            let mut value = HeaderValue::try_from(format!("Basic {login}")).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        match uri.scheme_str() {
            Some("https") => {
                let to_proxy = HttpsConnectorBuilder::new()
                    .with_tls_config(tls)
                    .https_only()
                    .enable_http1()
                    .wrap_connector(tcp);
                Self::Https(with_login(Tunnel::new(uri, to_proxy), basic))
            }
            Some("socks5" | "socks5h") => {
                let socks = SocksV5::new(uri, tcp);
                Self::Socks(match login {
                    Some((user, password)) => {
                        socks.with_auth(user, password.expose_secret().to_owned())
                    }
                    None => socks,
                })
            }
            _ => Self::Http(with_login(Tunnel::new(uri, tcp), basic)),
        }
    }
}

fn with_login<C>(tunnel: Tunnel<C>, login: Option<HeaderValue>) -> Tunnel<C> {
    match login {
        Some(login) => tunnel.with_auth(login),
        None => tunnel,
    }
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(route) => route.poll_ready(context).map_err(Into::into),
            Self::Http(route) => route.poll_ready(context).map_err(Into::into),
            Self::Https(route) => route.poll_ready(context).map_err(Into::into),
            Self::Socks(route) => route.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match self {
            Self::Direct(route) => plain(route.call(server)),
            Self::Http(route) => plain(route.call(server)),
            Self::Socks(route) => plain(route.call(server)),
            Self::Https(route) => Box::pin(route.call(server).map_err(Into::into)),
        }
    }
}

fn plain<F, E>(connecting: F) -> Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>
where
    F: Future<Output = Result<TokioIo<TcpStream>, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    Box::pin(
        connecting
            .map_ok(MaybeHttpsStream::Http)
            .map_err(Into::into),
    )
}
