//! A persistent connection to a kubelet: HTTP/1.1 over TLS, or plain HTTP.
//!
//! The node's task owns the connection, so there is no pool and no lock. HTTP exists only during a request: an idle
//! connection is a socket and the keys of TLS, without a buffer and without a task of its own.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::try_join;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio_util::either::Either;

use super::failure::ScrapeError;
use super::tls_stream::TlsStream;

/// The read buffer during a request. The header of a response must fit.
const READ_BUFFER: usize = 16 << 10;

/// An idle connection.
pub(crate) struct Connection {
    origin: Box<str>,
    host: HeaderValue,
    tls: Arc<ClientConfig>,
    stream: Stream,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut connection = f.debug_struct("Connection");
        connection
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// TCP with or without TLS. The session of TLS is large, and a connection is moved often.
type Stream = Either<TcpStream, Box<TlsStream>>;

/// A request without a complete response.
pub(crate) struct Failure {
    pub(crate) error: ScrapeError,
    /// The connection ended without the header of a response, as when the kubelet has just closed it. A GET may be
    /// repeated.
    pub(crate) may_repeat: bool,
}

impl Connection {
    /// Opens the TCP connection to `https://HOST:PORT` or `http://HOST:PORT`.
    pub(crate) async fn dial(origin: &str) -> Result<TcpStream, ScrapeError> {
        let (_, authority) = parse(origin)?;
        let port = authority.port_u16().ok_or_else(|| bad_address(origin))?;
        let stream = TcpStream::connect((host_of(&authority), port))
            .await
            .map_err(|error| ScrapeError::Connect(error.to_string()))?;
        let _best_effort = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Starts TLS (for `https`) on a TCP connection to `origin`, whose certificate must contain `name`, or without it the
    /// host of the origin.
    pub(crate) async fn open(
        origin: &str,
        stream: TcpStream,
        tls: Arc<ClientConfig>,
        name: Option<ServerName<'static>>,
    ) -> Result<Self, ScrapeError> {
        let (scheme, authority) = parse(origin)?;
        let stream = if scheme == Scheme::HTTPS {
            let host = host_of(&authority).to_owned();
            let name = match name {
                Some(name) => name,
                None => ServerName::try_from(host).map_err(|_| bad_address(origin))?,
            };
            let stream = TlsStream::connect(stream, Arc::clone(&tls), name);
            Either::Right(Box::new(stream.await.map_err(refused)?))
        } else {
            Either::Left(stream)
        };
        Ok(Self {
            origin: origin.into(),
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| bad_address(origin))?,
            tls,
            stream,
        })
    }

    /// Whether the kubelet has not closed the connection, as far as the runtime has noticed. Costs no system call.
    pub(super) fn is_open(&self) -> bool {
        let tcp = match &self.stream {
            Either::Left(tcp) => tcp,
            Either::Right(tls) => tls.stream(),
        };
        match tcp.ready(Interest::READABLE).now_or_never() {
            Some(Ok(state)) => !state.is_read_closed(),
            Some(Err(_)) => false,
            // Nothing has happened since the last response.
            None => true,
        }
    }

    /// Whether it leads to `origin`, uses these credentials, and seems open.
    pub(crate) fn is_good(&self, origin: &str, tls: &Arc<ClientConfig>) -> bool {
        *self.origin == *origin && Arc::ptr_eq(&self.tls, tls) && self.is_open()
    }

    /// Requests a path and reads the response. Returns the connection too if it can be used again.
    pub(crate) async fn get<T>(
        self,
        path: &Uri,
        headers: &HeaderMap,
        read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, ScrapeError>,
    ) -> Result<(T, Option<Self>), Failure> {
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = path.clone();
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        let mut responded = false;
        let exchange = async {
            let (mut sender, connection) = http1::Builder::new()
                .read_buf_exact_size(Some(READ_BUFFER))
                .handshake(TokioIo::new(self.stream))
                .await
                .map_err(broken)?;
            let responded = &mut responded;
            let response = async move {
                let response = sender.send_request(request).await.map_err(broken)?;
                *responded = true;
                let value = read(response).await?;
                // An error here is `Connection: close`. The sender is dropped now, which ends HTTP on the connection.
                Ok((value, sender.ready().await.is_ok()))
            };
            let connection = connection.without_shutdown().map(Ok);
            try_join(response, connection).await
        };
        let ((value, reusable), parts) = match exchange.await {
            Ok(done) => done,
            Err(error) => {
                return Err(Failure {
                    error,
                    may_repeat: !responded,
                });
            }
        };
        let stream = parts
            .ok()
            .filter(|parts| reusable && parts.read_buf.is_empty());
        let connection = stream.map(|parts| {
            let mut stream = parts.io.into_inner();
            if let Either::Right(tls) = &mut stream {
                tls.release_buffers();
            }
            Self { stream, ..self }
        });
        Ok((value, connection))
    }
}
fn bad_address(origin: &str) -> ScrapeError {
    ScrapeError::BadAddress(origin.to_owned())
}

/// Parses `https://HOST:PORT` or `http://HOST:PORT`.
fn parse(origin: &str) -> Result<(Scheme, Authority), ScrapeError> {
    let uri = origin.parse::<Uri>().ok().map(Uri::into_parts);
    uri.and_then(|uri| uri.scheme.zip(uri.authority))
        .ok_or_else(|| bad_address(origin))
}

/// The host to dial, an IPv6 address without its brackets.
fn host_of(authority: &Authority) -> &str {
    authority.host().trim_matches(['[', ']'])
}

/// Converts the error of a TLS handshake: one about the kubelet's certificate, or another.
fn refused(error: std::io::Error) -> ScrapeError {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let cause = error.to_string();
    match tls {
        Some(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::UnsupportedNameType,
        ) => ScrapeError::Certificate(cause),
        _ => ScrapeError::Connect(cause),
    }
}

fn broken(error: hyper::Error) -> ScrapeError {
    let cause = innermost(&error);
    if error.is_parse() {
        ScrapeError::Malformed(cause)
    } else {
        ScrapeError::BrokeOff(cause)
    }
}

/// The text of the innermost cause; the causes above it only say that something failed.
pub(super) fn innermost(error: &hyper::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.last().unwrap_or(first).to_string()
}
