//! What one client may use of the listener: a connection, time, and the memory of responses that it does not read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_server::clock::SystemClock;
use kubevitals_server::tls::{self, Limits, Tls, TlsMetrics};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::harness::{PATIENCE, wait_until};

/// A limit that a test does not test; longer than any test.
const FAR: Duration = Duration::from_secs(3600);

/// A limit that a test waits for; long enough for a handshake and a request on a busy machine.
pub(crate) const NEAR: Duration = Duration::from_millis(300);

pub(crate) const UNLIMITED: Limits = Limits {
    connections: 100,
    unauthenticated: usize::MAX,
    header: FAR,
    idle: FAR,
    request: FAR,
    drain: FAR,
};

const REQUEST: &[u8] = b"GET /small HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The bytes of a long response, more than any buffer holds.
const LONG: usize = 4 << 20;

/// A chunk of an endless response, which holds memory until the response ends.
type Snapshot = Arc<[u8; 64 << 10]>;

/// A listener with a small, a long and an endless response.
pub(crate) struct Listener {
    pub(crate) address: SocketAddr,
    client: ClientConfig,
    /// The memory that endless responses hold.
    in_use: Arc<Mutex<Vec<Weak<[u8; 64 << 10]>>>>,
    pub(crate) metrics: TlsMetrics,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Listener {
    pub(crate) async fn start(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (files, client) = certified(folder.path());
        let settings = tls::Settings {
            certificate: Some(files),
            ..tls::Settings::default()
        };
        let (tls, _reloader) = Tls::new(&settings, Arc::new(SystemClock::default())).unwrap();
        let metrics = tls.metrics().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let in_use = Arc::new(Mutex::new(Vec::new()));
        let stop = CancellationToken::new();
        let router = router(Arc::clone(&in_use));
        let serving = tokio::spawn(tls::serve(listener, tls, router, limits, stop.clone()));
        Self {
            address,
            client,
            in_use,
            metrics,
            stop,
            serving,
        }
    }

    /// A client after its handshake.
    pub(crate) async fn connect(&self, protocol: &str) -> TlsStream<TcpStream> {
        self.try_connect(protocol).await.expect("a handshake")
    }

    pub(crate) async fn try_connect(
        &self,
        protocol: &str,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        connect(self.address, &self.client, protocol).await
    }

    /// An HTTP/2 client with a window of `window` bytes.
    pub(crate) async fn http2(
        &self,
        window: u32,
    ) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<()>) {
        let stream = TokioIo::new(self.connect("h2").await);
        let (client, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(window)
            .handshake(stream)
            .await
            .unwrap();
        let connection = tokio::spawn(async move {
            let _ended = connection.await;
        });
        (client, connection)
    }

    /// Whether a new client gets a response.
    pub(crate) async fn responds(&self) -> bool {
        let Ok(mut stream) = self.try_connect("http/1.1").await else {
            return false;
        };
        request(&mut stream).await.is_ok()
    }

    /// Waits until all memory of endless responses is freed.
    async fn freed(&self) {
        wait_until("all memory is freed", async || {
            self.in_use
                .lock()
                .iter()
                .all(|in_use| in_use.upgrade().is_none())
        })
        .await;
    }
}

/// A certificate and key for a listener, and a client that trusts them.
pub(crate) fn certified(folder: &Path) -> ((PathBuf, PathBuf), ClientConfig) {
    let _provider = kubevitals_server::tls::provider();
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = (folder.join("tls.crt"), folder.join("tls.key"));
    std::fs::write(&files.0, own.cert.pem()).unwrap();
    std::fs::write(&files.1, own.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (files, client)
}

/// A client of the server `localhost` at `address`.
pub(crate) async fn connect(
    address: SocketAddr,
    client: &ClientConfig,
    protocol: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut config = client.clone();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}

fn router(in_use: Arc<Mutex<Vec<Weak<[u8; 64 << 10]>>>>) -> Router {
    let endless = async move || {
        let snapshot: Snapshot = Arc::new([b'x'; 64 << 10]);
        in_use.lock().push(Arc::downgrade(&snapshot));
        Body::from_stream(futures::stream::unfold(snapshot, async |snapshot| {
            let chunk = Ok::<_, std::io::Error>(Bytes::copy_from_slice(&snapshot[..]));
            Some((chunk, snapshot))
        }))
    };
    Router::new()
        .route("/small", get(async || "small"))
        .route("/long", get(async || "x".repeat(LONG)))
        .route("/endless", get(endless))
}

/// Sends a request over HTTP/1.1 and reads the whole response.
pub(crate) async fn request(stream: &mut TlsStream<TcpStream>) -> std::io::Result<()> {
    stream.write_all(REQUEST).await?;
    let mut response = Vec::new();
    while !response.ends_with(b"\r\n\r\nsmall") {
        if stream.read_buf(&mut response).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Waits until the server closes the connection in any way.
pub(crate) async fn closed(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    let mut read = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut read)).await;
    let _politely = end.expect("the connection is closed");
}

pub(crate) fn get_request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("https://localhost{path}"))
        .body(Empty::new())
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_without_a_request_is_disconnected() {
    let listener = Listener::start(Limits {
        connections: 1,
        header: NEAR,
        ..UNLIMITED
    })
    .await;
    let mut before_tls = TcpStream::connect(listener.address).await.unwrap();
    closed(&mut before_tls).await;
    for (protocol, sent) in [
        ("h2", &b""[..]),
        ("h2", b"PRI * HTTP/2.0"),
        (
            "h2",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        ),
        ("http/1.1", b""),
        ("http/1.1", b"PRI * HTTP/2.0"),
        ("http/1.1", b"GET /small HTTP/1.1\r\nhost: loc"),
    ] {
        wait_until("the slot is free again", async || listener.responds().await).await;
        // The server may not have noticed the end of the previous one.
        let mut silent = None;
        wait_until("a slot is free", async || {
            silent = listener.try_connect(protocol).await.ok();
            silent.is_some()
        })
        .await;
        let mut silent = silent.unwrap();
        let _may_be_closed = silent.write_all(sent).await;
        closed(&mut silent).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_stays_open_for_its_next_request() {
    let listener = Listener::start(Limits {
        header: NEAR,
        ..UNLIMITED
    })
    .await;
    let mut pooled = listener.connect("http/1.1").await;
    request(&mut pooled).await.unwrap();
    let (mut multiplexed, _connection) = listener.http2(1 << 20).await;
    multiplexed
        .send_request(get_request("/small"))
        .await
        .unwrap();
    // The limit has passed for a connection that came later.
    closed(&mut listener.connect("http/1.1").await).await;
    request(&mut pooled).await.unwrap();
    let response = multiplexed.send_request(get_request("/small")).await;
    assert_eq!(response.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_idles_too_long_is_closed() {
    let listener = Listener::start(Limits {
        idle: NEAR,
        ..UNLIMITED
    })
    .await;
    let mut idle = listener.connect("http/1.1").await;
    request(&mut idle).await.unwrap();
    closed(&mut idle).await;
    let mut half = listener.connect("http/1.1").await;
    request(&mut half).await.unwrap();
    let _may_be_closed = half.write_all(b"GET /small HT").await;
    closed(&mut half).await;
    let (mut client, connection) = listener.http2(1 << 20).await;
    client.send_request(get_request("/small")).await.unwrap();
    timeout(PATIENCE, connection).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unread_response_is_cancelled_and_freed() {
    let listener = Listener::start(Limits {
        request: NEAR,
        ..UNLIMITED
    })
    .await;
    for window in [0, 1, 100 << 10] {
        let (mut client, _connection) = listener.http2(window).await;
        let stalled = client.send_request(get_request("/endless")).await.unwrap();
        assert_eq!(stalled.status(), 200);
        listener.freed().await;
        // Data that was sent before may be read; then the body ends.
        let mut body = stalled.into_body();
        let error = loop {
            match timeout(PATIENCE, body.frame()).await.unwrap() {
                Some(Ok(_)) => {}
                end => break end,
            }
        };
        assert!(matches!(error, Some(Err(_))), "{error:?}");
        // Other streams of the connection continue.
        if window > 0 {
            let other = client.send_request(get_request("/small")).await.unwrap();
            let body = other.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, "small");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_a_slow_client_gets_the_whole_response() {
    let listener = Listener::start(UNLIMITED).await;
    for window in [1 << 10, 1 << 20] {
        let (mut client, _connection) = listener.http2(window).await;
        let response = client.send_request(get_request("/long")).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), LONG);
        assert!(body.iter().all(|byte| *byte == b'x'));
    }
}

/// The server reads no bodies: it accepts only as many bytes as the window of the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_a_client_may_send_little() {
    const LIMIT: u32 = 64 << 10;
    let listener = Listener::start(UNLIMITED).await;
    let mut stream = listener.connect("h2").await;
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(hello).await.unwrap();
    // The preface of every HTTP/2 client.
    let (mut of_stream, mut of_connection) = (65_535, 65_535);
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let mut frame = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut frame).await.unwrap();
        let number = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
        match (head[3], head[4]) {
            // SETTINGS: INITIAL_WINDOW_SIZE limits the first bytes of a request body.
            (4, 0) => {
                let of_window = (0..frame.len()).step_by(6).find(|at| frame[*at + 1] == 4);
                of_stream = of_window.map_or(of_stream, |at| number(at + 2));
            }
            // Acknowledges the client's SETTINGS.
            (4, _) => break,
            // WINDOW_UPDATE before any stream is for the connection.
            (8, _) => of_connection += number(0),
            (kind, _) => panic!("a frame of kind {kind}"),
        }
    }
    assert!(of_stream <= LIMIT, "{of_stream}");
    assert!(of_connection <= LIMIT, "{of_connection}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http1_an_unread_response_closes_the_connection() {
    let listener = Listener::start(Limits {
        request: NEAR,
        ..UNLIMITED
    })
    .await;
    let mut stalled = listener.connect("http/1.1").await;
    stalled
        .write_all(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .unwrap();
    wait_until("the response has begun", async || {
        !listener.in_use.lock().is_empty()
    })
    .await;
    listener.freed().await;
    closed(&mut stalled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_over_the_limit_is_closed_and_counted() {
    let listener = Listener::start(Limits {
        connections: 1,
        ..UNLIMITED
    })
    .await;
    let (mut client, _connection) = listener.http2(1 << 10).await;
    let mut response = client.send_request(get_request("/endless")).await.unwrap();
    assert!(!listener.responds().await);
    let metrics = &listener.metrics;
    assert_eq!((metrics.open.get(), metrics.accepted.get()), (1, 1));
    assert_eq!((metrics.refused.get(), metrics.evicted.get()), (1, 0));
    let chunk = response.body_mut().frame().await;
    assert!(matches!(chunk, Some(Ok(_))), "the response continues");
    drop((client, response));
    wait_until("the slot is free again", async || listener.responds().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_closes_idle_and_then_busy_connections() {
    let mut listener = Listener::start(Limits {
        drain: NEAR,
        ..UNLIMITED
    })
    .await;
    let _before_tls = TcpStream::connect(listener.address).await.unwrap();
    let mut silent = listener.connect("http/1.1").await;
    let mut idle = listener.connect("http/1.1").await;
    request(&mut idle).await.unwrap();
    let (mut client, connection) = listener.http2(1).await;
    let stalled = client.send_request(get_request("/endless")).await.unwrap();
    listener.stop.cancel();
    let stopped = timeout(PATIENCE, &mut listener.serving).await;
    stopped.unwrap().unwrap();
    // A stream ends with its connection.
    listener.freed().await;
    closed(&mut silent).await;
    closed(&mut idle).await;
    timeout(PATIENCE, connection).await.unwrap().unwrap();
    drop(stalled);
}
