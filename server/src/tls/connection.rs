//! One connection: TLS, then HTTP/1.1 or HTTP/2, and an end to everything that a client could draw out.
//!
//! | what                                        | how long | then                              |
//! |---------------------------------------------|----------|-----------------------------------|
//! | TLS handshake                               | header   | cut                               |
//! | until the first request's header is in      | header   | cut                               |
//! | no request under way                        | idle     | told to go, cut after drain       |
//! | a request, to the last byte of its answer   | request  | HTTP/1.1: cut; HTTP/2: the stream |
//! | a piece of a watch, until it is taken       | request  | the same                          |
//!
//! hyper has one timer for an HTTP/1.1 header, which runs while a connection idles too, so it cannot be short
//! for the one and long for the other. It is left off. A later request's header may therefore take as long as
//! the connection may be idle: whoever sends half of one holds a place no longer than whoever sends nothing.

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

use super::activity::{Activity, Answer, Overdue};
use super::client::ClientCertificates;
use super::handshake::{Failures, handshake};
use super::idle_eviction::{Known, Place};
use super::limits::HEADER_BYTES;
use super::long_running::LongRunning;
use super::metrics::Open;
use super::{Limits, Tls};

/// How much of an answer is given to HTTP/2 at a time: what it has been given it keeps until the client takes
/// it, or the connection ends. An HTTP/2 frame carries no more anyway.
const PIECE: usize = 16 << 10;

/// The most bytes of requests' bodies, which nobody reads, that an HTTP/2 client may send before it is told that it
/// may not: of one request, and of all of a connection together.
const WINDOW: u32 = 64 << 10;

/// The most bytes of one answer that HTTP/2 keeps until the client takes them.
const SEND_BYTES: usize = 64 << 10;

/// The most lines of an HTTP/1.1 header. A front proxy sends one for each group of the user.
const HEADER_LINES: usize = 1024;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) tls: Arc<Tls>,
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) failures: Arc<Failures>,
    pub(super) stop: CancellationToken,
}

impl Serving {
    /// Serves one client to its end, or until its place is needed, and counts it as `open` so long.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        client: SocketAddr,
        place: Place,
        open: Open,
    ) {
        let _open = open;
        let place = Arc::new(place);
        tokio::select! {
            // In this order: what is still to be written is, before the connection is cut.
            biased;
            () = self.serve_to_end(stream, client, &place) => {}
            () = place.cut() => tracing::debug!("a connection at rest is cut to make room for another"),
        }
    }

    async fn serve_to_end(self, stream: TcpStream, client: SocketAddr, place: &Arc<Place>) {
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
                return self.failures.tell(client, &error);
            }
        };
        // TLS names the protocol; guessing it from the first bytes would be one more thing to wait for.
        if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
            self.http2(stream, place).await;
        } else {
            self.http1(stream, place).await;
        }
    }

    async fn http1(self, stream: TlsStream<TcpStream>, place: &Arc<Place>) {
        let activity = Activity::new(place);
        let answers = Answers::new(&self.router, &activity, usize::MAX, &stream);
        let service = hyper::service::service_fn(|request| answers.answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_header_size(HEADER_BYTES)
            .max_buf_size(HEADER_BYTES)
            .max_headers(HEADER_LINES)
            .serve_connection(TokioIo::new(stream), service);
        // One answer at a time: to give it up is to give up the connection.
        let answer = Some(self.limits.request);
        self.drive(connection, &activity, answer).await;
    }

    async fn http2(self, stream: TlsStream<TcpStream>, place: &Arc<Place>) {
        let activity = Activity::new(place);
        let answers = Arc::new(Answers::new(&self.router, &activity, PIECE, &stream));
        let service = hyper::service::service_fn(move |request| {
            let answers = Arc::clone(&answers);
            async move { answers.answer(request).await }
        });
        let connection = http2::Builder::new(Streams(self.limits.request))
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(30))
            .keep_alive_timeout(Duration::from_secs(15))
            .max_concurrent_streams(self.tls.streams)
            .max_header_list_size(HEADER_BYTES as u32)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(SEND_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // The kube-apiserver sends everybody's requests over one connection: it outlives a stalled answer.
        self.drive(connection, &activity, None).await;
    }

    /// Drives a connection until it ends, has to be cut, or has to go politely.
    async fn drive<C>(self, connection: C, activity: &Activity, answer: Option<Duration>)
    where
        C: GracefulConnection,
        C::Error: std::fmt::Display,
    {
        let mut connection = pin!(connection);
        tokio::select! {
            ended = connection.as_mut() => return report(ended),
            overdue = activity.overdue(self.limits, answer) => match overdue {
                Overdue::Idle => {}
                Overdue::Silent => return tracing::debug!("a connection brought no request and is cut"),
                Overdue::Stalled => return tracing::debug!("an answer is not being read; its connection is cut"),
            },
            () = self.stop.cancelled() => {}
        }
        connection.as_mut().graceful_shutdown();
        match timeout(self.limits.drain, connection).await {
            Ok(ended) => report(ended),
            Err(_) => tracing::debug!("a connection did not go when told to and is cut"),
        }
    }
}

