//! A receiver of remote write that answers by a script, and decodes what it gets by the specification's messages.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use parking_lot::Mutex;
use prost::Message;

/// `prometheus.WriteRequest` of remote write 1.0.
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// `io.prometheus.write.v2.Request` of remote write 2.0.
#[derive(Clone, PartialEq, Message)]
pub(super) struct RequestV2 {
    #[prost(string, repeated, tag = "4")]
    pub(super) symbols: Vec<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) timeseries: Vec<TimeSeriesV2>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TimeSeriesV2 {
    #[prost(uint32, repeated, tag = "1")]
    pub(super) labels_refs: Vec<u32>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
    #[prost(message, optional, tag = "5")]
    pub(super) metadata: Option<Metadata>,
}

#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Metadata {
    #[prost(int32, tag = "1")]
    pub(super) kind: i32,
    #[prost(uint32, tag = "3")]
    pub(super) help_ref: u32,
}

/// A request as it arrived.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The status that it was answered with.
    pub(super) status: u16,
}

impl Received {
    fn message(&self) -> Vec<u8> {
        // Snappy's block format; the framed one does not decode.
        snap::raw::Decoder::new()
            .decompress_vec(&self.body)
            .expect("a snappy block")
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    pub(super) fn v1(&self) -> WriteRequest {
        WriteRequest::decode(&*self.message()).expect("a WriteRequest")
    }

    pub(super) fn v2(&self) -> RequestV2 {
        RequestV2::decode(&*self.message()).expect("a Request of 2.0")
    }
}

/// An answer of the script: status and headers.
#[derive(Clone)]
pub(super) struct Answer(pub(super) u16, pub(super) Vec<(&'static str, String)>);

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    script: Mutex<VecDeque<Answer>>,
    then: Mutex<Vec<(&'static str, String)>>,
    down: AtomicBool,
}

/// The receiver.
#[derive(Clone)]
pub(super) struct Receiver {
    inner: Arc<Inner>,
    pub(super) url: String,
}

impl Receiver {
    /// Answers with the script, and then 204 with these headers.
    pub(super) async fn start(script: Vec<Answer>, then: Vec<(&'static str, String)>) -> Self {
        let inner = Arc::new(Inner::default());
        *inner.script.lock() = script.into();
        *inner.then.lock() = then;
        let router = Router::new()
            .route("/write", post(answer))
            .with_state(Arc::clone(&inner));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/write", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, url }
    }

    /// Answers 500 to everything, or no longer.
    pub(super) fn set_down(&self, down: bool) {
        self.inner.down.store(down, Ordering::SeqCst);
    }

    /// All requests so far.
    pub(super) fn received(&self) -> Vec<Received> {
        self.inner.received.lock().clone()
    }

    /// Those that were accepted.
    pub(super) fn accepted(&self) -> Vec<Received> {
        let received = self.received().into_iter();
        received.filter(|it| it.status < 300).collect()
    }
}

async fn answer(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let down = inner
        .down
        .load(Ordering::SeqCst)
        .then(|| Answer(500, vec![]));
    let scripted = down.or_else(|| inner.script.lock().pop_front());
    let answer = scripted.unwrap_or_else(|| Answer(204, inner.then.lock().clone()));
    let status = answer.0;
    inner.received.lock().push(Received {
        headers,
        body,
        status,
    });
    let mut response = StatusCode::from_u16(status).unwrap().into_response();
    for (name, value) in answer.1 {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
