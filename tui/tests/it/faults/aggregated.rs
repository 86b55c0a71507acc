//! metrics.k8s.io and kubevitals.io, served in this process: every node and pod of the cluster has the same usage, with
//! a sample at any time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{iter, unfold};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kubevitals_sim::apiserver::{Body, LocalServer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};

use super::cluster::{NODES, Now, PODS};

/// The time between two events of an object in a watch.
const EVERY: Duration = Duration::from_secs(15);

/// Serves requests. While `down` returns true, every response is 503, also to discovery.
pub(super) fn server(now: Now, down: impl Fn() -> bool + Send + Sync + 'static) -> LocalServer {
    let responder = Arc::new(Responder { now });
    Arc::new(move |request| {
        if down() {
            return json_of(StatusCode::SERVICE_UNAVAILABLE, &json!({}));
        }
        responder.respond(request)
    })
}

struct Responder {
    now: Now,
}

impl Responder {
    fn respond(self: &Arc<Self>, request: &Request<()>) -> Response<Body> {
        let path = request.uri().path().trim_matches('/');
        let query = request.uri().query().unwrap_or_default();
        let segments: Vec<&str> = path.split('/').collect();
        let (group, rest) = match segments.as_slice() {
            ["apis"] => return discovery(),
            ["apis", group, _, rest @ ..] => (*group, rest),
            _ => return not_found(),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let watch = query
            .split('&')
            .any(|pair| matches!(pair, "watch=true" | "watch=1"));
        let (resource, named) = match rest {
            [resource] => (*resource, None),
            [resource, name] => (*resource, Some(*name)),
            ["clustervitals", _, "history"] | [_, _, "history"] => {
                return json_of(StatusCode::OK, &json!({}));
            }
            _ => return not_found(),
        };
        if (group, resource) == ("kubevitals.io", "clustervitals") {
            return json_of(StatusCode::OK, &self.cluster());
        }
        let Some((kind, objects)) = self.objects(group, resource, namespace) else {
            return not_found();
        };
        if watch {
            let (responder, group) = (Arc::clone(self), group.to_owned());
            let (resource, namespace) = (resource.to_owned(), namespace.to_owned());
            return watched(query, kind, move || {
                let objects = responder.objects(&group, &resource, &namespace);
                objects.map(|(_, objects)| objects).unwrap_or_default()
            });
        }
        match named {
            None => {
                let list = json!({"kind": format!("{kind}List"), "apiVersion": version(group),
                    "metadata": {"resourceVersion": "1"}, "items": objects});
                json_of(StatusCode::OK, &list)
            }
            Some(name) => match objects
                .into_iter()
                .find(|object| object["metadata"]["name"] == name)
            {
                Some(object) => json_of(StatusCode::OK, &object),
                None => not_found(),
            },
        }
    }

    /// The kind of a resource, and its objects in a namespace or in all.
    fn objects(
        &self,
        group: &str,
        resource: &str,
        namespace: &str,
    ) -> Option<(&'static str, Vec<Value>)> {
        let time = (self.now)().to_rfc3339_seconds();
        let pods = PODS
            .into_iter()
            .filter(|(of, _)| namespace.is_empty() || namespace == *of);
        Some(match (group, resource) {
            ("metrics.k8s.io", "nodes") => {
                let node = |name: &str| {
                    json!({"metadata": {"name": name}, "timestamp": time, "window": "15s",
                        "usage": {"cpu": "250m", "memory": "1Gi"}})
                };
                ("NodeMetrics", NODES.into_iter().map(node).collect())
            }
            ("metrics.k8s.io", "pods") => {
                let pod = |(namespace, name): (&str, &str)| {
                    json!({"metadata": {"namespace": namespace, "name": name}, "timestamp": time,
                        "window": "15s", "containers": [
                            {"name": "main", "usage": {"cpu": "100m", "memory": "64Mi"}}]})
                };
                ("PodMetrics", pods.map(pod).collect())
            }
            ("kubevitals.io", "nodevitals") => {
                let node = |name: &str| {
                    json!({"kind": "NodeVitals", "apiVersion": version(group),
                        "metadata": {"name": name, "resourceVersion": "1"},
                        "status": "Ready", "ready": true, "pods": {"count": 2, "capacity": 110},
                        "usage": {"cpu": "250m", "memory": "1Gi", "timestamp": time, "window": "15s"},
                        "capacity": {"cpu": "4", "memory": "16Gi"},
                        "allocatable": {"cpu": "4", "memory": "16Gi"}})
                };
                ("NodeVitals", NODES.into_iter().map(node).collect())
            }
            ("kubevitals.io", "podvitals") => {
                let pod = |(namespace, name): (&str, &str)| {
                    let usage = json!({"cpu": "100m", "memory": "64Mi", "timestamp": time, "window": "15s"});
                    json!({"kind": "PodVitals", "apiVersion": version(group),
                        "metadata": {"namespace": namespace, "name": name, "resourceVersion": "1"},
                        "phase": "Running", "status": "Running", "ready": true,
                        "readyContainers": 1, "totalContainers": 1, "nodeName": NODES[0],
                        "usage": usage,
                        "containers": [{"name": "main", "ready": true, "started": true,
                            "state": {"state": "Running"}, "usage": usage}]})
                };
                ("PodVitals", pods.map(pod).collect())
            }
            ("kubevitals.io", "incidents") => ("Incident", Vec::new()),
            _ => return None,
        })
    }

    fn cluster(&self) -> Value {
        let time = (self.now)().to_rfc3339_seconds();
        json!({"kind": "ClusterVitals", "apiVersion": version("kubevitals.io"),
            "metadata": {"name": "cluster"},
            "nodes": {"total": NODES.len(), "ready": NODES.len(), "reporting": NODES.len()},
            "pods": {"total": PODS.len(), "ready": PODS.len(), "byPhase": {"Running": PODS.len()}},
            "usage": {"cpu": "750m", "memory": "3Gi", "timestamp": time, "window": "15s"},
            "capacity": {"cpu": "12", "memory": "48Gi"},
            "allocatable": {"cpu": "12", "memory": "48Gi"}})
    }
}

fn version(group: &str) -> &'static str {
    match group {
        "kubevitals.io" => "kubevitals.io/v1alpha1",
        _ => "metrics.k8s.io/v1beta1",
    }
}