fn report<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Answers the requests of one connection.
struct Answers {
    router: Router,
    activity: Activity,
    piece: usize,
    certificates: Option<ClientCertificates>,
}

impl Answers {
    fn new(
        router: &Router,
        activity: &Activity,
        piece: usize,
        stream: &TlsStream<TcpStream>,
    ) -> Self {
        Self {
            router: router.clone(),
            activity: activity.clone(),
            piece,
            certificates: ClientCertificates::of(stream.get_ref().1),
        }
    }

    fn answer(
        &self,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Answer>, std::convert::Infallible>> + use<> {
        let (busy, piece) = (self.activity.begin(), self.piece);
        if let Some(certificates) = &self.certificates {
            request.extensions_mut().insert(certificates.clone());
        }
        let answer = self.router.clone().oneshot(request.map(Body::new));
        async move {
            let response = answer.await?;
            if response.extensions().get::<Known>().is_some() {
                busy.is_known();
            }
            if let Some(long) = response.extensions().get::<LongRunning>() {
                busy.runs_long(long);
                // Of HTTP/1.1 there are no streams.
                let _told = STREAM.try_with(|stream| stream.send_replace(Some(long.clone())));
            }
            Ok(response.map(|body| Answer::new(body, piece, busy)))
        }
    }
}

/// Runs HTTP/2's streams, each for so long. A client that does not take its answer leaves its stream waiting
/// for room, in which nobody polls the answer's body, so no timer inside the body would ever be looked at. The
/// time is therefore given to the whole stream: when it is up the stream is dropped, with its body and all that
/// the body holds, and h2 tells the client that it is cancelled.
#[derive(Debug, Clone, Copy)]
struct Streams(Duration);

tokio::task_local! {
    /// Whether the stream's answer goes on for as long as it is taken.
    static STREAM: watch::Sender<Option<LongRunning>>;
}

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let Self(limit) = *self;
        let (answer, told) = watch::channel(None);
        tokio::spawn(STREAM.scope(answer, async move {
            tokio::select! {
                () = stream => {}
                () = overdue(told, limit) => {
                    tracing::debug!("an answer is not being read; its stream is cancelled");
                }
            }
        }));
    }
}

/// Completes when a stream has gone on for too long, or a piece of a long one has waited for too long.
async fn overdue(mut told: watch::Receiver<Option<LongRunning>>, limit: Duration) {
    let long = tokio::select! {
        () = tokio::time::sleep(limit) => return,
        told = told.wait_for(Option::is_some) => told.ok().and_then(|long| long.clone()),
    };
    match long {
        Some(long) => long.stalled(limit).await,
        // Its stream is over.
        None => std::future::pending().await,
    }
}
