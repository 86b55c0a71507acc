//! Every JSON body of the peer that is answered here, for the same data: field for field, in order, and the
//! failures to the byte; with the headers that say what to make of them.

use std::fmt::Write as _;
use std::path::PathBuf;

use kubevitals_proto::metrics::{NodeMetricsList, PodMetricsList};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Replay, SimClock};
use reqwest::header::{ACCEPT, USER_AGENT};
use serde_json::Value;

use crate::harness::Harness;

/// What a real metrics-server answered.
pub(crate) fn captured(name: &str) -> String {
    let path: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "tests",
        "fixtures",
        "metrics-api",
        name,
    ]
    .iter()
    .collect();
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn captured_json(name: &str) -> Value {
    serde_json::from_str(&captured(name)).unwrap()
}

/// Sends what the peer was sent; the status and the body. What the peer's headers said of the body must be said.
pub(crate) async fn as_captured(name: &str, request: reqwest::RequestBuilder) -> (u16, String) {
    let response = request.send().await.expect("the server answers");
    let captured = captured(&format!("{name}.headers"));
    let mut lines = captured.lines();
    let status = response.status().as_u16();
    assert!(
        lines.next().unwrap().contains(&format!(" {status} ")),
        "{name}: {status}"
    );
    for (header, theirs) in lines.filter_map(|line| line.split_once(": ")) {
        let ours = response
            .headers()
            .get(header)
            .map(|ours| ours.to_str().unwrap());
        match header {
            "content-type" | "cache-control" | "x-content-type-options" | "vary" => {
                assert_eq!(ours, Some(theirs), "{name}: {header}");
            }
            // A hash of another body.
            "etag" => assert!(
                ours.is_some_and(|tag| tag.starts_with('"')),
                "{name}: {ours:?}"
            ),
            _ => {}
        }
    }
    (status, response.text().await.expect("a whole body"))
}

/// The two ends of a window: what the counter said, and when.
struct Window {
    cpu_seconds: [String; 2],
    at: [i64; 2],
    start_seconds: String,
}

const SECOND: i64 = 1_000_000_000;

impl Window {
    /// Two readings that give `rate` nanocores over a window of `window` nanoseconds that ends in the second
    /// `end`. A window that is no whole number of milliseconds began with the container.
    fn new(rate: u64, window: i64, end: i64) -> Self {
        let from_start = window % 1_000_000 != 0;
        let base: u64 = if from_start { 0 } else { 1_000_000_000 };
        let seconds = (window / SECOND) as f64 + (window % SECOND) as f64 / 1e9;
        let least = (rate as f64 * seconds).ceil() as u64;
        // The kubelet prints seconds, and the reader truncates them to nanoseconds: look for a count that
        // survives both and divides to the rate.
        let spent = (least..least + 1000)
            .find(|spent| (*spent as f64 / seconds) as u64 == rate && survives(base + spent))
            .expect("a counter for this rate");
        let at = if from_start {
            end_after_start(window, end)
        } else {
            end
        };
        Self {
            cpu_seconds: [printed(base), printed(base + spent)],
            at: [at - window, at],
            start_seconds: if from_start {
                format!("{:e}", (at - window) as f64 / 1e9)
            } else {
                "1000000".to_owned()
            },
        }
    }
}

fn printed(nanoseconds: u64) -> String {
    format!(
        "{}.{:09}",
        nanoseconds / 1_000_000_000,
        nanoseconds % 1_000_000_000
    )
}

fn survives(nanoseconds: u64) -> bool {
    (printed(nanoseconds).parse::<f64>().unwrap() * 1e9) as u64 == nanoseconds
}

/// A time within the second `end`, in whole milliseconds, before which a start time in floating point seconds
/// lies exactly `window` nanoseconds.
fn end_after_start(window: i64, end: i64) -> i64 {
    (0..1000)
        .map(|millisecond| end + millisecond * 1_000_000)
        .find(|at| ((at - window) as f64 / 1e9 * 1e9) as i64 == at - window)
        .expect("a millisecond at which the float is exact")
}

