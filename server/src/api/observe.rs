//! Gives every request an audit id, and counts it.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};
use prometheus_client::metrics::histogram::Histogram;

use super::guarded_body;
use crate::auth::{Attributes, Target};
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry};

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// The longest audit id, in bytes, that is accepted from a client.
const MAX_AUDIT_ID: usize = 64;

/// The upper bounds of request durations, in seconds.
const BOUNDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0,
];

/// The label values. Everything else is "other", so that a client cannot create series.
const VERBS: [&str; 8] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
];
const RESOURCES: [&str; 13] = [
    "nodes",
    "nodes/why",
    "pods",
    "pods/why",
    "availabilities",
    "volumevitals",
    "clustervitals",
    "clustervitals/history",
    "incidents",
    "nodevitals",
    "nodevitals/history",
    "podvitals",
    "podvitals/history",
];
const PATHS: [(&str, &str); 8] = [
    ("apis", "discovery"),
    ("openapi", "openapi"),
    ("metrics", "metrics"),
    ("debug", "debug"),
    ("version", "version"),
    ("livez", "health"),
    ("readyz", "health"),
    ("healthz", "health"),
];
const CODES: [&str; 14] = [
    "200", "304", "400", "401", "403", "404", "405", "406", "414", "429", "431", "500", "503",
    "504",
];
const OTHER: &str = "other";

/// The code of a request whose client disconnected before the response.
const ABORTED: &str = "aborted";

/// The verb and resource of a request, as label values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct RequestKey {
    verb: &'static str,
    resource: &'static str,
}

impl RequestKey {
    const OTHER: Self = Self {
        verb: OTHER,
        resource: OTHER,
    };

    fn of(attributes: &Attributes) -> Self {
        let resource = match &attributes.target {
            Target::Resource(target) => find(&RESOURCES, &target.with_subresource()),
            Target::Path => {
                let first = attributes.path.split('/').nth(1).unwrap_or_default();
                let named = PATHS.iter().find(|(path, _)| *path == first);
                named.map(|(_, name)| *name)
            }
        };
        Self {
            verb: find(&VERBS, &attributes.verb).unwrap_or(OTHER),
            resource: resource.unwrap_or(OTHER),
        }
    }
}

/// The label value of a name, if it is one of `names`.
fn find(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().find(|entry| **entry == name).copied()
}

/// Metrics of requests.
#[derive(Debug, Clone)]
pub(super) struct RequestMetrics {
    under_way: Gauge,
    answers: Labelled<Counter, 3>,
    durations: Labelled<Histogram, 2>,
}

impl RequestMetrics {
    /// Registers them.
    pub(super) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            under_way: Gauge::default(),
            answers: Labelled::new(["verb", "resource", "code"]),
            durations: Labelled::new(["verb", "resource"]),
        };
        registry.register(
            "kubevitals_api_requests",
            "Requests by verb, resource and HTTP status",
            metrics.answers.clone(),
        );
        registry.register(
            "kubevitals_api_request_duration_seconds",
            "Duration of requests until the last byte of the response, by verb and resource",
            metrics.durations.clone(),
        );
        registry.register(
            "kubevitals_api_requests_under_way",
            "Requests whose response is not complete",
            metrics.under_way.clone(),
        );
        metrics
    }
}

/// A request that is counted when this is dropped, however the request ends.
struct PendingRequest {
    metrics: RequestMetrics,
    key: RequestKey,
    began: Instant,
    code: &'static str,
}

impl Drop for PendingRequest {
    fn drop(&mut self) {
        self.metrics.under_way.dec();
        let RequestKey { verb, resource } = self.key;
        self.metrics.answers.inc([verb, resource, self.code]);
        // The duration of a watch says nothing about the speed of the server.
        if verb != "watch" {
            let histogram = || Histogram::new(BOUNDS);
            let durations = self
                .metrics
                .durations
                .get_or_insert([verb, resource], histogram);
            durations.observe(self.began.elapsed().as_secs_f64());
        }
    }
}

/// The layer.
pub(super) async fn observe(
    State(metrics): State<RequestMetrics>,
    request: Request,
    next: Next,
) -> Response {
    let audit_id = audit_id(request.headers());
    let attributes = request.extensions().get::<Arc<Attributes>>();
    metrics.under_way.inc();
    let mut pending = PendingRequest {
        key: attributes.map_or(RequestKey::OTHER, |attributes| RequestKey::of(attributes)),
        began: Instant::now(),
        code: ABORTED,
        metrics,
    };
    let mut response = next.run(request).await;
    pending.code = find(&CODES, response.status().as_str()).unwrap_or(OTHER);
    if let Some(audit_id) = audit_id {
        response.headers_mut().insert(AUDIT_ID, audit_id);
    }
    guarded_body::hold_until_body_end(response, pending)
}

/// The client's audit id if it is valid, else a new one. The kube-apiserver sends the id of its own audit log.
fn audit_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let from_client = headers.get(AUDIT_ID).filter(|id| {
        let id = id.as_bytes();
        (1..=MAX_AUDIT_ID).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
    });
    from_client.cloned().or_else(|| {
        let mut text = uuid::Uuid::encode_buffer();
        let id = uuid::Uuid::new_v4().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    fn key(method: Method, path: &str) -> (&'static str, &'static str) {
        let key = RequestKey::of(&Attributes::of(&method, &path.parse().unwrap()));
        (key.verb, key.resource)
    }

    #[test]
    fn requests_have_few_labels() {
        const BASE: &str = "/apis/metrics.k8s.io/v1beta1";
        for (method, path, expected) in [
            (Method::GET, format!("{BASE}/nodes"), ("list", "nodes")),
            (Method::GET, format!("{BASE}/nodes/n"), ("get", "nodes")),
            (
                Method::GET,
                format!("{BASE}/namespaces/a/pods/p/why"),
                ("get", "pods/why"),
            ),
            (
                Method::GET,
                format!("{BASE}/pods?watch=1"),
                ("watch", "pods"),
            ),
            (
                Method::GET,
                "/apis/kubevitals.io/v1alpha1/namespaces/a/podvitals/p/history".to_owned(),
                ("get", "podvitals/history"),
            ),
            (Method::GET, format!("{BASE}/secrets"), ("list", "other")),
            (
                Method::GET,
                format!("{BASE}/namespaces/a/pods/p/x"),
                ("get", "other"),
            ),
            (Method::GET, BASE.to_owned(), ("get", "discovery")),
            (Method::GET, "/metrics".to_owned(), ("get", "metrics")),
            (Method::GET, "/livez/ping".to_owned(), ("get", "health")),
            (Method::GET, "/anything".to_owned(), ("get", "other")),
            (
                Method::from_bytes(b"BREW").unwrap(),
                "/".to_owned(),
                ("other", "other"),
            ),
        ] {
            assert_eq!(key(method, &path), expected, "{path}");
        }
    }

    #[test]
    fn a_valid_audit_id_is_returned() {
        let of = |value: &'static [u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            audit_id(&HeaderMap::from_iter([(AUDIT_ID, value)])).unwrap()
        };
        assert_eq!(of(b"abc-1"), "abc-1");
        let made = audit_id(&HeaderMap::new()).unwrap();
        assert_eq!(made.len(), 36);
        assert_ne!(made, audit_id(&HeaderMap::new()).unwrap());
        for no_id in [&b""[..], b"a b", b"\xff", &[b'x'; 65]] {
            assert_eq!(of(no_id).len(), 36);
        }
    }
}
