//! HTTP requests other than well-formed GETs of existing paths.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, SimClock};
use reqwest::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT,
};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::harness::{Harness, PATIENCE, wait_until};
use crate::limits::{certified, connect};

const BASE: &str = "/apis/metrics.k8s.io/v1beta1";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A cluster of `pods` pods on two nodes, and a client that trusts its server.
async fn cluster(pods: u32) -> (Harness, ClientConfig) {
    let folder = tempfile::tempdir().unwrap();
    let (files, client) = certified(folder.path());
    let config = Config {
        nodes: 2,
        pods_per_node: pods / 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let harness =
        Harness::start_with(config, |settings| settings.tls.certificate = Some(files)).await;
    harness.first_step(2).await;
    harness.step(2).await;
    harness.step(2).await;
    // Nodes may have been scraped before the pods were listed.
    wait_until("all pods are answered", async || {
        let list = harness.json(&format!("{BASE}/pods")).await;
        list["items"].as_array().unwrap().len() == pods as usize
    })
    .await;
    (harness, client)
}

/// Sends a request line unchanged over HTTP/1.1. Returns the status, the header and the body.
async fn raw(harness: &Harness, client: &ClientConfig, line: &str) -> (u16, String, String) {
    let address = harness.server.local_addr();
    let mut stream = connect(address, client, "http/1.1").await.unwrap();
    let token = harness.token();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _politely = end.expect("the answer ends");
    let answer = String::from_utf8(answer).unwrap();
    let (header, body) = answer.split_once("\r\n\r\n").expect("a header");
    let status = header.split(' ').nth(1).unwrap().parse().unwrap();
    (status, header.to_owned(), body.to_owned())
}

fn is_status(body: &[u8], code: u16) -> bool {
    let status: Value = serde_json::from_slice(body).unwrap_or_default();
    status["kind"] == "Status" && status["code"] == code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused_with_a_status() {
    let (harness, _) = cluster(4).await;
    for path in [
        "/",
        "/apis",
        "/apis/",
        "/apis/metrics.k8s.io",
        BASE,
        "/version",
        "/livez",
        "/livez/ping",
        "/debug/scrapes",
        &format!("{BASE}/nodes"),
        &format!("{BASE}/pods/"),
    ] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            let (status, body) = harness.send(harness.request(method, path)).await;
            assert_eq!(status, 405, "{method} {path}");
            assert!(is_status(&body, 405), "{method} {path}");
        }
        let get = harness.request("GET", path).send().await.unwrap();
        let head = harness.request("HEAD", path).send().await.unwrap();
        assert_eq!(head.status(), get.status(), "{path}");
        for header in [CONTENT_TYPE, CONTENT_LENGTH, CACHE_CONTROL] {
            let (ours, theirs) = (head.headers().get(&header), get.headers().get(&header));
            assert_eq!(ours, theirs, "{path}: {header}");
        }
        assert_eq!(head.bytes().await.unwrap(), "", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_not_waited_for() {
    let (harness, client) = cluster(4).await;
    let line =
        format!("POST {BASE}/nodes HTTP/1.1\r\ncontent-length: 1000000000000\r\nx: y\r\nz: ");
    let (status, _, body) = raw(&harness, &client, &line).await;
    assert_eq!(status, 405);
    assert!(is_status(body.as_bytes(), 405), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strange_paths_are_refused_clearly() {
    let (harness, client) = cluster(4).await;
    let at = |path: &str| format!("{BASE}{path}");
    for (path, expected) in [
        (at("/nodes/.."), 404),
        (at("/nodes/../pods"), 404),
        (at("/nodes/%2e%2e"), 404),
        (at("/nodes/a%00b"), 404),
        (at("/nodes/a%2Fb"), 404),
        (at("/nodes/%zz"), 404),
        (at("/nodes/%"), 404),
        (at("/nodes/%ff"), 400),
        (at("//nodes"), 404),
        (at("/nodes//"), 404),
        (at("/namespaces//pods"), 404),
        (at("/namespaces/%ff/pods"), 400),
        (at("/namespaces/default/pods/%c3%28"), 400),
        (at("/namespaces/default/pods/%00"), 404),
        (at("/namespaces/default/pods/.."), 404),
        (at("/%ff"), 404),
        (at("/pods?labelSelector=%ff"), 400),
        (at("/pods?fieldSelector=%00"), 400),
        (at("/pods?labelSelector=%zz"), 400),
        (at("/pods?limit=%"), 400),
        (
            at(&format!("/pods?labelSelector={}", "a,".repeat(2000))),
            400,
        ),
    ] {
        let (status, _, body) = raw(&harness, &client, &format!("GET {path}")).await;
        assert_eq!(status, expected, "{path}: {body}");
        assert!(is_status(body.as_bytes(), expected), "{path}: {body}");
    }
    // As in metrics-server, an unknown path is answered with the list of paths.
    for line in [
        "GET /..",
        "GET //apis",
        "GET /apis//metrics.k8s.io",
        "GET /%2e%2e/%00",
        "GET /livez/",
        "GET /%ff",
        "GET /livez/%ff",
        "OPTIONS *",
        "CONNECT localhost:443",
    ] {
        let (status, _, body) = raw(&harness, &client, line).await;
        assert_eq!(status, 404, "{line}: {body}");
        let paths: Value = serde_json::from_str(&body).unwrap();
        assert!(paths["paths"].is_array(), "{line}: {body}");
    }
    // Other clients are not affected.
    assert_eq!(harness.pods().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_at_the_end_changes_nothing() {
    let (harness, _) = cluster(4).await;
    let pod = harness.json(&format!("{BASE}/pods")).await["items"][0]["metadata"].clone();
    let namespace = pod["namespace"].as_str().unwrap();
    let name = pod["name"].as_str().unwrap();
    let node = &harness.cluster.node_names()[0];
    for path in [
        "/version".to_owned(),
        "/apis".to_owned(),
        "/apis/metrics.k8s.io".to_owned(),
        BASE.to_owned(),
        format!("{BASE}/nodes"),
        format!("{BASE}/nodes/{node}"),
        format!("{BASE}/pods"),
        format!("{BASE}/namespaces/{namespace}/pods"),
        format!("{BASE}/namespaces/{namespace}/pods/{name}"),
    ] {
        let mut answers = [
            harness.json(&path).await,
            harness.json(&format!("{path}/")).await,
        ];
        // Every response has a Date header.
        for answer in &mut answers {
            forget_creation(answer);
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
}

fn forget_creation(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("creationTimestamp");
            members.values_mut().for_each(forget_creation);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_creation),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_parameter_is_refused_unless_it_is_false() {
    let (harness, _) = cluster(4).await;
    for (query, expected) in [
        ("watch", 405),
        ("watch=", 405),
        ("watch=1", 405),
        ("watch=true", 405),
        ("watch=0", 200),
        ("watch=False", 200),
    ] {
        for resource in ["nodes", "pods"] {
            let (status, _) = harness.get(&format!("{BASE}/{resource}?{query}")).await;
            assert_eq!(status, expected, "{resource}?{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cached_discovery_is_not_sent_again() {
    let (harness, _) = cluster(4).await;
    let ask = async |agent: &str, known: Option<&str>| {
        let mut request = harness.request("GET", "/apis");
        request = request.header(ACCEPT, AGGREGATED).header(USER_AGENT, agent);
        if let Some(known) = known {
            request = request.header(IF_NONE_MATCH, known);
        }
        let response = request.send().await.unwrap();
        let tag = response.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(response.headers()[CACHE_CONTROL], "public");
        (
            response.status().as_u16(),
            tag,
            response.text().await.unwrap(),
        )
    };
    let (status, tag, body) = ask("kubectl", None).await;
    assert_eq!(status, 200);
    assert!(
        tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'),
        "{tag}"
    );
    assert_eq!(ask("kubectl", None).await, (200, tag.clone(), body.clone()));
    for known in [tag.clone(), "*".to_owned(), format!("\"x\", W/{tag}")] {
        let again = ask("kubectl", Some(&known)).await;
        assert_eq!(again, (304, tag.clone(), String::new()), "{known}");
    }
    let changed = ask("kubectl", Some("\"x\"")).await;
    assert_eq!(changed, (200, tag.clone(), body));
    // As in metrics-server, the tag depends on the content and not on the form.
    let (_, indented, _) = ask("curl", None).await;
    assert_eq!(indented, tag);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selective_list_is_complete() {
    // More objects than are visited at once, and than fit into one chunk.
    let (harness, _) = cluster(3000).await;
    let all = harness.json(&format!("{BASE}/pods")).await["items"].clone();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 3000);
    for index in [0, 1, 1022, 1023, 1024, 1025, 2047, 2048, 2999] {
        let metadata = &all[index]["metadata"];
        let (namespace, name) = (&metadata["namespace"], metadata["name"].as_str().unwrap());
        let found = harness
            .json(&format!("{BASE}/pods?fieldSelector=metadata.name%3D{name}"))
            .await["items"]
            .clone();
        let found = found.as_array().unwrap();
        assert!(
            found
                .iter()
                .any(|pod| pod["metadata"]["namespace"] == *namespace),
            "{name}"
        );
        assert!(found.iter().all(|pod| pod["metadata"]["name"] == name));
    }
    let but_one = all[1023]["metadata"]["name"].as_str().unwrap();
    let path = format!("{BASE}/pods?fieldSelector=metadata.name!%3D{but_one}");
    let others = harness.json(&path).await;
    let expected: Vec<_> = all
        .iter()
        .map(|pod| &pod["metadata"]["name"])
        .filter(|name| *name != but_one)
        .collect();
    let others = others["items"].as_array().unwrap();
    let others: Vec<_> = others.iter().map(|pod| &pod["metadata"]["name"]).collect();
    assert_eq!(others, expected);
    let none = harness
        .json(&format!("{BASE}/pods?fieldSelector=metadata.name%3Dnobody"))
        .await;
    assert_eq!(none["items"], serde_json::json!([]));
}
