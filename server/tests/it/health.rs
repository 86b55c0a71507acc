//! When the server says that it can be asked, and how soon it can.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, Kill, SimClock};

use crate::harness::{Harness, wait_until};

const NODES: u32 = 2;
const PODS_PER_NODE: u32 = 4;

fn config() -> Config {
    Config {
        nodes: NODES,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    }
}

async fn text(harness: &Harness, path: &str) -> (u16, String) {
    let (status, body) = harness.get(path).await;
    (status, String::from_utf8(body).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_and_pod_is_answered_after_one_scrape() {
    let harness = Harness::start(config()).await;
    // The clock stands still: there is no second scrape to wait for.
    wait_until("all pods are answered", async || {
        harness.pods().await.len() == (NODES * PODS_PER_NODE) as usize
    })
    .await;
    assert_eq!(harness.scraped(), u64::from(NODES));
    let nodes = harness.json("/apis/metrics.k8s.io/v1/nodes").await;
    for node in nodes["items"].as_array().unwrap() {
        assert_eq!(
            node["window"], "20s",
            "the kubelet's own rate, over the longest window it can be of"
        );
        assert_ne!(node["usage"]["cpu"], "0");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_nodes_than_are_asked_at_the_same_moment_are_all_asked_in_the_first_turn() {
    let many = 300;
    let harness = Harness::start(Config {
        nodes: many,
        pods_per_node: 1,
        ..config()
    })
    .await;
    // The clock stands still: whoever has been asked sleeps, and must not keep its place while it does.
    wait_until("all nodes are answered", async || {
        harness.json("/apis/metrics.k8s.io/v1/nodes").await["items"]
            .as_array()
            .unwrap()
            .len()
            == many as usize
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ready_means_that_first_answers_exist_and_stays() {
    let harness = Harness::start_on(config(), |cluster| {
        for node in cluster.node_names() {
            cluster.kill_kubelet(&node, Kill::Status(500));
        }
    })
    .await;
    wait_until("nodes and pods are listed", async || {
        text(&harness, "/readyz/metadata-informer-sync").await.0 == 200
    })
    .await;
    let (status, report) = text(&harness, "/readyz").await;
    assert_eq!(status, 500);
    assert_eq!(
        report,
        "[+]ping ok\n[-]metric-storage-ready failed: reason withheld\n[+]metric-informer-sync ok\n\
         [+]metadata-informer-sync ok\nreadyz check failed\n"
    );
    assert_eq!(text(&harness, "/livez").await, (200, "ok".to_owned()));
    assert_eq!(
        text(&harness, "/readyz?exclude=metric-storage-ready")
            .await
            .0,
        200
    );

    for node in harness.cluster.node_names() {
        harness.cluster.heal_kubelet(&node);
    }
    harness.first_step(u64::from(NODES)).await;
    harness.step(u64::from(NODES)).await;
    assert_eq!(text(&harness, "/readyz").await, (200, "ok".to_owned()));
    let (_, verbose) = text(&harness, "/readyz?verbose").await;
    assert!(
        verbose.starts_with("[+]ping ok\n") && verbose.ends_with("readyz check passed\n"),
        "{verbose}"
    );

    for node in harness.cluster.node_names() {
        harness.cluster.kill_kubelet(&node, Kill::Status(500));
    }
    harness.step(u64::from(NODES)).await;
    assert_eq!(
        text(&harness, "/readyz").await.0,
        200,
        "an API service must not flap with its nodes"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_is_told() {
    let harness = Harness::start(config()).await;
    let version = harness.json("/version").await;
    assert_eq!(
        version["gitVersion"],
        concat!("v", env!("CARGO_PKG_VERSION"))
    );
}
