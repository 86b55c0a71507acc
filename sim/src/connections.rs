//! Listeners and their connections: TLS, HTTP/1.1 or HTTP/2, and the ends of connections that tests cause.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a client may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a connection ended before its client closed it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The certificate of a client, if it has shown one. rustls has verified it.
pub(crate) type ClientCertificate = Option<Arc<CertificateDer<'static>>>;

/// A body that may be streamed.
pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

/// The connection must be dropped without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection is reset on purpose")]
pub(crate) struct Dropped;

/// Which connections live. A change of `generation` ends the ones there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gate {
    /// New connections are reset.
    pub(crate) cut: bool,
    /// The listener ends.
    pub(crate) closed: bool,
    /// Counts the times that existing connections were dropped.
    pub(crate) generation: u64,
}

/// Accepts connections until the gate is closed. A task serves each of them until it ends or the gate drops it.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    mut gate: watch::Receiver<Gate>,
    serve: impl Fn(TcpStream) -> F,
) where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
{
    loop {
        let accepted = tokio::select! {
            closed = gate.wait_for(|g| g.closed) => { drop(closed); return }
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of descriptors, most likely: leave the machine some time to recover.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Gate {
            cut, generation, ..
        } = *gate.borrow();
        if cut {
            // A reset is what the client of a dead or fenced machine sees.
            if let Err(error) = stream.set_zero_linger() {
                tracing::debug!(%error, "connection closed without a reset");
            }
            continue;
        }
        let (served, mut gate) = (serve(stream), gate.clone());
        tokio::spawn(async move {
            let is_dropped = |g: &Gate| g.closed || g.cut || g.generation != generation;
            tokio::select! {
                dropped = gate.wait_for(is_dropped) => drop(dropped),
                served = served => if let Err(error) = served {
                    tracing::debug!(%error, "connection ended");
                },
            }
        });
    }
}

/// Shakes hands with a client. Returns its certificate too.
pub(crate) async fn handshake(
    stream: TcpStream,
    tls: TlsAcceptor,
) -> Result<(TlsStream<TcpStream>, ClientCertificate), Failure> {
    stream.set_nodelay(true)?;
    let stream = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await??;
    let certificates = stream.get_ref().1.peer_certificates();
    let certificate = certificates.and_then(<[_]>::first).cloned().map(Arc::new);
    Ok((stream, certificate))
}

/// Answers the requests of one connection until it ends. An error drops the connection without a response.
pub(crate) async fn converse<S, F>(
    stream: S,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Result<Response<Body>, Dropped>> + Send + 'static,
{
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().max_buf_size(16 << 10);
    http.http2().max_concurrent_streams(250);
    let service = hyper::service::service_fn(answer);
    http.serve_connection(TokioIo::new(stream), service).await
}

/// A whole body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    let whole = Full::new(bytes.into()).map_err(|never: Infallible| match never {});
    whole.boxed_unsync()
}

/// A response of one media type.
pub(crate) fn response(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
