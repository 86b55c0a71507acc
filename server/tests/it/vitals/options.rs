//! The responses of get, list and watch to Kubernetes' options and to unsupported verbs: the HTTP status, and the
//! Status in the body.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::identity::{Rule, SERVER_ACCOUNT, Subject};
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, PATIENCE, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const KINDS: [&str; 3] = ["podvitals", "nodevitals", "incidents"];

/// `{"v":"meta.k8s.io/v1","rv":7,"start":"a"}`
const TOKEN: &str = "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Nywic3RhcnQiOiJhIn0";

fn config() -> Config {
    Config {
        nodes: 2,
        pods_per_node: 3,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_238_024))),
        ..Config::default()
    }
}

/// A watch that is silent for this long is open.
const SILENT: Duration = Duration::from_millis(300);

/// The status and reason of the response and its body; for a watch, those of its error event, which is waited for if
/// `fails`.
async fn answered(harness: &Harness, path: &str, fails: bool) -> (u16, String) {
    let mut response = harness.request("GET", path).send().await.unwrap();
    let status = response.status().as_u16();
    let well = (200, String::new());
    if status == 200 {
        if !path.contains("watch=1") {
            return well;
        }
        let wait = if fails { PATIENCE } else { SILENT };
        let Ok(piece) = tokio::time::timeout(wait, response.chunk()).await else {
            return well;
        };
        let Some(piece) = piece.unwrap() else {
            return well;
        };
        let line = piece.split(|byte| *byte == b'\n').next().unwrap();
        let event: Value = serde_json::from_slice(line).unwrap();
        if event["type"] != "ERROR" {
            return well;
        }
        assert_eq!(event["object"]["kind"], "Status", "{path}: {event}");
        return code_and_reason(&event["object"]);
    }
    let retry = response.headers().get("retry-after").cloned();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    assert_eq!(body["kind"], "Status", "{path}: {body}");
    assert_eq!(body["code"], status, "{path}");
    let seconds = body["details"]["retryAfterSeconds"].as_u64();
    let said = retry.map(|value| value.to_str().unwrap().parse().unwrap());
    assert_eq!(said, seconds, "{path}");
    code_and_reason(&body)
}

