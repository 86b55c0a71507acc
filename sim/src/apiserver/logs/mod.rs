//! Logs of containers (`pods/log`), as a kubelet serves them.

mod lines;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::status::Status;
use serde_json::Value;

use self::lines::{End, Incarnation, Line, mix};
use super::request::{Query, ResourcePath};
use super::status::{Body, Refusal, answer as respond, full, not_found};
use crate::members::Members;
use crate::objects::{Resource, Store};

/// How often a log that is followed is read, in real time.
const POLL: Duration = Duration::from_millis(200);

/// Answers a request for the log of a container.
pub(super) fn answer(
    store: &Arc<Store>,
    at: &ResourcePath,
    query: &Query,
) -> Result<Response<Body>, Refusal> {
    let name = at.name.as_deref().unwrap_or_default();
    let namespace = at.namespace.as_deref();
    let pod = store
        .get(Resource::Pods, namespace, name)
        .ok_or_else(|| not_found(Resource::Pods, name))?;
    let pod = pod.to_value(Resource::Pods);
    let container = container(&pod, name, query.get("container"))?;
    let previous = query.flag("previous");
    let incarnation = incarnation(&pod, &container, previous)?;
    let options = Options::of(query)?;
    let now = store.now();
    let mut lines = incarnation.lines(options.since, now);
    if let Some(tail) = options.tail {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let mut text: Vec<u8> = lines.iter().flat_map(|line| options.write(line)).collect();
    text.truncate(options.limit.unwrap_or(usize::MAX));
    if !query.flag("follow") {
        return Ok(respond(StatusCode::OK, "text/plain", full(text)));
    }
    let follower = Follower {
        store: Arc::clone(store),
        namespace: at.namespace.clone(),
        pod: name.to_owned(),
        container,
        incarnation,
        options,
        read: now,
        first: Some(text),
    };
    let chunks = futures::stream::unfold(follower, async |mut follower| {
        let chunk = follower.next().await?;
        Some((Ok(Frame::data(Bytes::from(chunk))), follower))
    });
    Ok(respond(
        StatusCode::OK,
        "text/plain",
        StreamBody::new(chunks).boxed_unsync(),
    ))
}

/// Answers with a log that repeats these bytes for ever.
pub(super) fn repeat(bytes: Bytes) -> Response<Body> {
    let chunks = futures::stream::repeat(bytes).map(|bytes| Ok(Frame::data(bytes)));
    let body = StreamBody::new(chunks).boxed_unsync();
    respond(StatusCode::OK, "text/plain", body)
}

/// The options of a request.
#[derive(Clone, Copy, Debug)]
struct Options {
    since: Option<Timestamp>,
    tail: Option<usize>,
    limit: Option<usize>,
    timestamps: bool,
}

impl Options {
    fn of(query: &Query) -> Result<Self, Refusal> {
        let wrong = |name: &str| Status::bad_request(format!("{name} is invalid"));
        let number = |name: &str| {
            query
                .get(name)
                .map(|text| text.parse().map_err(|_| wrong(name)))
                .transpose()
        };
        let since = query
            .get("sinceTime")
            .map(|text| text.parse::<Timestamp>().map_err(|_| wrong("sinceTime")));
        Ok(Self {
            // Lines of that second are included.
            since: since.transpose()?.map(|since| since.plus_nanos(-1)),
            tail: number("tailLines")?,
            limit: number("limitBytes")?,
            timestamps: query.flag("timestamps"),
        })
    }

    fn write(&self, line: &Line) -> Vec<u8> {
        let nanos = line.at.as_nanos().rem_euclid(1_000_000_000);
        let text = line.at.to_string();
        let time = text.trim_end_matches('Z');
        match self.timestamps {
            true => format!("{time}.{nanos:09}Z {}\n", line.text).into_bytes(),
            false => format!("{}\n", line.text).into_bytes(),
        }
    }
}

/// The container of a request: the one that it names, or the only one.
fn container(pod: &Value, name: &str, container: Option<&str>) -> Result<String, Refusal> {
    let of = |list: &str| {
        pod.list(list)
            .iter()
            .map(|it| it.text("/name").to_owned())
            .collect::<Vec<_>>()
    };
    let (main, init) = (of("/spec/containers"), of("/spec/initContainers"));
    match (container, main.as_slice()) {
        (Some(container), _) if main.iter().chain(&init).any(|it| it == container) => {
            Ok(container.to_owned())
        }
        (Some(container), _) => {
            let text = format!("container {container} is not valid for pod {name}");
            Err(Status::bad_request(text).into())
        }
        (None, [only]) => Ok(only.clone()),
        (None, _) => {
            let names = main.join(" ");
            let text = format!(
                "a container name must be specified for pod {name}, choose one of: [{names}]"
            );
            Err(Status::bad_request(text).into())
        }
    }
}

/// The status of a container of a pod.
fn status<'a>(pod: &'a Value, container: &str) -> Option<&'a Value> {
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses"];
    let mut all = lists.into_iter().flat_map(|list| pod.list(list));
    all.find(|status| status.text("/name") == container)
}

