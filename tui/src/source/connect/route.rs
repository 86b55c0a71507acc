//! The route to a server: direct, or through a proxy.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::TryFutureExt;
use futures::future::BoxFuture;
use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tower::{BoxError, Service};

/// A proxy.
#[derive(Debug, Clone)]
pub(in crate::source) struct Proxy {
    /// The address, without user and password.
    pub(in crate::source) uri: Uri,
    /// User and password, for a proxy that requires them.
    pub(in crate::source) login: Option<(String, SecretString)>,
}

/// Connects to a server's address.
#[derive(Clone)]
pub(super) enum Route {
    /// Without a proxy.
    Direct(HttpConnector),
    /// Through an HTTP proxy that forwards requests to a server without TLS.
    Forward(Uri, HttpsConnector<HttpConnector>),
    /// Through an HTTP proxy with CONNECT.
    Tunnel(Tunnel<HttpsConnector<HttpConnector>>),
    /// Through a SOCKS proxy, which resolves the server's name.
    Socks(SocksV5<HttpConnector>),
}

impl Route {
    /// Chooses the route as Go's client does: requests to a server without TLS are forwarded by an HTTP proxy. `tls` is
    /// for a proxy with TLS.
    pub(super) fn of(server: &Uri, proxy: Option<&Proxy>, tls: rustls::ClientConfig) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let Some(proxy) = proxy else {
            return Self::Direct(tcp);
        };
        let uri = proxy.uri.clone();
        if is_socks(proxy) {
            let socks = SocksV5::new(uri, tcp);
            return Self::Socks(match &proxy.login {
                Some((user, password)) => {
                    socks.with_auth(user.clone(), password.expose_secret().to_owned())
                }
                None => socks,
            });
        }
        let to_proxy = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        if server.scheme() == Some(&Scheme::HTTP) {
            return Self::Forward(uri, to_proxy);
        }
        let tunnel = Tunnel::new(uri, to_proxy);
        Self::Tunnel(match login(proxy) {
            Some(login) => tunnel.with_auth(login),
            None => tunnel,
        })
    }
}

/// The `Proxy-Authorization` of each request, if an HTTP proxy forwards the requests and requires a login.
pub(super) fn forwarded_login(server: &Uri, proxy: Option<&Proxy>) -> Option<HeaderValue> {
    let proxy = proxy.filter(|proxy| !is_socks(proxy))?;
    login(proxy).filter(|_| server.scheme() == Some(&Scheme::HTTP))
}

fn is_socks(proxy: &Proxy) -> bool {
    matches!(proxy.uri.scheme_str(), Some("socks5" | "socks5h"))
}

fn login(proxy: &Proxy) -> Option<HeaderValue> {
    let (user, password) = proxy.login.as_ref()?;
    let login = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
    let mut value = HeaderValue::try_from(format!("Basic {login}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Service<Uri> for Route {
    type Response = Stream;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Stream, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self {
            Self::Direct(route) => route.poll_ready(context).map_err(Into::into),
            Self::Forward(_, route) => route.poll_ready(context),
            Self::Tunnel(route) => route.poll_ready(context).map_err(Into::into),
            Self::Socks(route) => route.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        match self {
            Self::Direct(route) => plain(route.call(server)),
            Self::Socks(route) => plain(route.call(server)),
            Self::Forward(proxy, route) => {
                let connecting = route.call(proxy.clone());
                Box::pin(connecting.map_ok(|stream| Stream {
                    stream,
                    forwards: true,
                }))
            }
            Self::Tunnel(route) => {
                Box::pin(route.call(server).map_ok(Stream::from).map_err(Into::into))
            }
        }
    }
}

fn plain<F, E>(connecting: F) -> BoxFuture<'static, Result<Stream, BoxError>>
where
    F: Future<Output = Result<TokioIo<TcpStream>, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    Box::pin(
        connecting
            .map_ok(|stream| MaybeHttpsStream::Http(stream).into())
            .map_err(Into::into),
    )
}

/// A connection to a server or a proxy. TLS to the server may run on it.
pub(super) struct Stream {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    /// The other end is a proxy that forwards requests, so they need the full URL.
    forwards: bool,
}

impl From<MaybeHttpsStream<TokioIo<TcpStream>>> for Stream {
    fn from(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        Self {
            stream,
            forwards: false,
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.forwards)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }
}