fn code_and_reason(status: &Value) -> (u16, String) {
    let code = u16::try_from(status["code"].as_u64().unwrap()).unwrap();
    let reason = status["reason"].as_str().unwrap_or_default();
    (code, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_options_behave_as_in_kubernetes() {
    let harness = Harness::start(config()).await;
    harness.first_step(2).await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    let now = harness
        .server
        .query()
        .changes()
        .snapshot()
        .version
        .to_string();
    let later = (now.parse::<u64>().unwrap() + 1024).to_string();
    // A version of another process, some seconds old.
    let replica = (now.parse::<u64>().unwrap() - 1024 * 5_000_000) ^ 1;
    let far = "9200000000000000000";
    let sends = "resourceVersionMatch=NotOlderThan&sendInitialEvents";
    let rows: Vec<(String, u16, &str)> = vec![
        ("".to_owned(), 200, ""),
        ("resourceVersion=0&limit=1".to_owned(), 200, ""),
        (format!("resourceVersion={now}"), 200, ""),
        (format!("resourceVersion={replica}"), 200, ""),
        ("resourceVersion=1024".to_owned(), 200, ""),
        ("resourceVersion=abc".to_owned(), 400, "BadRequest"),
        ("resourceVersion=-5".to_owned(), 400, "BadRequest"),
        (format!("resourceVersion={later}"), 504, "Timeout"),
        (format!("resourceVersion={far}"), 504, "Timeout"),
        (
            format!("resourceVersion={now}&resourceVersionMatch=Exact"),
            200,
            "",
        ),
        (
            "resourceVersion=1024&resourceVersionMatch=Exact".to_owned(),
            410,
            "Expired",
        ),
        ("resourceVersion=1024&limit=5".to_owned(), 410, "Expired"),
        (
            format!("resourceVersion={far}&resourceVersionMatch=Exact"),
            504,
            "Timeout",
        ),
        (
            "resourceVersion=0&resourceVersionMatch=Exact".to_owned(),
            422,
            "Invalid",
        ),
        ("resourceVersionMatch=Exact".to_owned(), 422, "Invalid"),
        (
            format!("resourceVersion={now}&resourceVersionMatch=Nearly"),
            422,
            "Invalid",
        ),
        ("sendInitialEvents=true".to_owned(), 422, "Invalid"),
        ("continue=garbage".to_owned(), 400, "BadRequest"),
        (format!("continue={TOKEN}"), 410, "Expired"),
        (
            format!("continue={TOKEN}&resourceVersion={now}"),
            400,
            "BadRequest",
        ),
        ("limit=x".to_owned(), 400, "BadRequest"),
        ("timeout=-1s".to_owned(), 200, ""),
        ("timeout=soon".to_owned(), 400, "BadRequest"),
        ("watch=1".to_owned(), 200, ""),
        (
            "watch=1&resourceVersion=0&limit=1&continue=x".to_owned(),
            200,
            "",
        ),
        (format!("watch=1&resourceVersion={now}"), 200, ""),
        (format!("watch=1&resourceVersion={replica}"), 410, "Expired"),
        ("watch=1&resourceVersion=1024".to_owned(), 410, "Expired"),
        (format!("watch=1&resourceVersion={later}"), 410, "Expired"),
        (format!("watch=1&resourceVersion={far}"), 410, "Expired"),
        ("watch=1&resourceVersion=abc".to_owned(), 400, "BadRequest"),
        ("watch=1&sendInitialEvents=true".to_owned(), 422, "Invalid"),
        ("watch=1&sendInitialEvents=false".to_owned(), 422, "Invalid"),
        (
            "watch=1&resourceVersionMatch=NotOlderThan".to_owned(),
            422,
            "Invalid",
        ),
        (
            "watch=1&resourceVersionMatch=Exact&sendInitialEvents=true".to_owned(),
            422,
            "Invalid",
        ),
        (format!("watch=1&{sends}=true"), 200, ""),
        (
            format!("watch=1&{sends}=true&allowWatchBookmarks=true&resourceVersion={now}"),
            200,
            "",
        ),
        (
            format!("watch=1&{sends}=true&resourceVersion={far}"),
            504,
            "Timeout",
        ),
        (format!("watch=1&{sends}=false"), 200, ""),
        (
            format!("watch=1&{sends}=false&resourceVersion={far}"),
            410,
            "Expired",
        ),
        ("watch=1&timeoutSeconds=x".to_owned(), 400, "BadRequest"),
        ("watch=1&timeoutSeconds=-1".to_owned(), 200, ""),
    ];
    for kind in KINDS {
        for (query, code, reason) in &rows {
            let path = format!("{BASE}/{kind}?{query}");
            let expected = (*code, (*reason).to_owned());
            assert_eq!(
                answered(&harness, &path, *code != 200).await,
                expected,
                "{path}"
            );
        }
    }
    // client-go recognizes by the cause that it must list without a version.
    let (_, body) = harness
        .get(&format!("{BASE}/podvitals?resourceVersion={far}"))
        .await;
    let status: Value = serde_json::from_slice(&body).unwrap();
    let cause = &status["details"]["causes"][0];
    assert_eq!(cause["reason"], "ResourceVersionTooLarge", "{status}");
    for (name, expected) in [("abc", 400), ("1024", 200), (far, 504)] {
        let node = &harness.cluster.node_names()[0];
        let path = format!("{BASE}/nodevitals/{node}?resourceVersion={name}");
        assert_eq!(answered(&harness, &path, false).await.0, expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_without_initial_events_sends_none() {
    let harness = Harness::start(config()).await;
    harness.first_step(2).await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    let sends = "resourceVersionMatch=NotOlderThan&sendInitialEvents=false";
    for kind in KINDS {
        let path = format!("{BASE}/{kind}?watch=1&{sends}&timeoutSeconds=1");
        let (status, body) = harness.get(&path).await;
        assert_eq!((status, body), (200, Vec::new()), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsupported_verbs_are_a_status_in_the_requested_form() {
    let harness = Harness::start(config()).await;
    for path in [
        format!("{BASE}/podvitals"),
        format!("{BASE}/nodevitals/"),
        format!("{BASE}/nodevitals/any"),
        format!("{BASE}/namespaces/shop/podvitals/any"),
        format!("{BASE}/namespaces/shop/podvitals/-/history"),
        format!("{BASE}/namespaces/shop/incidents"),
        format!("{BASE}/clustervitals/cluster/history"),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            let (status, body) = harness.send(harness.request(method, &path)).await;
            let object: Value = serde_json::from_slice(&body).unwrap_or_default();
            assert_eq!(status, 405, "{method} {path}");
            assert_eq!(
                object["reason"], "MethodNotAllowed",
                "{method} {path}: {object}"
            );
            let request = harness.request(method, &path);
            let request = request.header("accept", "application/yaml");
            let (status, body) = harness.send(request).await;
            let body = String::from_utf8(body).unwrap();
            assert_eq!(status, 405, "{method} {path}");
            assert!(body.contains("\nreason: MethodNotAllowed\n"), "{body}");
        }
    }
}

/// The permissions of the server's account, without those for pods.
fn without_pods(harness: &kubevitals_sim::Cluster) {
    let account = Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let identities = harness.identities();
    identities.revoke(&account);
    for rule in [
        Rule::resources(&["list", "watch"], "", &["nodes", "events", "configmaps"]),
        Rule::resources(&["list", "watch"], "batch", &["jobs"]),
        Rule::resources(&["get"], "", &["nodes/metrics", "nodes/stats"]),
        Rule::resources(&["create"], "authentication.k8s.io", &["tokenreviews"]),
        Rule::resources(
            &["create"],
            "authorization.k8s.io",
            &["subjectaccessreviews"],
        ),
    ] {
        identities.grant(account.clone(), rule);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_refused_until_all_objects_are_listed() {
    let harness = Harness::start_on(config(), without_pods).await;
    harness.first_step(2).await;
    let mut paths: Vec<String> = KINDS.map(|kind| format!("{BASE}/{kind}")).to_vec();
    paths.extend(KINDS.map(|kind| format!("{BASE}/{kind}?watch=1")));
    paths.extend([
        format!("{BASE}/clustervitals"),
        format!("{BASE}/clustervitals/cluster"),
        format!("{BASE}/clustervitals/cluster/history"),
        format!("{BASE}/namespaces/shop/podvitals/any"),
        format!("{BASE}/nodevitals/{}", harness.cluster.node_names()[0]),
    ]);
    for path in &paths {
        let answer = answered(&harness, path, false).await;
        assert_eq!(answer, (503, "ServiceUnavailable".to_owned()), "{path}");
        let response = harness.request("GET", path).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "1", "{path}");
    }
    for (path, expected) in [
        ("/apis/kubevitals.io/v1alpha1", 200),
        ("/apis/kubevitals.io", 200),
        ("/openapi/v3/apis/kubevitals.io/v1alpha1", 200),
        ("/livez/ping", 200),
        ("/metrics", 200),
        ("/apis/metrics.k8s.io/v1beta1/nodes", 200),
        ("/apis/metrics.k8s.io/v1beta1/pods", 200),
        ("/apis/kubevitals.io/v1alpha1/nothing", 404),
    ] {
        assert_eq!(harness.get(path).await.0, expected, "{path}");
    }
    let account = Subject::service_account(SERVER_ACCOUNT.0, SERVER_ACCOUNT.1);
    let rule = Rule::resources(&["list", "watch"], "", &["pods"]);
    harness.cluster.identities().grant(account, rule);
    // The first successful list has all objects.
    let path = format!("{BASE}/podvitals");
    let mut list = Value::Null;
    wait_until("the pods are listed", async || {
        let (status, body) = harness.get(&path).await;
        assert!(status == 503 || status == 200, "{status}");
        list = serde_json::from_slice(&body).unwrap();
        status == 200
    })
    .await;
    assert_eq!(list["items"].as_array().unwrap().len(), 6);
    for path in paths.iter().filter(|path| !path.ends_with("/any")) {
        let answer = answered(&harness, path, false).await;
        assert_eq!(answer.0, 200, "{path}");
    }
}
