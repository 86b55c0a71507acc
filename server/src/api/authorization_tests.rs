//! Tests that authorization and the router read a path in the same way, so that no request is authorized as one thing
//! and served as another.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{gate, health, prometheus, routes, vitals};
use crate::auth::{Attributes, Target};
use crate::clock::{Clock, SystemClock};
use crate::export::PageSource;
use crate::state;
use crate::telemetry::metrics::Registry;
use crate::work::{self, Pool};

/// The target of a route, in the order of the path: group, version, namespace, resource, name, subresource. None for a
/// path that is no resource.
type Served = Option<[String; 6]>;

/// Reads what the matched route serves, from its template and the values in the path. `Err`: the route serves
/// nothing.
fn served(template: &str, params: &RawPathParams) -> Result<Served, ()> {
    let value = |segment: &str| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        None => segment.to_owned(),
        Some(name) => {
            let found = params.iter().find(|(key, _)| *key == name);
            found.expect("the template's own").1.to_owned()
        }
    };
    let template = template.strip_suffix('/').unwrap_or(template);
    if template.contains("{*rest}") {
        return Err(());
    }
    let parts: Vec<&str> = template.split('/').skip(1).collect();
    let (group, version, namespace, rest) = match parts.as_slice() {
        ["apis", group, version, "namespaces", namespace, rest @ ..] => {
            (group, version, value(namespace), rest)
        }
        ["apis", group, version, rest @ ..] if !rest.is_empty() => {
            (group, version, String::new(), rest)
        }
        _ => return Ok(None),
    };
    let part = |at: usize| rest.get(at).map(|part| value(part)).unwrap_or_default();
    let own = |text: &&str| (*text).to_owned();
    Ok(Some([
        own(group),
        own(version),
        namespace,
        part(0),
        part(1),
        part(2),
    ]))
}

/// Replaces the handlers and compares. 200: the route serves what was authorized. 409: it serves something else. 404:
/// no route matches.
async fn compare(matched: Option<MatchedPath>, request: Request, _next: Next) -> Response {
    let (mut parts, _) = request.into_parts();
    // Every handler refuses values that are not UTF-8.
    let params = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .ok();
    let (Some(matched), Some(params)) = (matched, params) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(served) = served(matched.as_str(), &params) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let attributes = parts.extensions.get::<Arc<Attributes>>();
    let authorized = match &attributes.expect("the outermost layer").target {
        Target::Path => None,
        Target::Resource(it) => {
            let object = [&it.namespace, &it.resource, &it.name, &it.subresource];
            let [namespace, resource, name, subresource] = object.map(String::clone);
            let (group, version) = (it.group.clone(), it.version.clone());
            Some([group, version, namespace, resource, name, subresource])
        }
    };
    // The handler of a list in a namespace without a name answers 404.
    let nameless = matched.as_str().contains("{namespace}")
        && served
            .as_ref()
            .is_some_and(|[_, _, namespace, ..]| namespace.is_empty());
    if nameless {
        return StatusCode::NOT_FOUND.into_response();
    }
    // A field selector may add a name to a list; these requests have none.
    let differs = authorized != served;
    let text = format!(
        "{}: authorized {authorized:?}, served {served:?}",
        matched.as_str()
    );
    let status = if differs {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    (status, text).into_response()
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
});

static ROUTER: LazyLock<Router> = LazyLock::new(|| {
    // The tests need no API server, because they leave out authentication and authorization.
    let _entered = RUNTIME.enter();
    let health = health::tests::health(None);
    let query = Arc::clone(&health.query);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let persister = state::StatePersister::new(
        None,
        Arc::new(state::StateParts {
            store: Arc::default(),
            cluster: Arc::default(),
            health: crate::health::Health::unfed(),
            availability: None,
            clock,
            resolution: Duration::from_secs(15),
            max_age: Duration::ZERO,
        }),
    );
    let watchers = Arc::new(vitals::Watchers::new(
        CancellationToken::new(),
        Arc::default(),
    ));
    let pool = Arc::new(Pool::start(work::Settings::default()).unwrap());
    let nowhere = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
    let parts = persister.parts();
    let pages = PageSource::new(
        &parts.cluster,
        &parts.store,
        &parts.health,
        None,
        &parts.clock,
        kube::Client::try_from(nowhere).unwrap(),
    );
    let prometheus = prometheus::routes(Registry::default(), pages, &pool);
    let state = super::state::routes(&persister, None);
    let others = prometheus.merge(state);
    let routes =
        routes(query, &watchers, &health, &pool, others, 443).layer(middleware::from_fn(compare));
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(gate::read))
});

fn get_path(path: &str) -> (StatusCode, String) {
    RUNTIME.block_on(async {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = ROUTER.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let text = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        (status, String::from_utf8(text.to_vec()).unwrap())
    })
}

