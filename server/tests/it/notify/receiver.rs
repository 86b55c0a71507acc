//! An HTTP service that records requests and answers as a test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// An answer to one request.
pub(super) enum Answer {
    Status(u16),
    RetryAfter(u16, u32),
    Redirect(String),
    /// None, as long as the client waits.
    Hang,
}

/// A recorded request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Request {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the service shares with the test.
#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    /// The answers to the next requests; then 204.
    answers: Mutex<VecDeque<Answer>>,
}

/// A service that runs until dropped.
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(super) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let shared = Arc::new(Shared {
            answers: Mutex::new(answers.into_iter().collect()),
            ..Shared::default()
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            shared,
            task,
        }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    pub(super) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().clone()
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    shared.requests.lock().push(Request {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    });
    let next = shared.answers.lock().pop_front();
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match next {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Answer::Status(code)) => (status(code), "a reason\nand more").into_response(),
        Some(Answer::RetryAfter(code, seconds)) => {
            (status(code), [("retry-after", seconds.to_string())]).into_response()
        }
        Some(Answer::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response()
        }
        Some(Answer::Hang) => std::future::pending().await,
    }
}

/// A service whose first answer is no HTTP, and every other one 204. Returns its URL.
pub(super) async fn garbage() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut answer: &[u8] = b"\x00\xff garbage\r\n\r\n";
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _read = connection.read(&mut [0; 1 << 16]).await;
            let _written = connection.write_all(answer).await;
            answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        }
    });
    (url, task)
}
