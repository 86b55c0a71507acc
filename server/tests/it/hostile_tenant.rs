//! A user who may read one namespace does all possible harm, and other users must not notice.
//!
//! The tests count and do not measure time. Each part is a test of its own, because each is limited by another rule.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http2;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kubevitals_proto::time::Timestamp;
use kubevitals_server::config::Settings;
use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use rustls::ClientConfig;
use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Harness, RESOLUTION, client, counted, wait_until};
use crate::limits::{certified, connect};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const NODES: u64 = 3;
const NOW: i64 = 1_795_241_000;

/// A namespace with its own pods.
const NAMESPACE: &str = "shop";

/// Two users of a namespace: one does harm, and the other works.
struct Tenants {
    harness: Harness,
    eve: String,
    jane: String,
    client: reqwest::Client,
}

impl Tenants {
    async fn start(pods_per_node: u32, change: impl FnOnce(&mut Settings)) -> Self {
        let config = Config {
            nodes: 3,
            pods_per_node,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(NOW))),
            ..Config::default()
        };
        let harness = Harness::start_with(config, change).await;
        harness.first_step(NODES).await;
        harness.server.ready().await;
        let identities = harness.cluster.identities();
        let token = |name: &str| {
            let rule = Rule::resources(
                &["get", "list", "watch"],
                "kubevitals.io",
                &["podvitals", "podvitals/history", "incidents"],
            );
            let subject = Subject::User(name.to_owned());
            identities.grant(subject, rule.in_namespace(NAMESPACE));
            identities.mint_token(UserInfo::new(name, ["system:authenticated"]))
        };
        let tenants = Self {
            eve: token("eve"),
            jane: token("jane"),
            client: client(None),
            harness,
        };
        let list = format!("{BASE}/namespaces/{NAMESPACE}/podvitals?limit=1");
        wait_until("lists are answered", async || {
            tenants.status(&tenants.jane, &list).await == 200
        })
        .await;
        tenants
    }

    async fn ask(&self, token: &str, path: &str) -> reqwest::Response {
        let request = self.client.get(self.harness.url(path)).bearer_auth(token);
        request.send().await.expect("the server answers")
    }

    /// The status. A response that ends is read completely.
    async fn status(&self, token: &str, path: &str) -> u16 {
        let response = self.ask(token, path).await;
        let status = response.status().as_u16();
        if !path.contains("watch=1") {
            let _whole = response.bytes().await.expect("a whole body");
        }
        status
    }

    /// Checks that the other user, the health checks and administrators are answered as before.
    async fn others_are_well(&self) {
        for path in ["podvitals", "incidents", "podvitals/-/history"] {
            let path = format!("{BASE}/namespaces/{NAMESPACE}/{path}");
            assert_eq!(self.status(&self.jane, &path).await, 200, "{path}");
        }
        let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals?watch=1");
        assert_eq!(self.status(&self.jane, &path).await, 200, "{path}");
        for path in ["/livez", "/readyz", "/apis/metrics.k8s.io/v1/pods"] {
            assert_eq!(self.harness.get(path).await.0, 200, "{path}");
        }
    }

    async fn counted(&self, sample: &str) -> u64 {
        counted(&self.harness.cluster, &self.harness.server, sample).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_watches_take_only_the_slots_of_their_user() {
    let tenants = Tenants::start(12, |_| {}).await;
    let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals?watch=1&timeoutSeconds=31536000");
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..2_048 {
        let response = tenants.ask(&tenants.eve, &path).await;
        if response.status() == 200 {
            open.push(response);
            continue;
        }
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["retry-after"], "1");
        let status = response.bytes().await.unwrap();
        let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
        assert_eq!(status["reason"], "TooManyRequests", "{status}");
        refused += 1;
    }
    assert_eq!((open.len(), refused), (64, 1_984));
    tenants.others_are_well().await;
    let turned_away = |limit: &str| {
        let sample = format!("kubevitals_api_watches_turned_away_total{{limit=\"{limit}\"}}");
        let tenants = &tenants;
        async move { tenants.counted(&sample).await }
    };
    assert_eq!(turned_away("user").await, 1_984);
    assert_eq!(turned_away("all").await, 0);
    // Watches that have ended free their slots.
    open.truncate(60);
    wait_until("the places are free again", async || {
        tenants.status(&tenants.eve, &path).await == 200
    })
    .await;
}

