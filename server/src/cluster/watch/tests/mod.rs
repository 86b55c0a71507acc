//! Tests of lists and watches against a scripted API server, in simulated time.

mod lists;
mod log;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use kube::runtime::watcher::Event;
use kubevitals_proto::objects::{Item, WirePod};
use kubevitals_proto::wire::{envelope, protobuf as wire};
use kubevitals_sim::objects::encode_protobuf;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::failure::Kind;
use super::health::WatchHealth;
use super::reflector::{FailedAttempt, Reflector};
use super::report::{Need, Outages, Reporter};
use super::request::Collection;

/// A response of the API server.
#[derive(Clone)]
struct TestResponse {
    code: u16,
    content_type: &'static str,
    chunks: Vec<Bytes>,
    end: End,
}

/// What follows the chunks of a response.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Good,
    Broken,
    Never,
}

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
const FRAMES: &str = "application/vnd.kubernetes.protobuf;stream=watch";

impl TestResponse {
    fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self {
            code: 200,
            content_type,
            chunks: vec![body.into()],
            end: End::Good,
        }
    }

    fn refusal(code: u16) -> Self {
        let status = json!({"kind": "Status", "message": "no, says the test", "code": code});
        Self {
            code,
            ..Self::new(JSON, status.to_string())
        }
    }

    fn with_end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// Only the first bytes.
    fn cut(self, bytes: usize) -> Self {
        let mut cut = self.in_chunks_of(1);
        cut.chunks.truncate(bytes);
        cut
    }

    fn in_chunks_of(mut self, size: usize) -> Self {
        let whole: Vec<u8> = self.chunks.concat();
        self.chunks = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        self
    }

    fn response(self) -> Response<impl hyper::body::Body<Data = Bytes, Error = io::Error> + Send> {
        let chunks = self.chunks.into_iter().map(|chunk| Ok(Frame::data(chunk)));
        let chunks = stream::iter(chunks);
        let body = match self.end {
            End::Good => chunks.boxed(),
            End::Broken => chunks
                .chain(stream::iter([Err(io::ErrorKind::ConnectionReset.into())]))
                .boxed(),
            End::Never => chunks.chain(stream::pending()).boxed(),
        };
        Response::builder()
            .status(self.code)
            .header("content-type", self.content_type)
            .body(StreamBody::new(body))
            .unwrap()
    }
}

fn pod(name: &str, version: u64) -> Value {
    let metadata = json!({"namespace": "a", "name": name, "resourceVersion": version.to_string()});
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "status": {"phase": "Running"}})
}

/// A page in protobuf.
fn page(names: &[&str], version: &str, next: &str) -> TestResponse {
    let mut raw = Vec::new();
    let meta = encode_protobuf(
        "ListMeta",
        &json!({"resourceVersion": version, "continue": next}),
    );
    wire::head(&mut raw, 1, meta.len());
    raw.extend_from_slice(&meta);
    for name in names {
        let item = encode_protobuf("Pod", &pod(name, 5));
        wire::head(&mut raw, 2, item.len());
        raw.extend_from_slice(&item);
    }
    TestResponse::new(PROTOBUF, envelope::wrap("v1", "PodList", &raw))
}

fn json_page(names: &[&str], version: &str, next: &str) -> TestResponse {
    let items: Vec<Value> = names.iter().map(|name| pod(name, 5)).collect();
    let list = json!({"kind": "PodList", "metadata": {"resourceVersion": version, "continue": next}, "items": items});
    TestResponse::new(JSON, list.to_string())
}