/// The incarnation whose log is requested.
fn incarnation(pod: &Value, container: &str, previous: bool) -> Result<Incarnation, Refusal> {
    let name = pod.text("/metadata/name");
    let status = status(pod, container).cloned().unwrap_or_default();
    let restarts = status.int("/restartCount");
    let terminated = |pointer: &str, number: i64| {
        let state = status.at(pointer)?;
        let finished = state.text("/finishedAt").parse().ok()?;
        Some(Incarnation {
            seed: seed(pod, container, number),
            container: container.to_owned(),
            started: state.text("/startedAt").parse().unwrap_or(finished),
            ended: Some((finished, end(state))),
        })
    };
    let waits = status.at("/state/waiting").is_some();
    if previous {
        let number = if waits { restarts } else { restarts - 1 };
        let last = terminated("/lastState/terminated", number);
        return last.ok_or_else(|| {
            let text =
                format!("previous terminated container {container:?} in pod {name:?} not found");
            Status::bad_request(text).into()
        });
    }
    if let Some(started) = status
        .str_at("/state/running/startedAt")
        .and_then(|text| text.parse().ok())
    {
        return Ok(Incarnation {
            seed: seed(pod, container, restarts),
            container: container.to_owned(),
            started,
            ended: None,
        });
    }
    // While a container waits for its next start, its log is that of the last one.
    let last = terminated("/state/terminated", restarts)
        .or_else(|| terminated("/lastState/terminated", restarts));
    last.ok_or_else(|| {
        let reason = status.text_or("/state/waiting/reason", "PodInitializing");
        let text = format!("container {container:?} in pod {name:?} is waiting to start: {reason}");
        Status::bad_request(text).into()
    })
}

fn seed(pod: &Value, container: &str, number: i64) -> u64 {
    let text = format!("{}/{container}/{number}", pod.text("/metadata/uid"));
    text.bytes()
        .fold(0, |seed, byte| mix(seed ^ u64::from(byte)))
}

fn end(state: &Value) -> End {
    match (state.int("/exitCode"), state.text("/reason")) {
        (0, _) => End::Completed,
        (_, "OOMKilled") => End::OutOfMemory,
        (137 | 143, _) => End::Killed,
        (code, _) => End::Crashed(code),
    }
}

/// A log that is followed.
struct Follower {
    store: Arc<Store>,
    namespace: Option<String>,
    pod: String,
    container: String,
    incarnation: Incarnation,
    options: Options,
    /// Up to when lines were sent.
    read: Timestamp,
    /// The first chunk, until it is sent.
    first: Option<Vec<u8>>,
}

impl Follower {
    /// The next lines; none once the container has ended.
    async fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if self
                .incarnation
                .ended
                .is_some_and(|(at, _)| at <= self.read)
            {
                return None;
            }
            tokio::time::sleep(POLL).await;
            let pod = self
                .store
                .get(Resource::Pods, self.namespace.as_deref(), &self.pod)?;
            let pod = pod.to_value(Resource::Pods);
            let now = self.store.now();
            match incarnation(&pod, &self.container, false) {
                Ok(current) if current.seed == self.incarnation.seed => self.incarnation = current,
                // Another incarnation has a log of its own.
                _ => return None,
            }
            let lines = self.incarnation.lines(Some(self.read), now);
            self.read = now;
            let text: Vec<u8> = lines
                .iter()
                .flat_map(|line| self.options.write(line))
                .collect();
            if !text.is_empty() {
                return Some(text);
            }
        }
    }
}
