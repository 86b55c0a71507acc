//! A cluster in this process, without sockets, in a time that passes at once when nothing is left to be done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use kube::client::{Body, ClientBuilder};
use kubevitals::source::ApiClient;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::apiserver::{Affected, ApiServer, ApiServerConfig, RequestFault};
use kubevitals_sim::identity::{Identities, Rule, Subject, UserInfo};
use kubevitals_sim::objects::{Resource, Store};
use kubevitals_sim::pki::Pki;
use serde_json::json;
use tokio::io::duplex;
use tokio::time::Instant;
use tower::{BoxError, service_fn};

use super::aggregated;

/// The nodes.
pub(super) const NODES: [&str; 3] = ["node-a", "node-b", "node-c"];

/// The namespaces and names of the pods.
pub(super) const PODS: [(&str, &str); 4] = [
    ("kube-system", "dns-0"),
    ("payments", "ledger-0"),
    (NAMESPACE, "web-0"),
    (NAMESPACE, "web-1"),
];

/// The namespace of the kubeconfig.
pub(super) const NAMESPACE: &str = "shop";

/// The user of the dashboard.
pub(super) const USER: &str = "jane";

const TOKEN: &str = "token-of-jane";

/// When everything begins.
const BEGAN: Timestamp = Timestamp::from_secs(1_800_000_000);

/// How much is on its way at most between the dashboard and the API server.
const IN_FLIGHT: usize = 256 * 1024;

/// After this many requests, no more are served.
const MOST_REQUESTS: usize = 10_000;

/// Says what time it is.
pub(super) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A cluster, and what may be done there.
pub(super) struct Cluster {
    pub(super) api: Arc<ApiServer>,
    pub(super) now: Now,
    identities: Arc<Identities>,
    /// Whether the server of the aggregated groups is down, which discovery says too.
    down: Arc<AtomicBool>,
    began: Instant,
    requests: Arc<Mutex<Vec<(Duration, String)>>>,
}

impl Cluster {
    /// One that serves metrics.k8s.io and kubevitals.io, where the user may see everything.
    pub(super) async fn start(pki: &Arc<Pki>) -> Self {
        Self::filled(pki, |_| {}).await
    }

    /// The same, with more objects.
    pub(super) async fn filled(pki: &Arc<Pki>, fill: impl FnOnce(&Store)) -> Self {
        let cluster = Self::new(pki, fill).await;
        cluster.grant(Rule::resources(&["*"], "*", &["*"]));
        cluster
    }

    /// The same, where the user may see nothing.
    pub(super) async fn closed(pki: &Arc<Pki>) -> Self {
        Self::new(pki, |_| {}).await
    }

    async fn new(pki: &Arc<Pki>, fill: impl FnOnce(&Store)) -> Self {
        let began = Instant::now();
        let now: Now = Arc::new(move || {
            let passed = i64::try_from(began.elapsed().as_nanos()).unwrap();
            BEGAN.plus_nanos(passed)
        });
        let store = Store::new(Arc::clone(&now));
        populate(&store);
        fill(&store);
        let identities = Arc::new(Identities::with_defaults());
        identities.add_token(TOKEN, UserInfo::new(USER, []).authenticated());
        let api = ApiServer::start(
            ApiServerConfig::default(),
            store,
            Arc::clone(pki),
            Arc::clone(&identities),
        )
        .await
        .unwrap();
        let down = Arc::new(AtomicBool::new(false));
        let is_down = Arc::clone(&down);
        let server = aggregated::server(Arc::clone(&now), move || is_down.load(Ordering::Relaxed));
        api.set_local(Some(server));
        Self {
            api: Arc::new(api),
            now,
            identities,
            down,
            began,
            requests: Arc::default(),
        }
    }

    /// When a path was requested, from the beginning on.
    pub(super) fn requested(&self, path: &str) -> Vec<Duration> {
        let requests = self.requests.lock().unwrap();
        let such = requests.iter().filter(|(_, other)| other == path);
        such.map(|(at, _)| *at).collect()
    }

    /// How many requests have been sent.
    pub(super) fn requests(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// Lets the user do something.
    pub(super) fn grant(&self, rule: Rule) {
        self.identities.grant(Subject::User(USER.to_owned()), rule);
    }

    /// Lets the server of the aggregated groups be down, or up again: discovery says so, and watches end.
    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
        for group in ["metrics.k8s.io", "kubevitals.io"] {
            let fault = down.then_some(RequestFault::Refused(503));
            self.api.set_fault(Affected::group(group), fault);
        }
    }

    /// A client for a dashboard: each request has a connection of its own.
    pub(super) fn client(&self) -> ApiClient {
        let api = Arc::clone(&self.api);
        let (began, requests) = (self.began, Arc::clone(&self.requests));
        let service = service_fn(move |request: http::Request<Body>| {
            let api = Arc::clone(&api);
            let path = request.uri().path().to_owned();
            let count = {
                let mut requests = requests.lock().unwrap();
                requests.push((began.elapsed(), path));
                requests.len()
            };
            async move {
                if count > MOST_REQUESTS {
                    // A client that sends requests without a pause would prevent the time from passing.
                    return std::future::pending().await;
                }
                let (near, far) = duplex(IN_FLIGHT);
                tokio::spawn(api.serve(far));
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(TokioIo::new(near)).await?;
                tokio::spawn(connection);
                let (mut parts, body) = request.into_parts();
                let bearer = http::HeaderValue::try_from(format!("Bearer {TOKEN}"))?;
                parts.headers.insert(http::header::AUTHORIZATION, bearer);
                let request = http::Request::from_parts(parts, body);
                Ok::<_, BoxError>(sender.send_request(request).await?)
            }
        });
        ApiClient::over(
            ClientBuilder::new(service, NAMESPACE).build(),
            "cluster.test",
        )
    }
}

fn populate(store: &Store) {
    for namespace in ["kube-system", "payments", NAMESPACE] {
        let object = json!({"metadata": {"name": namespace}});
        store.apply(Resource::Namespaces, object);
    }
    for name in NODES {
        let capacity = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
        let ready = json!({"type": "Ready", "status": "True"});
        let object = json!({"metadata": {"name": name},
            "status": {"capacity": capacity, "allocatable": capacity, "conditions": [ready]}});
        store.apply(Resource::Nodes, object);
    }
    for (namespace, name) in PODS {
        let state = json!({"running": {"startedAt": "2027-01-15T07:00:00Z"}});
        let container = json!({"name": "main", "ready": true, "started": true, "restartCount": 0,
            "image": "example/main:1", "imageID": "", "state": state});
        let object = json!({"metadata": {"namespace": namespace, "name": name},
            "spec": {"nodeName": NODES[0], "containers": [{"name": "main", "image": "example/main:1"}]},
            "status": {"phase": "Running", "containerStatuses": [container],
                "conditions": [{"type": "Ready", "status": "True"}]}});
        store.apply(Resource::Pods, object);
        let object = json!({"metadata": {"namespace": namespace, "name": format!("{name}.1")},
            "involvedObject": {"kind": "Pod", "namespace": namespace, "name": name},
            "type": "Normal", "reason": "Pulled", "message": "the image is here", "count": 1,
            "lastTimestamp": "2027-01-15T07:00:00Z"});
        store.apply(Resource::Events, object);
    }
}
