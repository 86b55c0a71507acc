//! Many clients at once, and headers that do not end: the server continues, and counts what it refuses.

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use kubevitals_server::tls::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{PATIENCE, wait_until};
use crate::limits::{Listener, UNLIMITED, closed, get_request, request};

/// The server's default limit, or what this process can open: it has both ends of each connection.
const CROWD: usize = 10_000;

/// The limit of open files of this process.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_silent_clients_block_no_other() {
    let crowd = CROWD.min(open_files() * 2 / 3);
    let slots = 4096.min(crowd / 4);
    let listener = Listener::start(Limits {
        connections: slots,
        ..UNLIMITED
    })
    .await;
    let mut first = listener.connect("http/1.1").await;
    request(&mut first).await.unwrap();
    let mut silent = Vec::with_capacity(crowd);
    for _ in 0..crowd {
        silent.push(TcpStream::connect(listener.address).await.unwrap());
    }
    let accepted = || listener.metrics.accepted.get() as usize;
    wait_until("the whole crowd was accepted", async || {
        accepted() == crowd + 1
    })
    .await;
    assert!(listener.responds().await, "a new client gets a response");
    request(&mut first).await.unwrap();
    let metrics = &listener.metrics;
    // The first client is not silent, and the last may have closed its connection.
    let evicted = metrics.evicted.get() as usize;
    assert!(evicted >= crowd - slots, "{metrics:?}");
    assert_eq!(metrics.refused.get(), 0);
    wait_until("evicted connections are closed", async || {
        listener.metrics.open.get() as usize <= slots
    })
    .await;
    closed(silent.first_mut().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unauthenticated_connections_have_few_slots() {
    let slots = 8;
    let listener = Listener::start(Limits {
        unauthenticated: slots,
        ..UNLIMITED
    })
    .await;
    let mut crowd = Vec::new();
    for n in 0..60 {
        // In turn: no handshake, no request, and a header that does not end.
        if n % 3 == 0 {
            let stream = TcpStream::connect(listener.address).await.unwrap();
            crowd.push(Box::new(stream) as Box<dyn std::any::Any>);
            continue;
        }
        let Ok(mut stream) = listener.try_connect("http/1.1").await else {
            continue;
        };
        if n % 3 == 1 {
            let mut header = b"GET / HTTP/1.1\r\nx: ".to_vec();
            header.resize(62 << 10, b'x');
            let _may_be_closed = stream.write_all(&header).await;
        }
        crowd.push(Box::new(stream));
    }
    assert!(listener.responds().await, "a new client gets a response");
    wait_until(
        "no more connections are open than there are slots",
        async || listener.metrics.open.get() as usize <= slots,
    )
    .await;
    let metrics = &listener.metrics;
    assert!(
        metrics.evicted.get() > 0 && metrics.refused.get() == 0,
        "{metrics:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_idle_longest_is_closed_first() {
    let listener = Listener::start(Limits {
        connections: 3,
        ..UNLIMITED
    })
    .await;
    let (mut busy, _connection) = listener.http2(1 << 10).await;
    let mut response = busy.send_request(get_request("/endless")).await.unwrap();
    let mut first = listener.connect("http/1.1").await;
    request(&mut first).await.unwrap();
    let mut second = listener.connect("http/1.1").await;
    request(&mut second).await.unwrap();
    request(&mut first).await.unwrap();
    let mut new = listener.connect("http/1.1").await;
    request(&mut new).await.unwrap();
    closed(&mut second).await;
    request(&mut first).await.unwrap();
    let metrics = &listener.metrics;
    assert_eq!((metrics.evicted.get(), metrics.refused.get()), (1, 0));
    let chunk = response.body_mut().frame().await;
    assert!(
        matches!(chunk, Some(Ok(_))),
        "a request in flight continues"
    );
}

/// The status line of the response to a header of `lines` lines of a length, if there is a response.
async fn status(listener: &Listener, lines: usize, bytes: usize) -> String {
    let mut stream = listener.connect("http/1.1").await;
    let mut header = b"GET /small HTTP/1.1\r\nhost: localhost\r\n".to_vec();
    for _ in 0..lines {
        header.extend_from_slice(b"x-remote-group: ");
        header.resize(header.len() + bytes, b'g');
        header.extend_from_slice(b"\r\n");
    }
    header.extend_from_slice(b"connection: close\r\n\r\n");
    // The server may close while the client still sends.
    let _may_be_closed = stream.write_all(&header).await;
    let mut response = Vec::new();
    let _may_be_closed = timeout(PATIENCE, stream.read_to_end(&mut response)).await;
    let response = String::from_utf8(response).unwrap();
    response.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http1_a_header_has_limits() {
    let listener = Listener::start(UNLIMITED).await;
    for (lines, bytes) in [(1, 10), (1000, 10), (1, (64 << 10) - 100)] {
        let status = status(&listener, lines, bytes).await;
        assert_eq!(status, "HTTP/1.1 200 OK", "{lines} {bytes}");
    }
    for (lines, bytes) in [(1030, 10), (1, 64 << 10), (1, 8 << 20)] {
        let status = status(&listener, lines, bytes).await;
        // A client that keeps sending may not see the response.
        assert!(
            status.is_empty() || status.starts_with("HTTP/1.1 431 "),
            "{lines} {bytes}: {status}"
        );
    }
    assert!(listener.responds().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_large_headers_are_refused() {
    let listener = Listener::start(UNLIMITED).await;
    let (mut client, _connection) = listener.http2(1 << 20).await;
    let with_header = |bytes: usize| {
        Request::get("https://localhost/small")
            .header("x-remote-group", "g".repeat(bytes))
            .body(Empty::<Bytes>::new())
            .unwrap()
    };
    let fits = client.send_request(with_header(60 << 10)).await.unwrap();
    assert_eq!(fits.status(), 200);
    let refused = match client.send_request(with_header(70 << 10)).await {
        Ok(response) => response.status() == 431,
        Err(_) => true,
    };
    assert!(refused);
    let (mut client, _connection) = listener.http2(1 << 20).await;
    let response = client.send_request(get_request("/small")).await.unwrap();
    assert_eq!(response.status(), 200);
}