/// An HTTP/2 client that reads a kilobyte of a response and no more.
async fn stalled(
    tenants: &Tenants,
    trust: &ClientConfig,
    path: &str,
) -> (Response<Incoming>, JoinSet<()>) {
    let stream = connect(tenants.harness.server.local_addr(), trust, "h2");
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(1 << 10)
        .handshake(TokioIo::new(stream.await.unwrap()))
        .await
        .unwrap();
    let mut driven = JoinSet::new();
    driven.spawn(async move {
        let _ended = connection.await;
    });
    let request = Request::get(format!("https://localhost{path}"))
        .header("authorization", format!("Bearer {}", tenants.eve))
        .body(Empty::<Bytes>::new())
        .unwrap();
    (client.send_request(request).await.unwrap(), driven)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_responses_hold_only_the_slots_of_their_user() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, trust) = certified(folder.path());
    // So many objects that a list does not fit into one chunk.
    let tenants = Tenants::start(80, |settings| {
        settings.tls.certificate = Some(certificate);
        settings.requests.max_requests_inflight = 8;
    })
    .await;
    let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals");
    let mut open = Vec::new();
    for expected in [200, 200, 429, 429, 429] {
        let (response, connection) = stalled(&tenants, &trust, &path).await;
        assert_eq!(response.status(), expected);
        open.push((response, connection));
    }
    assert_eq!(tenants.status(&tenants.eve, &path).await, 429);
    tenants.others_are_well().await;
    let sample = "kubevitals_api_requests_turned_away_total{limit=\"user\"}";
    assert_eq!(tenants.counted(sample).await, 4);
    let sample = "kubevitals_api_requests_turned_away_total{limit=\"all\"}";
    assert_eq!(tenants.counted(sample).await, 0);
    open.clear();
    wait_until("the places are free again", async || {
        tenants.status(&tenants.eve, &path).await == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers_of_lists_hold_no_scrape_back() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, trust) = certified(folder.path());
    let tenants = Tenants::start(80, |settings| {
        settings.tls.certificate = Some(certificate);
    })
    .await;
    let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals");
    let mut slow = Vec::new();
    for _ in 0..20 {
        slow.push(stalled(&tenants, &trust, &path).await);
    }
    for _ in 0..4 {
        // Each reads a kilobyte a turn.
        for (response, _) in &mut slow {
            assert_eq!(response.status(), 200);
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            assert!(frame.data_ref().unwrap().len() <= 1 << 10);
        }
        // Each node is scraped once, and others are answered.
        tenants.harness.step(NODES).await;
        tenants.others_are_well().await;
    }
    for (response, _) in &slow {
        assert!(!response.body().is_end_stream());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_and_very_long_requests_are_refused() {
    let tenants = Tenants::start(12, |_| {}).await;
    let many = |text: &str, times: usize| vec![text; times].join(",");
    let words = vec!["a"; 33].join("+");
    let values: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    let long = "x".repeat(20_000);
    for (query, expected) in [
        ("labelSelector=%3D%3D".to_owned(), 400),
        ("labelSelector=a+in+(".to_owned(), 400),
        (format!("labelSelector={}", many("!a", 1_001)), 400),
        (format!("labelSelector=a+in+({})", values.join(",")), 400),
        ("fieldSelector=spec.secret%3Dx".to_owned(), 400),
        (
            format!("fieldSelector={}", many("metadata.name!%3Da", 1_001)),
            400,
        ),
        ("sortBy=everything".to_owned(), 400),
        ("sortBy=memory&limit=1".to_owned(), 200),
        ("sortBy=growth".to_owned(), 200),
        (format!("search={words}"), 400),
        (format!("search={long}"), 200),
        (format!("namespaces={}", many("a", 33)), 400),
        ("namespaces=kube-system".to_owned(), 200),
        ("at=-1000h".to_owned(), 400),
        ("trend=100000".to_owned(), 400),
        ("limit=-9223372036854775808".to_owned(), 200),
        (format!("continue={long}"), 400),
        (format!("resourceVersion={long}"), 400),
        (format!("watch=1&resourceVersion={}", u64::MAX), 200),
    ] {
        let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals?{query}");
        let response = tenants.ask(&tenants.eve, &path).await;
        assert_eq!(response.status(), expected, "{query:.60}");
        if !query.starts_with("watch") {
            let body = response.text().await.unwrap();
            assert!(
                !body.contains("\"namespace\":\"kube-system\""),
                "{query:.60}"
            );
        }
    }
    // Longer than a request may be.
    let path = format!(
        "{BASE}/namespaces/{NAMESPACE}/podvitals?search={}",
        "x".repeat(200_000)
    );
    let request = tenants.client.get(tenants.harness.url(&path));
    let answer = request.bearer_auth(&tenants.eve).send().await;
    let refused = |status: u16| (400..500).contains(&status);
    assert!(answer.is_err() || answer.is_ok_and(|it| refused(it.status().as_u16())));
    tenants.others_are_well().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abandoned_histories_leave_slots_to_other_users() {
    let tenants = Tenants::start(12, |_| {}).await;
    for _ in 0..20 {
        tenants.harness.step(NODES).await;
    }
    let path = format!("{BASE}/namespaces/{NAMESPACE}/podvitals/-/history?step=1s&timeout=1ms");
    for _ in 0..10 {
        let mut requests = JoinSet::new();
        for _ in 0..60 {
            let request = tenants.client.get(tenants.harness.url(&path));
            let request = request.bearer_auth(&tenants.eve);
            requests.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        while let Some(status) = requests.join_next().await {
            let status = status.unwrap();
            assert!([200, 429, 504].contains(&status), "{status}");
        }
        tenants.others_are_well().await;
    }
    // Only the request for the number of requests in flight is in flight.
    wait_until("all of it is over", async || {
        tenants.counted("kubevitals_api_requests_under_way").await <= 1
    })
    .await;
}

/// An Event in the tenant's namespace about a pod that it claims is in it.
fn event(n: usize, uid: &str, container: &str, message: &str) -> serde_json::Value {
    let time = Timestamp::from_secs(NOW).to_rfc3339_seconds();
    json!({
        "metadata": {"namespace": NAMESPACE, "name": format!("forged.{n:05}"), "uid": format!("{n:08}-0000-4000-8000-000000000000")},
        "involvedObject": {"kind": "Pod", "apiVersion": "v1", "namespace": NAMESPACE, "name": format!("forged-{n}"),
            "uid": uid, "fieldPath": format!("spec.containers{{{container}}}")},
        "type": "Warning", "reason": "Unhealthy", "message": message, "count": 1,
        "firstTimestamp": time, "lastTimestamp": time, "source": {"component": "kubelet", "host": "node"},
    })
}

/// Waits until the server has applied the Event of this version. A list is sorted by name, so the names of Events must
/// have the order of their versions: the server lists again if it is too slow for the watch.
async fn heard(tenants: &Tenants, version: u64) {
    wait_until("the server has heard all Events", async || {
        let events = &tenants.harness.server.query().watches().events;
        events.last_version().parse::<u64>().unwrap_or(0) >= version
    })
    .await;
}

/// Advances by a number of resolutions.
async fn pass(tenants: &Tenants, resolutions: u32) {
    for _ in 0..resolutions {
        let before = tenants.harness.scraped();
        tenants.harness.cluster.advance(RESOLUTION);
        wait_until("every node was scraped once more", async || {
            tenants.harness.scraped() >= before + NODES
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_forged_events_hide_no_real_incident() {
    let tenants = Tenants::start(12, |_| {}).await;
    let store = tenants.harness.cluster.store();
    let mut last = 0;
    for n in 0..20_100 {
        let uid = format!("{n:08}-1111-4000-8000-000000000000");
        let forged = event(n, &uid, "app", "Readiness probe failed: forged");
        last = store.apply(Resource::Events, forged);
    }
    heard(&tenants, last).await;
    tenants.others_are_well().await;
    tenants.harness.cluster.inject(Fault::CrashLoop);
    let health = tenants.harness.server.query().health();
    wait_until("the real incident exists", async || {
        pass(&tenants, 1).await;
        health.incidents().0.iter().any(|incident| {
            let involved = &incident.incident.involved;
            !involved.name.starts_with("forged-")
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_event_has_no_effect_in_other_namespaces() {
    let tenants = Tenants::start(12, |_| {}).await;
    let store = tenants.harness.cluster.store();
    tenants.harness.cluster.inject(Fault::ReadinessFailure);
    pass(&tenants, 8).await;
    let pods = store.snapshot(Resource::Pods);
    let mut last = 0;
    for (n, (_, pod)) in pods.range(None, None).enumerate() {
        let pod = pod.to_value(Resource::Pods);
        let uid = pod["metadata"]["uid"].as_str().unwrap();
        let container = pod["spec"]["containers"][0]["name"].as_str().unwrap();
        let forged = event(n, uid, container, "Readiness probe failed: FORGED");
        last = store.apply(Resource::Events, forged);
    }
    heard(&tenants, last).await;
    pass(&tenants, 8).await;
    for incident in tenants.harness.server.query().health().incidents().0 {
        let incident = format!("{:?}", incident.incident);
        assert!(!incident.contains("FORGED"), "{incident}");
    }
}