/// Segments of paths, and the empty one.
fn segments() -> Vec<&'static str> {
    const WORDS: &str = ". .. %2e%2e %00 %2F %2f %25 %ff %zz % a a%2Fb ns apis api v1 v1beta1 metrics.k8s.io nodes pods \
        namespaces status finalize why watch proxy livez ping metrics debug openapi v3 v1alpha1 kubevitals.io podvitals \
        nodevitals incidents history -";
    WORDS.split_whitespace().chain([""]).collect()
}

const PATHS: [&str; 24] = [
    "/apis/metrics.k8s.io/v1/nodes",
    "/apis/metrics.k8s.io/v1/nodes/a",
    "/apis/metrics.k8s.io/v1/nodes/a/why",
    "/apis/metrics.k8s.io/v1beta1/pods",
    "/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods",
    "/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods/a",
    "/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods/a/why",
    "/apis/metrics.k8s.io/v1",
    "/apis/kubevitals.io/v1alpha1/podvitals",
    "/apis/kubevitals.io/v1alpha1/namespaces/ns/podvitals/a",
    "/apis/kubevitals.io/v1alpha1/namespaces/ns/podvitals/a/history",
    "/apis/kubevitals.io/v1alpha1/namespaces/ns/incidents",
    "/apis/kubevitals.io/v1alpha1/availabilities",
    "/apis/kubevitals.io/v1alpha1/namespaces/ns/availabilities/deployment.a",
    "/apis/kubevitals.io/v1alpha1/volumevitals",
    "/apis/kubevitals.io/v1alpha1/namespaces/ns/volumevitals/a",
    "/apis/kubevitals.io/v1alpha1/nodevitals/a",
    "/apis/kubevitals.io/v1alpha1/nodevitals/a/history",
    "/apis/kubevitals.io/v1alpha1/clustervitals/cluster/history",
    "/apis/kubevitals.io/v1alpha1",
    "/apis",
    "/livez/ping",
    "/openapi/v3/apis/metrics.k8s.io/v1",
    "/metrics",
];

/// One change to a path, as an attacker might make it.
#[derive(Debug, Clone)]
enum Change {
    Insert(usize, &'static str),
    Replace(usize, &'static str),
    Remove(usize),
    Encode(usize, bool),
}

impl Change {
    fn apply(&self, path: &str) -> String {
        let mut segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        let count = segments.len();
        match *self {
            Self::Insert(at, segment) => segments.insert(at % (count + 1), segment.to_owned()),
            Self::Replace(at, segment) if count > 0 => segments[at % count] = segment.to_owned(),
            Self::Remove(at) if count > 1 => {
                segments.remove(at % count);
            }
            // Any byte, a slash included.
            Self::Encode(at, upper) => {
                let at = at % path.len();
                let byte = path.as_bytes()[at];
                let code = if upper {
                    format!("%{byte:02X}")
                } else {
                    format!("%{byte:02x}")
                };
                let encoded = format!("{}{code}{}", &path[..at], &path[at + 1..]);
                return if encoded.starts_with('/') {
                    encoded
                } else {
                    format!("/{encoded}")
                };
            }
            _ => {}
        }
        format!("/{}", segments.join("/"))
    }
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..64_usize;
    prop_oneof![
        (at.clone(), select(segments())).prop_map(|(at, segment)| Change::Insert(at, segment)),
        (at.clone(), select(segments())).prop_map(|(at, segment)| Change::Replace(at, segment)),
        at.clone().prop_map(Change::Remove),
        (at, any::<bool>()).prop_map(|(at, upper)| Change::Encode(at, upper)),
    ]
}

#[test]
fn paths_are_served_according_to_authorization() {
    for path in PATHS {
        for path in [
            path.to_owned(),
            path.replacen('o', "%6f", 1),
            path.replace('a', "%61"),
        ] {
            let (status, text) = get_path(&path);
            assert_eq!(status, StatusCode::OK, "{path}: {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn changed_paths_are_served_as_authorized(
        path in select(&PATHS[..]),
        changes in prop::collection::vec(change(), 0..4),
        slash in any::<bool>(),
    ) {
        let mut path = changes.iter().fold(path.to_owned(), |path, change| change.apply(&path));
        if slash {
            path.push('/');
        }
        let (status, text) = get_path(&path);
        prop_assert_ne!(status, StatusCode::CONFLICT, "{}: {}", path, text);
    }

    #[test]
    fn random_paths_are_served_as_authorized(segments in prop::collection::vec(select(segments()), 0..9)) {
        let path = format!("/{}", segments.join("/"));
        let (status, text) = get_path(&path);
        prop_assert_ne!(status, StatusCode::CONFLICT, "{}: {}", path, text);
    }
}
