//! Serves one connection: TLS, then HTTP/1.1 or HTTP/2. Every step has a deadline:
//!
//! | step                                        | limit    | then                                     |
//! |---------------------------------------------|----------|------------------------------------------|
//! | TLS handshake                               | header   | close                                    |
//! | until the first request's header is read    | header   | close                                    |
//! | no request in flight                        | idle     | graceful shutdown, closed after drain    |
//! | a request, to the last byte of its response | request  | close; with HTTP/2, reset only the stream |
//! | a chunk of a watch, until the client reads it | request | the same                                |
//!
//! hyper's timer for an HTTP/1.1 header also runs while a connection is idle, so it cannot be short for a header and
//! long for an idle connection. It is off. The header of a later request may therefore take as long as the connection
//! may be idle: a client that sends half a header occupies its slot no longer than one that sends nothing.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::activity::{Activity, Overdue, ResponseBody};
use super::client::ClientCertificates;
use super::handshake::{Failures, handshake};
use super::idle_eviction::{Authenticated, Slot};
use super::limits::HEADER_BYTES;
use super::long_running::LongRunning;
use super::metrics::Open;
use super::{Limits, Tls};

/// The largest chunk of a response for HTTP/2, which buffers a chunk until the client reads it. An HTTP/2 frame
/// carries no more.
const CHUNK_BYTES: usize = 16 << 10;

/// The flow-control window of HTTP/2 request bodies, in bytes, for one stream and for the whole connection. The
/// server reads no bodies.
const WINDOW: u32 = 64 << 10;

/// The most bytes of one response that HTTP/2 buffers.
const SEND_BYTES: usize = 64 << 10;

/// The most lines of an HTTP/1.1 header. A front proxy sends one for each group of the user.
const HEADER_LINES: usize = 1024;

/// What all connections of a listener share.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) tls: Arc<Tls>,
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) failures: Arc<Failures>,
    pub(super) stop: CancellationToken,
}

impl Serving {
    /// Serves one client until the connection ends or is evicted. `open` counts the connection until then.
    pub(super) async fn serve(self, stream: TcpStream, client: SocketAddr, slot: Slot, open: Open) {
        let _open = open;
        let slot = Arc::new(slot);
        tokio::select! {
            // In this order: pending data is written before the connection is closed.
            biased;
            () = self.serve_to_end(stream, client, &slot) => {}
            () = slot.evicted() => tracing::debug!("closed an idle connection to accept another"),
        }
    }

    async fn serve_to_end(self, stream: TcpStream, client: SocketAddr, slot: &Arc<Slot>) {
        let _best_effort = stream.set_nodelay(true);
        let handshake = timeout(self.limits.header, handshake(&self.tls, stream));
        let accepted = tokio::select! {
            accepted = handshake => accepted,
            () = self.stop.cancelled() => return,
        };
        let stream = match accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => stream,
            Err(error) => {
                self.tls.metrics.handshakes_failed.inc();
                return self.failures.log(client, &error);
            }
        };
        let activity = Activity::new(slot);
        let certificates = ClientCertificates::of(stream.get_ref().1);
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let requests = Requests {
            router: self.router.clone(),
            activity: activity.clone(),
            chunk_bytes: if http2 { CHUNK_BYTES } else { usize::MAX },
            certificates,
        };
        if http2 {
            self.http2(stream, &activity, requests).await;
        } else {
            self.http1(stream, &activity, requests).await;
        }
    }

    async fn http1(self, stream: TlsStream<TcpStream>, activity: &Activity, requests: Requests) {
        let service = hyper::service::service_fn(move |request| requests.respond(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_header_size(HEADER_BYTES)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADER_LINES)
            .serve_connection(TokioIo::new(stream), service);
        // The connection carries one response at a time and ends with it.
        let response = Some(self.limits.request);
        self.drive(connection, activity, response).await;
    }

    async fn http2(self, stream: TlsStream<TcpStream>, activity: &Activity, requests: Requests) {
        let service = hyper::service::service_fn(move |request| requests.respond(request));
        let connection = http2::Builder::new(StreamExecutor(self.limits.request))
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(15))
            .max_concurrent_streams(self.tls.streams)
            .max_header_list_size(HEADER_BYTES as u32)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(SEND_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // The kube-apiserver sends the requests of all users over one connection: a stalled response must not end it.
        self.drive(connection, activity, None).await;
    }

    /// Drives a connection until it ends, a deadline passes, or the server stops.
    async fn drive<C>(self, connection: C, activity: &Activity, response: Option<Duration>)
    where
        C: GracefulConnection,
        C::Error: std::fmt::Display,
    {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return log_end(ended),
            overdue = activity.overdue(self.limits, response) => match overdue {
                Overdue::Idle => {}
                Overdue::Silent => return tracing::debug!("closed a connection that sent no request"),
                Overdue::Stalled => {
                    return tracing::debug!("closed a connection whose client does not read the response");
                }
            },
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        match timeout(self.limits.drain, connection).await {
            Ok(ended) => log_end(ended),
            Err(_) => tracing::debug!(
                "closed a connection that was still busy after its graceful shutdown"
            ),
        }
    }
}

fn log_end<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Responds to the requests of one connection.
struct Requests {
    router: Router,
    activity: Activity,
    chunk_bytes: usize,
    certificates: Option<ClientCertificates>,
}

impl Requests {
    fn respond(
        &self,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<ResponseBody>, std::convert::Infallible>> + use<>
    {
        let (active, chunk_bytes) = (self.activity.begin(), self.chunk_bytes);
        if let Some(certificates) = &self.certificates {
            request.extensions_mut().insert(certificates.clone());
        }
        let response = self.router.clone().oneshot(request.map(Body::new));
        async move {
            let response = response.await?;
            if response.extensions().get::<Authenticated>().is_some() {
                active.set_authenticated();
            }
            if let Some(long) = response.extensions().get::<LongRunning>() {
                active.set_long_running(long);
                // HTTP/1.1 has no streams.
                let _sent = STREAM.try_with(|stream| stream.send_replace(Some(long.clone())));
            }
            Ok(response.map(|body| ResponseBody::new(body, chunk_bytes, active)))
        }
    }
}

/// Runs each HTTP/2 stream with this timeout. While a client does not read its response, h2 does not poll the body, so
/// a timer in the body would never fire. The timeout therefore applies to the whole stream: after it, the stream is
/// dropped with its body, and h2 resets it.
#[derive(Debug, Clone, Copy)]
struct StreamExecutor(Duration);

tokio::task_local! {
    /// Set if the stream's response has no end.
    static STREAM: watch::Sender<Option<LongRunning>>;
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Self(limit) = *self;
        let (sender, response) = watch::channel(None);
        tokio::spawn(STREAM.scope(sender, async move {
            tokio::select! {
                () = stream => {}
                () = overdue(response, limit) => {
                    tracing::debug!("reset a stream whose client does not read the response");
                }
            }
        }));
    }
}

/// Completes when a stream has lasted for `limit`, or a chunk of a response without an end has waited that long.
async fn overdue(mut response: watch::Receiver<Option<LongRunning>>, limit: Duration) {
    let long = tokio::select! {
        () = tokio::time::sleep(limit) => return,
        long = response.wait_for(Option::is_some) => long.ok().and_then(|long| long.clone()),
    };
    match long {
        Some(long) => long.stalled(limit).await,
        // The stream has ended.
        None => std::future::pending().await,
    }
}
