//! A cluster that needs more memory than the server may use. What the program has allocated is set by the test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::telemetry::Allocator;
use kubevitals_sim::{Config, Faults, Kill, SimClock};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION, counted, wait_until};

const NOW: i64 = 1_795_241_000;
const MIB: u64 = 1 << 20;
const LIMIT: u64 = 256 * MIB;
const WATCH: &str = "/apis/kubevitals.io/v1alpha1/podvitals?watch=1&timeoutSeconds=1";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";
const NODES: &str = "/apis/metrics.k8s.io/v1beta1/nodes";
const CLUSTER: &str = "/apis/kubevitals.io/v1alpha1/clustervitals/cluster";

/// What the program has allocated, in MiB.
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

fn statistics() -> Option<Allocator> {
    let allocated = ALLOCATED.load(Ordering::SeqCst) * MIB;
    Some(Allocator {
        allocated,
        active: allocated,
        resident: allocated,
        mapped: allocated,
        retained: 0,
    })
}

async fn start() -> Harness {
    let config = Config {
        nodes: 3,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(NOW))),
        ..Config::default()
    };
    Harness::start_with(config, |settings| {
        settings.memory_limit = Some(LIMIT);
        settings.allocator = Some(statistics);
        settings.history.memory_limit = 100 << 20;
    })
    .await
}

impl Harness {
    async fn count(&self, sample: &str) -> u64 {
        counted(&self.cluster, &self.server, sample).await
    }

    /// Moves the clock until a gauge has a value.
    async fn until(&self, gauge: &str, expected: u64) {
        wait_until(gauge, async || {
            self.clock.advance(RESOLUTION);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.count(gauge).await == expected
        })
        .await;
    }

    /// Why an object has no metrics.
    async fn why(&self, path: &str) -> Value {
        let path = format!("/apis/metrics.k8s.io/v1beta1/{path}/why");
        let (status, body) = self.get(&path).await;
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).unwrap()
    }

    /// The `Warning` of a response of the API.
    async fn warning(&self) -> Option<String> {
        let response = self.request("GET", NODES).send().await.unwrap();
        let warning = response.headers().get("warning")?;
        Some(warning.to_str().unwrap().to_owned())
    }
}

/// A limit that is too low for the objects of the API server: the server stores as many as fit, and says which limit to
/// raise.
async fn objects_are_left_out_until_there_is_memory(harness: &Harness) {
    let left_out = |resource| format!("kubevitals_watch_left_out{{resource=\"{resource}\"}}");
    harness.until(&left_out("nodes"), 3).await;
    harness.until(&left_out("pods"), 12).await;
    assert_eq!(
        harness
            .count("kubevitals_cluster_objects{resource=\"pods\"}")
            .await,
        0
    );
    // The recommended limit is computed with the history.
    wait_until("the warning names the limits", async || {
        harness.clock.advance(RESOLUTION);
        let warning = harness.warning().await.unwrap();
        assert!(
            warning.starts_with("299 - \"") && warning.contains("3 nodes and 12 pods are left out"),
            "{warning}"
        );
        warning.contains("from 256Mi to 512Mi")
    })
    .await;
    for path in ["namespaces/default/pods/any", "nodes/any"] {
        let why = harness.why(path).await;
        assert_eq!(why["reason"], "memory_limit", "{why}");
        let hint = why["hint"].as_str().unwrap();
        assert!(
            hint.contains("raise the memory limit") && hint.contains("from 256Mi to 512Mi"),
            "{why}"
        );
    }
    let cluster: Value = serde_json::from_slice(&harness.get(CLUSTER).await.1).unwrap();
    assert!(
        cluster["requests"].get("cpu").is_none(),
        "a sum over some pods: {cluster}"
    );
    for node in harness.cluster.node_names() {
        harness.cluster.kill_kubelet(&node, Kill::Refuse);
    }
    ALLOCATED.store(50, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 0).await;
    // At the end of a watch a list follows.
    harness.cluster.api().break_watches();
    harness.until(&left_out("nodes"), 0).await;
    harness.until(&left_out("pods"), 0).await;
    assert_eq!(harness.warning().await, None);
    let cluster: Value = serde_json::from_slice(&harness.get(CLUSTER).await.1).unwrap();
    assert!(cluster["requests"].get("cpu").is_some(), "{cluster}");
}

/// Nodes that were never scraped are left out near the limit.
async fn nodes_are_not_scraped_until_there_is_memory(harness: &Harness) {
    ALLOCATED.store(240, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 1).await;
    let nodes = harness.cluster.node_names();
    for node in &nodes {
        harness.cluster.heal_kubelet(node);
    }
    harness.until("kubevitals_memory_nodes_left_out", 3).await;
    let why = harness.why(&format!("nodes/{}", nodes[0])).await;
    assert_eq!(why["reason"], "memory_limit", "{why}");
    assert!(why["hint"].as_str().unwrap().contains("to 512Mi"), "{why}");
    let path = format!("/apis/kubevitals.io/v1alpha1/nodevitals/{}", nodes[0]);
    // The list of versions is up to a second old.
    wait_until("the node has no usage for lack of memory", async || {
        let (_, body) = harness.get(&path).await;
        let node: Value = serde_json::from_slice(&body).unwrap();
        node["absent"]["reason"] == "MemoryLimit"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_becomes_shorter_then_options_end_then_new_nodes_wait() {
    ALLOCATED.store(240, Ordering::SeqCst);
    let harness = start().await;
    objects_are_left_out_until_there_is_memory(&harness).await;
    nodes_are_not_scraped_until_there_is_memory(&harness).await;
    ALLOCATED.store(50, Ordering::SeqCst);
    harness.until("kubevitals_memory_nodes_left_out", 0).await;
    harness.until("kubevitals_memory_tight", 0).await;
    wait_until("every node is scraped", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.pods().await.len() == 12
    })
    .await;
    harness.server.ready().await;
    // The history has what it may have by itself, or what the rest leaves.
    harness
        .until("kubevitals_history_bytes_limit", 100 * MIB)
        .await;
    assert_eq!(harness.count("kubevitals_memory_limit_bytes").await, LIMIT);
    ALLOCATED.store(150, Ordering::SeqCst);
    wait_until("the history has less", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let limit = harness.count("kubevitals_history_bytes_limit").await;
        (42 * MIB..43 * MIB).contains(&limit)
    })
    .await;
    assert_eq!(harness.get(WATCH).await.0, 200);
    // Nothing is left for it.
    ALLOCATED.store(200, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 1).await;
    let (status, body) = harness.get(WATCH).await;
    assert_eq!(status, 429, "{}", String::from_utf8_lossy(&body));
    // Lists and scrapes go on, also at seven eighths.
    ALLOCATED.store(250, Ordering::SeqCst);
    let before = harness.scraped();
    wait_until("scrapes go on", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.scraped() >= before + 9
    })
    .await;
    assert_eq!(harness.get(PODS).await.0, 200);
    ALLOCATED.store(50, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 0).await;
    assert_eq!(harness.get(WATCH).await.0, 200);
}