/// Two scrapes of a kubelet that lead to the captured answers.
fn scrapes() -> [String; 2] {
    let nodes: NodeMetricsList = serde_json::from_str(&captured("nodes_json.body")).unwrap();
    let pods: PodMetricsList = serde_json::from_str(&captured("pods_json.body")).unwrap();
    let mut pages = [String::new(), String::new()];
    let mut write = |prefix: &str, labels: &str, window: &Window, memory: i128| {
        for (turn, page) in pages.iter_mut().enumerate() {
            let (cpu, at) = (&window.cpu_seconds[turn], window.at[turn] / 1_000_000);
            // What began with its container was not there before.
            if turn == 0 && window.cpu_seconds[0].starts_with("0.000000000") {
                continue;
            }
            writeln!(page, "{prefix}_cpu_usage_seconds_total{labels} {cpu} {at}").unwrap();
            writeln!(
                page,
                "{prefix}_memory_working_set_bytes{labels} {memory} {at}"
            )
            .unwrap();
            if prefix == "container" {
                writeln!(
                    page,
                    "container_start_time_seconds{labels} {}",
                    window.start_seconds
                )
                .unwrap();
            }
        }
    };
    let rate = |cpu: &Value| {
        let text = cpu.as_str().unwrap();
        text.strip_suffix('n').map_or_else(
            || text.parse().unwrap(),
            |nano| nano.parse::<u64>().unwrap(),
        )
    };
    let bytes = |memory: &Value| {
        memory
            .as_str()
            .unwrap()
            .strip_suffix("Ki")
            .unwrap()
            .parse::<i128>()
            .unwrap()
            * 1024
    };
    for node in nodes.items {
        let usage = serde_json::to_value(&node.usage).unwrap();
        let window = Window::new(rate(&usage["cpu"]), node.window.0, node.timestamp.0);
        write("node", "", &window, bytes(&usage["memory"]));
    }
    for pod in pods.items {
        for container in &pod.containers {
            let usage = serde_json::to_value(&container.usage).unwrap();
            let labels = format!(
                "{{container=\"{}\",namespace=\"{}\",pod=\"{}\"}}",
                container.name, pod.metadata.namespace, pod.metadata.name
            );
            let window = Window::new(rate(&usage["cpu"]), pod.window.0, pod.timestamp.0);
            write("container", &labels, &window, bytes(&usage["memory"]));
        }
    }
    pages
}

/// The cluster that the peer was asked about.
async fn peers_cluster() -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let pods = captured("pods-of-the-cluster.json");
    for (page, number) in scrapes().iter().zip(["01", "02"]) {
        std::fs::write(
            folder.path().join(format!("{number}-metrics-resource.txt")),
            page,
        )
        .unwrap();
        std::fs::write(folder.path().join(format!("{number}-pods.json")), &pods).unwrap();
    }
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(folder.path()).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_238_000))),
        ..Config::default()
    })
    .await;
    let mut node = harness.cluster_object(Resource::Nodes, None, "lab");
    node["metadata"]["labels"] = captured_json("node_get.body")["metadata"]["labels"].clone();
    harness.cluster.store().apply(Resource::Nodes, node);
    harness.first_step(1).await;
    harness.step(1).await;
    harness.labels_seen("lab", "beta.kubernetes.io/os").await;
    harness
}