/// All objects, as at the start of a streamed list if the request has one; then the same again for ever, or until the
/// requested timeout.
fn watched(
    query: &str,
    kind: &'static str,
    objects: impl Fn() -> Vec<Value> + Send + 'static,
) -> Response<Body> {
    let parameter = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let seconds = parameter("timeoutSeconds").and_then(|seconds| seconds.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1_800));
    let mut first = String::new();
    if parameter("sendInitialEvents") == Some("true") {
        for object in objects() {
            first.push_str(&event("ADDED", &object));
        }
        let bookmark = json!({"kind": kind, "apiVersion": version("kubevitals.io"), "metadata": {
            "resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}});
        first.push_str(&event("BOOKMARK", &bookmark));
    }
    let later = unfold(objects, move |objects| async move {
        timeout_at(end, sleep(EVERY)).await.ok()?;
        let changed = objects();
        let events: String = changed
            .iter()
            .map(|object| event("MODIFIED", object))
            .collect();
        Some((events, objects))
    });
    let frames = iter([first])
        .chain(later)
        .filter(|events| std::future::ready(!events.is_empty()))
        .map(|events| Ok(Frame::data(Bytes::from(events))));
    let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}

fn event(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn discovery() -> Response<Body> {
    let group = |name: &str, version: &str| {
        json!({"metadata": {"name": name}, "versions": [
            {"version": version, "resources": [], "freshness": "Current"}]})
    };
    let groups = [
        group("metrics.k8s.io", "v1beta1"),
        group("kubevitals.io", "v1alpha1"),
    ];
    let list = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {}, "items": groups});
    let mut response = json_of(StatusCode::OK, &list);
    let form = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let form = http::HeaderValue::from_static(form);
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, form);
    response
}

fn not_found() -> Response<Body> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "not found", "reason": "NotFound", "code": 404});
    json_of(StatusCode::NOT_FOUND, &status)
}

fn json_of(code: StatusCode, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string()));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = code;
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}
