//! /metrics: well-formed, complete, the peer's names, and nothing of what is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use kubevitals_proto::time::Timestamp;
use kubevitals_server::telemetry::Allocator;
use kubevitals_server::{engine, external_queries};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Kill, SimClock};
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use crate::captures::captured;
use crate::cli::Running;
use crate::harness::{Harness, RESOLUTION, wait_until};

const NODES: u32 = 3;
const PODS_PER_NODE: u32 = 4;
const BASE: &str = "/apis/metrics.k8s.io/v1beta1";

/// A cluster that has been scraped a few times, and asked this and that.
async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: NODES,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(u64::from(NODES)).await;
    harness.step(u64::from(NODES)).await;
    harness.step(u64::from(NODES)).await;
    wait_until("all pods are answered", async || {
        harness.pods().await.len() == (NODES * PODS_PER_NODE) as usize
    })
    .await;
    harness
}

async fn scrape(harness: &Harness) -> Page {
    let (status, body) = harness.get("/metrics").await;
    assert_eq!(status, 200);
    Page::of(&String::from_utf8(body).unwrap())
}

/// A page of metrics.
#[derive(Debug)]
pub(crate) struct Page {
    /// Types by family.
    pub(crate) types: BTreeMap<String, String>,
    /// Values by name and labels, as written.
    pub(crate) samples: BTreeMap<String, f64>,
}

impl Page {
    fn of(text: &str) -> Self {
        let mut page = Self {
            types: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        for line in text.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                let before = page.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{name} is there twice");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let before = page.samples.insert(name.to_owned(), value.parse().unwrap());
                assert_eq!(before, None, "{name} is there twice");
            }
        }
        page
    }

    fn value(&self, sample: &str) -> f64 {
        *self
            .samples
            .get(sample)
            .unwrap_or_else(|| panic!("no {sample} in {self:#?}"))
    }

    /// The names of labels of a family's samples; of buckets their bounds too.
    fn labels(&self, family: &str) -> BTreeSet<String> {
        let of_family = |name: &&String| {
            let name = name.split('{').next().unwrap();
            ["", "_bucket", "_sum", "_count"]
                .iter()
                .any(|suffix| name.strip_suffix(suffix) == Some(family))
        };
        let mut labels = BTreeSet::new();
        for sample in self.samples.keys().filter(of_family) {
            let inner = sample.split_once('{').map_or("", |(_, rest)| rest);
            for label in inner.trim_end_matches('}').split(',') {
                let (name, value) = label.split_once('=').unwrap_or((label, ""));
                labels.insert(if name == "le" {
                    format!("le={value}")
                } else {
                    name.to_owned()
                });
            }
        }
        labels
    }
}