/// What may differ: the moment of the answer, and the order of containers, which is random at the peer.
fn normal(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.remove("creationTimestamp");
            if let Some(Value::Array(containers)) = members.get_mut("containers") {
                containers.sort_by_key(|container| container["name"].as_str().map(str::to_owned));
            }
            for member in members.values_mut() {
                *member = normal(member.take());
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| *item = normal(item.take())),
        _ => {}
    }
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_json_body_of_the_peer_is_reproduced() {
    let harness = peers_cluster().await;
    let base = "/apis/metrics.k8s.io/v1beta1";
    let pods = format!("{base}/namespaces/default/pods");
    for (name, path) in [
        ("nodes_json", format!("{base}/nodes")),
        ("node_get", format!("{base}/nodes/lab")),
        ("pods_json", format!("{base}/pods")),
        ("pods_ns_json", pods.clone()),
        (
            "pods_field_ns",
            format!("{base}/pods?fieldSelector=metadata.namespace%3Ddefault"),
        ),
        ("pods_label", format!("{pods}?labelSelector=app%3Dweb")),
        ("pod_get", format!("{pods}/flaky")),
        ("limit", format!("{base}/pods?limit=2")),
        ("pretty", format!("{base}/nodes?pretty=true")),
    ] {
        let request = harness.request("GET", &path);
        let (status, body) = as_captured(name, request.header(USER_AGENT, "curl/8.14")).await;
        assert_eq!(status, 200, "{name}: {body}");
        let (ours, theirs) = (
            normal(serde_json::from_str(&body).unwrap()),
            normal(captured_json(&format!("{name}.body"))),
        );
        // As text, because there the order of the members counts.
        assert_eq!(ours.to_string(), theirs.to_string(), "{name}");
        assert_eq!(
            body,
            serde_json::to_string_pretty(&serde_json::from_str::<Value>(&body).unwrap()).unwrap(),
            "{name}"
        );
    }
    for (name, expected, method, path, accept) in [
        ("node_404", 404, "GET", format!("{base}/nodes/nope"), "*/*"),
        ("pod_404_unknown", 404, "GET", format!("{pods}/nope"), "*/*"),
        (
            "pod_404_nometrics",
            404,
            "GET",
            format!("{pods}/crash"),
            "*/*",
        ),
        (
            "pods_field_bad",
            400,
            "GET",
            format!("{pods}?fieldSelector=spec.nodeName%3Dlab"),
            "*/*",
        ),
        (
            "pods_label_bad",
            400,
            "GET",
            format!("{pods}?labelSelector=a+b"),
            "*/*",
        ),
        (
            "accept_bad",
            406,
            "GET",
            format!("{base}/nodes"),
            "application/xml",
        ),
        ("res_404", 404, "GET", format!("{base}/things"), "*/*"),
        ("delete", 405, "DELETE", format!("{pods}/flaky"), "*/*"),
        ("post", 405, "POST", pods.clone(), "*/*"),
        (
            "watch",
            405,
            "GET",
            format!("{base}/pods?watch=true"),
            "*/*",
        ),
        ("direct_resources", 200, "GET", base.to_owned(), "*/*"),
    ] {
        let request = harness
            .request(method, &path)
            .header(USER_AGENT, "curl/8.14")
            .header(ACCEPT, accept);
        let (status, body) = as_captured(name, request).await;
        assert_eq!(status, expected, "{name}");
        assert_eq!(body, captured(&format!("{name}.body")), "{name}");
    }
    discovery_is_the_peers_and_v1_beside_it(&harness).await;
}

async fn discovery_is_the_peers_and_v1_beside_it(harness: &Harness) {
    const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (name, path, accept, versions) in [
        ("direct_apis", "/apis", "*/*", "/groups/0"),
        ("direct_group", "/apis/metrics.k8s.io", "*/*", ""),
        ("direct_aggdisc", "/apis", AGGREGATED, "/items/0"),
    ] {
        let request = harness.request("GET", path).header(ACCEPT, accept);
        let (status, body) = as_captured(name, request).await;
        assert_eq!(status, 200, "{name}");
        let mut ours: Value = serde_json::from_str(&body).unwrap();
        let theirs = captured_json(&format!("{name}.body"));
        let group = ours.pointer_mut(versions).unwrap();
        let first = group["versions"].as_array_mut().unwrap().remove(0);
        assert_eq!(first["version"], "v1", "{name}: v1 comes first");
        if group.get("preferredVersion").is_some() {
            assert_eq!(group["preferredVersion"], first, "{name}");
            group["preferredVersion"] = group["versions"][0].clone();
        }
        if let Some(address) = group.pointer_mut("/serverAddressByClientCIDRs/0/serverAddress") {
            assert_eq!(*address, format!(":{}", harness.server.local_addr().port()));
            *address = ":4443".into();
        }
        assert_eq!(ours.to_string(), theirs.to_string(), "{name}");
    }
    let of = async |version: &str| {
        harness
            .get(&format!("/apis/metrics.k8s.io/{version}"))
            .await
            .1
    };
    let v1 = String::from_utf8(of("v1").await).unwrap();
    assert_eq!(
        v1,
        String::from_utf8(of("v1beta1").await)
            .unwrap()
            .replace("k8s.io/v1beta1", "k8s.io/v1")
    );
}
