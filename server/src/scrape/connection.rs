//! A persistent connection to a kubelet: HTTP/1.1 over TLS, or plain HTTP.
//!
//! It uses hyper's connections instead of a pooling client: the node's task owns the connection, so there is no pool and
//! no lock, and the buffer has a fixed size. The buffers of a pooling client grow to the largest response, for each of
//! 5,000 nodes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Request, Response, Uri};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::failure::ScrapeError;

/// The read buffer: half a TLS record, and small because every node has one. The header of a response must fit.
const READ_BUFFER: usize = 8 << 10;

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    origin: String,
    host: HeaderValue,
    tls: Arc<ClientConfig>,
    sender: SendRequest<Empty<Bytes>>,
}

impl Connection {
    /// Opens the TCP connection to `https://HOST:PORT` or `http://HOST:PORT`.
    pub(super) async fn dial(origin: &str) -> Result<TcpStream, ScrapeError> {
        let (_, authority) = parse(origin)?;
        let port = authority.port_u16().ok_or_else(|| bad_address(origin))?;
        let stream = TcpStream::connect((host_of(&authority), port))
            .await
            .map_err(|error| ScrapeError::Connect(error.to_string()))?;
        let _best_effort = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Starts TLS (for `https`) and HTTP on a TCP connection to `origin`.
    pub(super) async fn open(
        origin: &str,
        stream: TcpStream,
        tls: Arc<ClientConfig>,
    ) -> Result<Self, ScrapeError> {
        let (scheme, authority) = parse(origin)?;
        let sender = if scheme == Scheme::HTTPS {
            let host = host_of(&authority).to_owned();
            let name = ServerName::try_from(host).map_err(|_| bad_address(origin))?;
            let connector = TlsConnector::from(Arc::clone(&tls));
            let stream = connector.connect(name, stream).await.map_err(refused)?;
            handshake(stream).await?
        } else {
            handshake(stream).await?
        };
        Ok(Self {
            origin: origin.to_owned(),
            host: HeaderValue::from_str(authority.as_str()).map_err(|_| bad_address(origin))?,
            tls,
            sender,
        })
    }

    /// Whether the connection seems open.
    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Whether it leads to `origin`, uses these credentials, and seems open.
    pub(super) fn is_good(&self, origin: &str, tls: &Arc<ClientConfig>) -> bool {
        self.origin == origin && Arc::ptr_eq(&self.tls, tls) && self.is_open()
    }

    /// Requests a path. The connection can be used again after the complete response has been read.
    pub(super) async fn get(
        &mut self,
        path: &Uri,
        headers: &HeaderMap,
    ) -> Result<Response<Incoming>, ScrapeError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = path.clone();
        *request.headers_mut() = headers.clone();
        request.headers_mut().insert(HOST, self.host.clone());
        let answer = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        answer.await.map_err(|error| {
            let cause = innermost(&error);
            if error.is_parse() {
                ScrapeError::Malformed(cause)
            } else {
                ScrapeError::BrokeOff(cause)
            }
        })
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

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Empty<Bytes>>, ScrapeError> {
    let (sender, connection) = http1::Builder::new()
        .read_buf_exact_size(Some(READ_BUFFER))
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| ScrapeError::Connect(innermost(&error)))?;
    // The task ends when the sender is dropped or the kubelet closes the connection; the current request gets the error.
    tokio::spawn(async move { connection.await.ok() });
    Ok(sender)
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

/// The text of the innermost cause; the causes above it only say that something failed.
pub(super) fn innermost(error: &hyper::Error) -> String {
    let first: &dyn std::error::Error = error;
    let causes = std::iter::successors(Some(first), |error| error.source());
    causes.last().unwrap_or(first).to_string()
}
