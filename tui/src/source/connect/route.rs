//! The route to a server: direct, or through a proxy.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use http::uri::Scheme;
use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service, ServiceExt};

use super::credential::basic;

/// A proxy.
#[derive(Debug, Clone)]
pub(in crate::source) struct Proxy {
    /// The address, without user and password.
    pub(in crate::source) uri: Uri,
    /// User and password, for a proxy that requires them.
    pub(in crate::source) login: Option<(String, SecretString)>,
}

/// Connects to a server's address, directly or through a proxy.
pub(super) type Route = BoxCloneSyncService<Uri, Stream, BoxError>;

/// Chooses the route as Go's client does: an HTTP proxy forwards requests to a server without TLS, and tunnels
/// connections to others. A SOCKS proxy resolves the server's name. `tls` is for a proxy with TLS.
pub(super) fn route(server: &Uri, proxy: Option<&Proxy>, tls: rustls::ClientConfig) -> Route {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let Some(proxy) = proxy else {
        return boxed(tcp, Stream::plain);
    };
    let uri = proxy.uri.clone();
    if is_socks(proxy) {
        let mut socks = SocksV5::new(uri, tcp);
        if let Some((user, password)) = &proxy.login {
            socks = socks.with_auth(user.clone(), password.expose_secret().to_owned());
        }
        return boxed(socks, Stream::plain);
    }
    let to_proxy = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    if server.scheme() == Some(&Scheme::HTTP) {
        let to_proxy = to_proxy.map_request(move |_server| uri.clone());
        return boxed(to_proxy, Stream::forwarding);
    }
    let mut tunnel = Tunnel::new(uri, to_proxy);
    if let Some(login) = login(proxy) {
        tunnel = tunnel.with_auth(login);
    }
    boxed(tunnel, Stream::direct)
}

fn boxed<S>(connector: S, stream: fn(S::Response) -> Stream) -> Route
where
    S: Service<Uri, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static,
    S::Response: 'static,
{
    BoxCloneSyncService::new(connector.map_response(stream).map_err(Into::into))
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
    basic(user, password).ok()
}

/// A connection to a server or a proxy. TLS to the server may run on it.
pub(super) struct Stream {
    stream: MaybeHttpsStream<TokioIo<TcpStream>>,
    /// The other end is a proxy that forwards requests, so they need the full URL.
    forwards: bool,
}

impl Stream {
    fn plain(stream: TokioIo<TcpStream>) -> Self {
        Self::direct(stream.into())
    }

    const fn direct(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        Self {
            stream,
            forwards: false,
        }
    }

    const fn forwarding(stream: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        Self {
            stream,
            forwards: true,
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
