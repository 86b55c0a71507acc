//! Readiness and liveness, and how soon the server is ready.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Faults, Kill, SimClock};

use crate::captures::captured;
use crate::harness::{Harness, RESOLUTION, wait_until};

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
async fn every_node_and_pod_has_metrics_after_one_scrape() {
    let harness = Harness::start(config()).await;
    // The clock stands still, so there is no second scrape.
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
async fn all_nodes_are_scraped_in_their_first_turn() {
    let many = 300;
    let harness = Harness::start(Config {
        nodes: many,
        pods_per_node: 1,
        ..config()
    })
    .await;
    // The clock stands still: a node that was scraped sleeps, and must not occupy a slot meanwhile.
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
async fn the_server_is_ready_once_it_has_metrics() {
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
        captured("readyz.body")
            .replace(
                "[+]metric-storage-ready ok",
                "[-]metric-storage-ready failed: reason withheld"
            )
            .replace("check passed", "check failed")
    );
    let (status, why) = text(&harness, "/readyz/metric-storage-ready").await;
    assert_eq!(status, 500);
    assert_eq!(
        why,
        "internal server error: no metrics to serve: no node has any yet\n"
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
async fn the_version_is_served() {
    let harness = Harness::start(config()).await;
    let version = harness.json("/version").await;
    assert_eq!(
        version["gitVersion"],
        concat!("v", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checks_are_those_of_metrics_server() {
    let harness = Harness::start(config()).await;
    harness.first_step(u64::from(NODES)).await;
    wait_until("it is ready", async || {
        text(&harness, "/readyz").await.0 == 200
    })
    .await;
    for (name, path) in [
        ("livez", "/livez?verbose"),
        ("readyz", "/readyz?verbose"),
        ("healthz", "/healthz?verbose"),
        ("livez_ping", "/livez/ping"),
    ] {
        let (status, body) = text(&harness, path).await;
        assert_eq!((status, body), (200, captured(&format!("{name}.body"))));
    }
    // Every check of a report has a path of its own, with any name.
    for endpoint in ["livez", "readyz", "healthz"] {
        for line in captured(&format!("{endpoint}.body")).lines() {
            let Some(name) = line.strip_prefix("[+]").and_then(|l| l.strip_suffix(" ok")) else {
                continue;
            };
            let alone = text(&harness, &format!("/{endpoint}/{name}")).await;
            assert_eq!(alone, (200, "ok".to_owned()), "{endpoint}/{name}");
        }
        assert_eq!(text(&harness, &format!("/{endpoint}/nothing")).await.0, 404);
        assert_eq!(
            text(&harness, &format!("/{endpoint}/poststarthook"))
                .await
                .0,
            404
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_are_excluded_by_name() {
    let harness = Harness::start(config()).await;
    let path =
        "/livez?verbose&exclude=log&exclude=poststarthook/max-in-flight-filter&exclude=x&exclude=b";
    let (status, body) = text(&harness, path).await;
    assert_eq!(status, 200);
    for line in [
        "[+]ping ok\n",
        "[+]log excluded: ok\n",
        "[+]poststarthook/max-in-flight-filter excluded: ok\n",
        "warn: some health checks cannot be excluded: no matches for \"b\",\"x\"\nlivez check passed\n",
    ] {
        assert!(body.contains(line), "{line:?} is not in {body}");
    }
    assert_eq!(
        text(&harness, "/livez?exclude=x").await,
        (200, "ok".to_owned()),
        "nobody asked for words"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_scraping_is_not_alive() {
    let harness = Harness::start(config()).await;
    harness.first_step(u64::from(NODES)).await;
    wait_until("all pods are answered", async || {
        harness.pods().await.len() == (NODES * PODS_PER_NODE) as usize
    })
    .await;
    // Failing nodes are scraped less often, which is no failure of the server.
    for node in harness.cluster.node_names() {
        harness.cluster.kill_kubelet(&node, Kill::Status(500));
    }
    for _ in 0..6 {
        harness.clock.advance(RESOLUTION / 2);
        wait_until("it is alive", async || {
            text(&harness, "/livez").await.0 == 200
        })
        .await;
    }
    // Nodes that hang block their turns; the clock advances here while no turn can start.
    for node in harness.cluster.node_names() {
        harness.cluster.kill_kubelet(&node, Kill::Hang);
    }
    harness.clock.advance(RESOLUTION * 3);
    wait_until("the nodes are being asked", async || {
        harness.server.query().scrapes().asking == NODES as usize
    })
    .await;
    assert_eq!(text(&harness, "/livez").await.0, 200);
    harness.clock.advance(RESOLUTION * 3 / 2 + RESOLUTION / 2);
    let mut report = String::new();
    wait_until("it is not alive", async || {
        let (status, body) = text(&harness, "/livez").await;
        report = body;
        status == 500
    })
    .await;
    assert_eq!(
        report,
        captured("livez.body")
            .replace(
                "[+]metric-collection-timely ok",
                "[-]metric-collection-timely failed: reason withheld"
            )
            .replace("check passed", "check failed")
    );
    assert_eq!(
        text(&harness, "/livez?exclude=metric-collection-timely")
            .await
            .0,
        200
    );
    assert_eq!(
        text(&harness, "/readyz").await.0,
        200,
        "what is known can still be asked for"
    );
}