/// An event of a watch in protobuf.
fn frame(kind: &str, object: &Value) -> Vec<u8> {
    let name = object["kind"].as_str().unwrap();
    let object = envelope::wrap("v1", name, &encode_protobuf(name, object));
    let mut event = Vec::new();
    wire::string(&mut event, 1, kind);
    wire::message(&mut event, 2, |out| {
        wire::head(out, 1, object.len());
        out.extend_from_slice(&object);
    });
    let mut frame = u32::try_from(event.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(&event);
    frame
}

fn frames(events: &[(&str, Value)]) -> TestResponse {
    let frames: Vec<u8> = events
        .iter()
        .flat_map(|(kind, it)| frame(kind, it))
        .collect();
    TestResponse::new(FRAMES, frames).with_end(End::Never)
}

fn lines(events: &[(&str, Value)]) -> TestResponse {
    let line =
        |(kind, object): &(&str, Value)| json!({"type": kind, "object": object}).to_string() + "\n";
    TestResponse::new(JSON, events.iter().map(line).collect::<String>()).with_end(End::Never)
}

/// The bookmark at the end of the existing objects.
fn end_of_list(version: u64) -> (&'static str, Value) {
    let metadata = json!({"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
    (
        "BOOKMARK",
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata}),
    )
}

/// A watch that starts with the existing objects.
fn watch_list(names: &[&str], version: u64) -> Vec<(&'static str, Value)> {
    let pods = names.iter().map(|name| ("ADDED", pod(name, 3)));
    pods.chain([end_of_list(version)]).collect()
}

/// The responses of a test.
type Script = fn(&LoggedRequest) -> TestResponse;

/// A request, and when it was sent.
#[derive(Debug, Clone)]
struct LoggedRequest {
    after: Duration,
    uri: String,
    accept: String,
}

impl LoggedRequest {
    fn is_watch_list(&self) -> bool {
        self.uri.contains("sendInitialEvents=true")
    }

    fn is_watch(&self) -> bool {
        self.uri.contains("watch=true")
    }

    fn is_json_only(&self) -> bool {
        !self.accept.contains("protobuf")
    }

    fn follows(&self, token: &str) -> bool {
        self.uri.contains(&format!("continue={token}"))
    }
}

struct Server {
    client: Client,
    requests: Arc<Mutex<Vec<LoggedRequest>>>,
}

impl Server {
    fn new(answer: impl FnMut(&LoggedRequest) -> TestResponse + Send + 'static) -> Self {
        let (began, answer) = (Instant::now(), Arc::new(Mutex::new(answer)));
        let requests: Arc<Mutex<Vec<LoggedRequest>>> = Arc::default();
        let log = Arc::clone(&requests);
        let service = tower::service_fn(move |request: Request<Body>| {
            let logged = LoggedRequest {
                after: began.elapsed(),
                uri: request.uri().to_string(),
                accept: request.headers()["accept"].to_str().unwrap().to_owned(),
            };
            log.lock().push(logged.clone());
            let answer = (*answer.lock())(&logged);
            async move { Ok::<_, Infallible>(answer.response()) }
        });
        Self {
            client: Client::new(service, "default"),
            requests,
        }
    }

    fn reflector(&self, watch_list: bool) -> Reflector<WirePod> {
        Reflector::new(
            &self.client,
            Collection::all::<WirePod>(),
            watch_list,
            || 0.5,
        )
    }

    fn requests(&self) -> Vec<LoggedRequest> {
        self.requests.lock().clone()
    }
}

/// Follows a stream until it has had `events` events. Returns the objects and the failures.
async fn follow_to(
    server: &Server,
    watch_list: bool,
    events: usize,
) -> (BTreeSet<String>, Vec<FailedAttempt>) {
    let mut stream = std::pin::pin!(server.reflector(watch_list).stream());
    let (mut objects, mut listing, mut failures) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let mut seen = 0;
    while seen < events {
        let name = |pod: WirePod| pod.metadata().name.clone();
        match stream.next().await.unwrap() {
            Ok(Event::Init) => listing.clear(),
            Ok(Event::InitApply(pod)) => {
                listing.insert(name(pod));
            }
            Ok(Event::InitDone) => {
                objects = std::mem::take(&mut listing);
                seen += 1;
            }
            Ok(Event::Apply(pod)) => {
                objects.insert(name(pod));
                seen += 1;
            }
            Ok(Event::Delete(pod)) => {
                objects.remove(&name(pod));
                seen += 1;
            }
            Err(failed) => failures.push(failed),
        }
    }
    (objects, failures)
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// After the list, a watch that adds `c` and deletes `a`.
fn changes() -> Vec<(&'static str, Value)> {
    vec![("ADDED", pod("c", 8)), ("DELETED", pod("a", 9))]
}