/// What `promtool check metrics` complains of.
pub(crate) fn promtool(text: &str) -> String {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed (scripts/tools.sh)");
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promtool_accepts_the_metrics() {
    let harness = cluster().await;
    let node = &harness.cluster.node_names()[0];
    harness.cluster.kill_kubelet(node, Kill::Status(403));
    harness.step(u64::from(NODES)).await;
    harness.get("/anything").await;
    let (_, body) = harness.get("/metrics").await;
    assert_eq!(promtool(&String::from_utf8(body).unwrap()), "");
    assert_ne!(promtool("# TYPE a counter\na 1\n"), "", "promtool looks");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peers_families_have_their_names_types_labels_and_buckets() {
    let harness = cluster().await;
    let ours = scrape(&harness).await;
    let theirs = Page::of(&captured("metrics-server-own-metrics.txt"));
    assert_eq!(theirs.types.len(), 6);
    for (family, kind) in &theirs.types {
        assert_eq!(ours.types.get(family), Some(kind), "{family}");
        assert_eq!(ours.labels(family), theirs.labels(family), "{family}");
    }
    let nodes = f64::from(NODES);
    assert_eq!(
        ours.value("metrics_server_kubelet_request_total{success=\"true\"}"),
        nodes * 3.0
    );
    assert_eq!(
        ours.value("metrics_server_storage_points{type=\"node\"}"),
        nodes
    );
    assert!(
        ours.value("metrics_server_storage_points{type=\"container\"}")
            >= f64::from(NODES * PODS_PER_NODE)
    );
    let node = &harness.cluster.node_names()[0];
    let of_node = format!("{{node=\"{node}\"}}");
    assert_eq!(
        ours.value(&format!(
            "metrics_server_kubelet_request_duration_seconds_count{of_node}"
        )),
        3.0
    );
    let last_request = ours.value(&format!(
        "metrics_server_kubelet_last_request_time_seconds{of_node}"
    ));
    let now = harness.clock.now().as_secs() as f64;
    assert!(
        (now - 15.0..=now).contains(&last_request),
        "{last_request} at {now}"
    );
    // Pods were listed until all were answered: each was as old as its last scrape.
    assert!(
        ours.value("metrics_server_api_metric_freshness_seconds_count")
            >= f64::from(NODES * PODS_PER_NODE)
    );
    let old = ours.value("metrics_server_api_metric_freshness_seconds_sum")
        / ours.value("metrics_server_api_metric_freshness_seconds_count");
    assert!((0.0..=60.0).contains(&old), "{old}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_counted_by_reason_and_nodes_by_state() {
    let harness = cluster().await;
    let before = scrape(&harness).await;
    assert_eq!(before.value("kubevitals_nodes{state=\"answering\"}"), 3.0);
    assert_eq!(before.value("kubevitals_nodes{state=\"failing\"}"), 0.0);
    let nodes = harness.cluster.node_names();
    harness.cluster.kill_kubelet(&nodes[0], Kill::Status(403));
    harness.cluster.kill_kubelet(&nodes[1], Kill::ScrapeError);
    harness.step(u64::from(NODES)).await;
    let after = scrape(&harness).await;
    for (sample, expected) in [
        ("kubevitals_nodes{state=\"answering\"}", 1.0),
        ("kubevitals_nodes{state=\"failing\"}", 2.0),
        ("kubevitals_nodes{state=\"waiting\"}", 0.0),
        (
            "kubevitals_scrape_failures_total{reason=\"forbidden\"}",
            1.0,
        ),
        (
            "kubevitals_scrape_failures_total{reason=\"kubelet_error\"}",
            1.0,
        ),
        (
            "metrics_server_kubelet_request_total{success=\"false\"}",
            2.0,
        ),
        ("kubevitals_scrape_duration_seconds_count", 10.0),
        ("kubevitals_cluster_objects{resource=\"nodes\"}", 3.0),
        ("kubevitals_whole{resource=\"pods\"}", 12.0),
        ("kubevitals_watch_restarts_total{resource=\"pods\"}", 0.0),
    ] {
        assert_eq!(after.value(sample), expected, "{sample}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_of_a_gone_node_go_with_it() {
    let harness = cluster().await;
    let node = harness.cluster.node_names()[0].clone();
    let label = format!("node=\"{node}\"");
    let of_node = |page: &Page| {
        page.samples
            .keys()
            .filter(|name| name.contains(&label))
            .count()
    };
    assert!(of_node(&scrape(&harness).await) > 10);
    let store = harness.cluster.store();
    assert!(store.delete(Resource::Nodes, None, &node));
    wait_until("its series are gone", async || {
        of_node(&scrape(&harness).await) == 0
    })
    .await;
    let page = scrape(&harness).await;
    assert_eq!(page.value("kubevitals_nodes{state=\"answering\"}"), 2.0);
    assert_eq!(
        page.value("metrics_server_kubelet_request_total{success=\"true\"}"),
        9.0,
        "what was done stays counted"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_counted_by_verb_resource_and_code_whatever_clients_invent() {
    let harness = cluster().await;
    let node = &harness.cluster.node_names()[0];
    for (method, path) in [
        ("GET", format!("{BASE}/nodes")),
        ("GET", format!("{BASE}/nodes/{node}")),
        ("GET", format!("{BASE}/nodes/nobody")),
        ("DELETE", format!("{BASE}/nodes/{node}")),
        ("GET", format!("{BASE}/inventions")),
        ("BREW", "/coffee".to_owned()),
        ("GET", "/tea".to_owned()),
    ] {
        harness.send(harness.request(method, &path)).await;
    }
    let series = |verb: &str, resource: &str, code: &str| {
        format!("{{verb=\"{verb}\",resource=\"{resource}\",code=\"{code}\"}}")
    };
    let counted = |page: &Page, labels: &str| {
        page.samples
            .get(&format!("kubevitals_api_requests_total{labels}"))
            .copied()
    };
    // An answer is over a moment after its last byte is out.
    wait_until("the last of them is counted", async || {
        let page = scrape(&harness).await;
        counted(&page, &series("get", "other", "404")) == Some(1.0)
            && counted(&page, &series("other", "other", "404")) == Some(1.0)
    })
    .await;
    let page = scrape(&harness).await;
    for (verb, resource, code, expected) in [
        ("list", "nodes", "200", 1.0),
        ("get", "nodes", "200", 1.0),
        ("get", "nodes", "404", 1.0),
        ("delete", "nodes", "405", 1.0),
        ("list", "other", "404", 1.0),
    ] {
        let labels = series(verb, resource, code);
        assert_eq!(counted(&page, &labels), Some(expected), "{labels}");
    }
    assert_eq!(
        page.value(
            "kubevitals_api_request_duration_seconds_count{verb=\"get\",resource=\"nodes\"}"
        ),
        2.0
    );
    assert_eq!(
        page.value("kubevitals_api_requests_under_way"),
        1.0,
        "the one that asks"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openmetrics_is_negotiated() {
    let harness = cluster().await;
    let ask = async |accept: &str| {
        let request = harness.request("GET", "/metrics").header(ACCEPT, accept);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        let media = response.headers()[CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        (media, response.text().await.unwrap())
    };
    // What Prometheus itself sends.
    let prometheus = "application/openmetrics-text;version=1.0.0,\
        application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let (media, text) = ask(prometheus).await;
    assert_eq!(
        media,
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    assert!(text.ends_with("\n# EOF\n"));
    assert!(text.contains("# TYPE kubevitals_api_requests counter\n"));
    for accept in [
        "*/*",
        "text/plain",
        "text/plain;version=0.0.4, application/openmetrics-text;q=0.5",
        "text/html",
    ] {
        let (media, text) = ask(accept).await;
        assert_eq!(
            media, "text/plain; version=0.0.4; charset=utf-8",
            "{accept}"
        );
        assert!(text.contains("# TYPE kubevitals_api_requests_total counter\n"));
        assert!(!text.contains("# EOF"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_has_an_audit_id() {
    let harness = cluster().await;
    for path in ["/livez", "/nowhere", &format!("{BASE}/nodes")] {
        let response = harness.request("GET", path).send().await.unwrap();
        assert_eq!(response.headers()["audit-id"].len(), 36, "{path}");
        let answered = harness.request("GET", path).header("audit-id", "mine-1");
        let response = answered.send().await.unwrap();
        assert_eq!(response.headers()["audit-id"], "mine-1", "{path}");
    }
}

/// The rows of the tables of docs/metrics.md: type, labels, meaning, by name.
fn documented() -> BTreeMap<String, (String, String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [name, kind, labels, meaning] = cells[..] else {
            panic!("{row}: not name, type, labels, meaning");
        };
        let rest = (kind.to_owned(), labels.to_owned(), meaning.to_owned());
        (name.trim_matches('`').to_owned(), rest)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_lists_all_there_is_and_nothing_else() {
    let config = Config {
        nodes: NODES,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    // With everything that not every server has.
    let harness = Harness::start_with(config, |settings| {
        settings.requests.max_requests_inflight = 100;
        settings.tls.manage = true;
        settings.incidents = Some(kubevitals_server::state::INCIDENTS.to_owned());
        settings.notify = crate::notify::settings(&["--incident-log=/dev/full".to_owned()]);
        // Shard 0 of 1: no other shard is missing.
        settings.peers = Some(kubevitals_server::state::PeerCredentials {
            identity: None,
            token: kubevitals_server::scrape::Token::None,
        });
        settings.shard = Some(kubevitals_server::shard::Settings {
            index: 0,
            count: kubevitals_server::shard::Count::Fixed(1),
        });
        settings.memory_limit = Some(1 << 40);
        settings.pod_metrics = Some(kubevitals_server::pod_metrics::Settings::default());
        settings.engine = Some(engine::Settings {
            url: "http://127.0.0.1:9".parse().unwrap(),
            timeout: RESOLUTION,
            http_config: None,
            matchers: Vec::new(),
        });
        settings.external_queries = Some(external_queries::Settings {
            queries: Vec::new(),
            engine: settings.engine.clone().unwrap(),
        });
        let flags = [
            "--remote-write-url=http://127.0.0.1:9/",
            "--leader-elect=false",
        ];
        crate::remote_write::export(settings, &flags.map(str::to_owned));
        settings.allocator = Some(|| {
            Some(Allocator {
                allocated: 1,
                active: 2,
                resident: 3,
                mapped: 4,
                retained: 5,
            })
        });
    })
    .await;
    harness.first_step(u64::from(NODES)).await;
    let node = &harness.cluster.node_names()[0];
    harness.cluster.kill_kubelet(node, Kill::Status(403));
    harness.step(u64::from(NODES)).await;
    harness.json(&format!("{BASE}/nodes")).await;
    let mut text = String::new();
    wait_until("the server has a managed CA", async || {
        let (_, body) = harness.get("/metrics").await;
        text = String::from_utf8(body).unwrap();
        let mut lines = text.lines();
        lines.any(|line| line.starts_with("kubevitals_managed_ca_expiry_time_seconds "))
    })
    .await;
    let page = Page::of(&text);
    let helps: BTreeMap<&str, &str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
        .collect();
    let documented = documented();
    let mut missing = String::new();
    for (name, kind) in &page.types {
        let labels: Vec<String> = page
            .labels(name)
            .into_iter()
            .filter(|label| !label.is_empty() && !label.starts_with("le="))
            .map(|label| format!("`{label}`"))
            .collect();
        let labels = labels.join(", ");
        let row = (kind.clone(), labels, helps[name.as_str()].to_owned());
        let known = documented.get(name);
        let right = known.is_some_and(|(kind, labels, meaning)| {
            // A family without a sample has no labels to compare.
            (kind, meaning) == (&row.0, &row.2) && (row.1.is_empty() || *labels == row.1)
        });
        if !right {
            missing += &format!("| `{name}` | {} | {} | {} |\n", row.0, row.1, row.2);
        }
    }
    assert!(missing.is_empty(), "docs/metrics.md should have\n{missing}");
    for name in documented.keys() {
        assert!(
            page.types.contains_key(name),
            "{name} is documented, and is none"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn process_and_allocator_metrics_are_exposed() {
    let program = Running::start(&["--authorization-always-allow-paths=/metrics"]);
    program.until(" serves on ");
    let _provider = kubevitals_server::tls::provider();
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let url = format!("https://{}/metrics", program.address);
    let response = client.get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let text = response.text().await.unwrap();
    assert_eq!(promtool(&text), "");
    let page = Page::of(&text);
    let bytes = |kind: &str| page.value(&format!("kubevitals_allocator_bytes{{kind=\"{kind}\"}}"));
    let (allocated, resident) = (bytes("allocated"), bytes("resident"));
    assert!(
        0.0 < allocated && allocated < resident,
        "{allocated} {resident}"
    );
    for name in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ] {
        if cfg!(target_os = "linux") {
            assert!(page.value(name) > 0.0, "{name}");
        }
    }
    assert_eq!(
        page.value(&format!(
            "kubevitals_build_info{{version=\"{}\"}}",
            env!("CARGO_PKG_VERSION")
        )),
        1.0
    );
}
