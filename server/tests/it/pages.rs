//! The pages that are requested beside /metrics/resource: each at its own times, and none at the cost of another.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::config::Settings;
use kubevitals_server::scrape::PageSnapshot;
use kubevitals_sim::{Config, Faults, Forged, SimClock};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION, wait_until};

const NODES: u64 = 3;
const PAGES: [&str; 2] = ["probes", "summary"];

async fn cluster(change: impl FnOnce(&mut Settings)) -> Harness {
    let config = Config {
        nodes: NODES as u32,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| {
        // Longer than any answer takes on any machine that one would test on.
        settings.scrape.timeout = Duration::from_secs(50);
        change(settings);
    })
    .await;
    harness.first_step(NODES).await;
    harness
}

fn counts(harness: &Harness, page: &str) -> PageSnapshot {
    harness.server.query().scrapes().pages[page].clone()
}

fn requests(harness: &Harness, page: &str) -> u64 {
    let counts = counts(harness, page);
    counts.succeeded + counts.failed.values().sum::<u64>()
}

/// Moves the clock on by `steps` resolutions, a third at a time; each time as many requests for pages as `due` says for
/// that third are waited for.
async fn steps(harness: &Harness, steps: u32, mut due: impl FnMut(u32) -> [u64; 2]) {
    let before = harness.scraped();
    for third in 1..=steps * 3 {
        harness.clock.advance(RESOLUTION / 3);
        let due = due(third);
        wait_until("the pages that are due were requested", async || {
            PAGES
                .iter()
                .zip(due)
                .all(|(page, due)| requests(harness, page) >= due)
        })
        .await;
        let turns = before + NODES * u64::from(third / 3);
        wait_until("every node was scraped", async || {
            harness.scraped() >= turns
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_page_is_requested_soon_and_then_once_per_interval() {
    let harness = cluster(|_| {}).await;
    // All have had their first turn within one resolution, and then one in each minute.
    steps(&harness, 17, |third| {
        let turns = u64::from(third / 12).max(u64::from(third >= 3));
        [NODES * turns; 2]
    })
    .await;
    for page in PAGES {
        let count = requests(&harness, page);
        assert!(
            (NODES * 4..=NODES * 6).contains(&count),
            "{page}: {count} requests in four minutes and a quarter"
        );
        let counts = counts(&harness, page);
        assert!(counts.failed.is_empty(), "{page}: {counts:?}");
        assert!(counts.bytes > 0);
    }
    assert_eq!(harness.scraped(), NODES * 18, "one scrape a resolution");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_page_is_never_requested() {
    let harness = cluster(|settings| settings.scrape.pages.summary = None).await;
    steps(&harness, 6, |_| [0; 2]).await;
    wait_until("probes were requested", async || {
        requests(&harness, "probes") >= NODES
    })
    .await;
    assert_eq!(requests(&harness, "summary"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_page_is_requested_less_often_and_affects_no_other() {
    let harness = cluster(|_| {}).await;
    let sick = harness.cluster.node_names()[0].clone();
    assert!(
        harness
            .cluster
            .forge(&sick, "/stats/summary", Forged::Status(500))
    );
    let all = harness.pods().await;
    // Half an hour: the sick node's turns are one, one, two, four and then eight minutes apart.
    for _ in 0..120 {
        harness.step(NODES).await;
    }
    wait_until("the others were requested for half an hour", async || {
        counts(&harness, "summary").succeeded >= (NODES - 1) * 29
            && counts(&harness, "probes").succeeded >= NODES * 29
    })
    .await;
    let summary = counts(&harness, "summary");
    let failed = summary.failed.get("status").copied().unwrap_or_default();
    assert!((4..=7).contains(&failed), "{summary:?}");
    assert!(counts(&harness, "probes").failed.is_empty());
    let scrapes = harness.server.query().scrapes();
    assert!(scrapes.failed.is_empty(), "{:?}", scrapes.failed);
    assert_eq!(harness.pods().await, all, "it is answered all the same");
    let targets = harness.json("/debug/targets").await;
    for target in targets["targets"].as_array().unwrap() {
        assert_eq!(target["state"], "answering");
    }
    let (_, metrics) = harness.get("/metrics").await;
    let metrics = String::from_utf8(metrics).unwrap();
    let line =
        format!("kubevitals_page_failures_total{{page=\"summary\",reason=\"status\"}} {failed}");
    assert!(metrics.contains(&line), "{line}");

    // Mended, it tells again what it knows.
    assert!(harness.cluster.unforge(&sick, "/stats/summary"));
    wait_until("its page is taken in again", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        harness.server.query().extra(&sick).is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_have_disk_usage_and_pods_network_usage() {
    let harness = cluster(|_| {}).await;
    let node = harness.cluster.node_names()[0].clone();
    let query = harness.server.query();
    wait_until("there are two readings", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        query
            .extra(&node)
            .is_some_and(|extra| extra.network().is_some())
    })
    .await;
    let extra = query.extra(&node).unwrap();
    let disk = extra.disk.unwrap();
    assert!(disk.used <= disk.capacity && disk.available <= disk.capacity);
    assert!(extra.processes().unwrap() > 0);
    assert_eq!(extra.pods(), 4);
    // A node that stays away is not answered for ever.
    harness
        .cluster
        .forge(&node, "/stats/summary", Forged::Status(500));
    wait_until("its response is too old", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        query.extra(&node).is_none()
    })
    .await;
}

/// Moves the clock on by `step` until the kubelet of `node` leaves a request for `path` unanswered.
async fn wait_for_paused(harness: &Harness, node: &str, path: &str, step: Duration) {
    wait_until("the page is requested", async || {
        if harness.cluster.paused_requests(node, path) == 0 {
            harness.clock.advance(step);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        harness.cluster.paused_requests(node, path) > 0
    })
    .await;
}

/// A page takes longer than what is left until the node's next turn, and longer than several: it comes, and
/// `/metrics/resource` is requested at each turn meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_page_comes_and_holds_up_nothing() {
    for (name, path) in [("summary", "/stats/summary"), ("probes", "/metrics/probes")] {
        for turns in [1, 3] {
            let harness = cluster(|_| {}).await;
            harness.step(NODES).await;
            harness.step(NODES).await;
            let slow = harness.cluster.node_names()[0].clone();
            assert!(harness.cluster.pause_page(&slow, path));
            wait_for_paused(&harness, &slow, path, RESOLUTION / 3).await;
            let before = harness.cluster.scrapes(&slow);
            for turn in 1..=turns {
                // Again and again: a node that has not planned its next turn yet plans it from the time that is then.
                wait_until("the node is scraped at its turn", async || {
                    harness.clock.advance(RESOLUTION / 3);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    harness.cluster.scrapes(&slow) >= before + turn
                })
                .await;
            }
            assert_eq!(
                harness.cluster.paused_requests(&slow, path),
                1,
                "it is not cut"
            );
            let known = counts(&harness, name).succeeded;
            assert!(harness.cluster.resume_page(&slow, path));
            wait_until("the page is taken in", async || {
                counts(&harness, name).succeeded > known
            })
            .await;
            assert!(counts(&harness, name).failed.is_empty());
            assert!(harness.server.query().scrapes().failed.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pages_may_be_slow_at_once() {
    let harness = cluster(|_| {}).await;
    harness.step(NODES).await;
    let slow = harness.cluster.node_names()[0].clone();
    let pages = ["/metrics/probes", "/stats/summary"];
    for path in pages {
        harness.cluster.pause_page(&slow, path);
    }
    // Whichever comes first; the other one comes after it.
    wait_until("a page is requested", async || {
        harness.clock.advance(RESOLUTION / 3);
        tokio::time::sleep(Duration::from_millis(20)).await;
        pages
            .iter()
            .any(|path| harness.cluster.paused_requests(&slow, path) > 0)
    })
    .await;
    harness.cluster.pause_page(&slow, "/metrics/resource");
    wait_for_paused(&harness, &slow, "/metrics/resource", RESOLUTION).await;
    for path in pages.into_iter().chain(["/metrics/resource"]) {
        harness.cluster.resume_page(&slow, path);
    }
    let before = harness.server.query().scrapes().succeeded;
    wait_until("all of them come", async || {
        harness.clock.advance(RESOLUTION / 3);
        tokio::time::sleep(Duration::from_millis(20)).await;
        PAGES
            .iter()
            .all(|page| counts(&harness, page).succeeded >= NODES)
            && harness.server.query().scrapes().succeeded >= before + NODES
    })
    .await;
    for page in PAGES {
        assert!(counts(&harness, page).failed.is_empty());
    }
    assert!(harness.server.query().scrapes().failed.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_slower_than_the_timeout_fails_for_that_and_costs_nothing_else() {
    let harness = cluster(|settings| settings.scrape.timeout = Duration::from_secs(4)).await;
    harness.step(NODES).await;
    let slow = harness.cluster.node_names()[0].clone();
    harness.cluster.pause_page(&slow, "/stats/summary");
    wait_for_paused(&harness, &slow, "/stats/summary", RESOLUTION / 3).await;
    wait_until("the page is given up", async || {
        counts(&harness, "summary").failed.contains_key("timeout")
    })
    .await;
    let scraped = harness.cluster.scrapes(&slow);
    harness.clock.advance(RESOLUTION);
    wait_until("the node is scraped", async || {
        harness.cluster.scrapes(&slow) > scraped
    })
    .await;
    let target = target(&harness, &slow).await;
    assert_eq!(page(&target, "summary")["state"], "failing", "{target}");
    assert_eq!(
        page(&target, "summary")["lastRequest"]["error"]["reason"],
        "timeout"
    );
    assert_eq!(target["state"], "answering");
}

async fn target(harness: &Harness, node: &str) -> Value {
    let report = harness.json("/debug/targets").await;
    let targets = report["targets"].as_array().unwrap();
    let found = targets.iter().find(|target| target["node"] == node);
    found.cloned().unwrap_or_default()
}

fn page(object: &Value, name: &str) -> Value {
    let pages = object["pages"].as_array().unwrap();
    let found = pages.iter().find(|page| page["name"] == name);
    found.cloned().unwrap_or_default()
}

/// Which page of which node fails, and why, stands wherever one would look for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_page_of_each_node_has_a_state() {
    let harness = cluster(|_| {}).await;
    let nodes = harness.cluster.node_names();
    let cases = [
        (
            &nodes[0],
            "probes",
            "/metrics/probes",
            500,
            "status",
            "Status",
        ),
        (
            &nodes[1],
            "summary",
            "/stats/summary",
            404,
            "status",
            "Status",
        ),
        (
            &nodes[2],
            "summary",
            "/stats/summary",
            403,
            "forbidden",
            "Forbidden",
        ),
        (
            &nodes[2],
            "probes",
            "/metrics/probes",
            403,
            "forbidden",
            "Forbidden",
        ),
    ];
    for (node, _, path, status, ..) in cases {
        assert!(harness.cluster.forge(node, path, Forged::Status(status)));
    }
    wait_until("every page was requested", async || {
        harness.clock.advance(RESOLUTION / 3);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let report = harness.json("/debug/targets").await;
        let targets = report["targets"].as_array().unwrap();
        targets.iter().all(|target| {
            let pages = target["pages"].as_array().unwrap();
            pages.iter().all(|page| page["state"] != "waiting")
        })
    })
    .await;
    for (node, name, path, status, reason, capital) in cases {
        let found = page(&target(&harness, node).await, name);
        assert_eq!(found["state"], "failing", "{node} {found}");
        assert_eq!(found["path"], path);
        let error = &found["lastRequest"]["error"];
        assert_eq!(error["reason"], reason);
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains(&status.to_string())
        );
        // What to do is about this page.
        let hint = error["hint"].as_str().unwrap();
        assert!(!hint.contains("/metrics/resource"), "{hint}");

        let vitals = harness
            .json(&format!("/apis/kubevitals.io/v1alpha1/nodevitals/{node}"))
            .await;
        let found = page(&vitals, name);
        assert_eq!(found["state"], "Failing", "{vitals}");
        assert_eq!(found["reason"], capital);
        assert!(
            found["message"]
                .as_str()
                .unwrap()
                .contains(&status.to_string())
        );
        assert_eq!(page(&vitals, "resource")["state"], "Answering");
        assert!(page(&vitals, "resource")["lastSuccess"].is_string());

        let why = harness
            .json(&format!("/apis/metrics.k8s.io/v1beta1/nodes/{node}/why"))
            .await;
        let steps = why["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == "pages").unwrap();
        assert_eq!(step["state"], "warning", "{why}");
        let message = step["message"].as_str().unwrap();
        assert!(
            message.contains(path) && message.contains(&status.to_string()),
            "{message}"
        );
    }
    // A page that answers says so.
    let found = page(&target(&harness, &nodes[0]).await, "summary");
    assert_eq!(found["state"], "answering", "{found}");
    assert!(found["lastSuccess"]["time"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_page_has_the_state_disabled() {
    let harness = cluster(|settings| settings.scrape.pages.summary = None).await;
    let node = &harness.cluster.node_names()[0];
    assert_eq!(
        page(&target(&harness, node).await, "summary")["state"],
        "disabled"
    );
    let path = format!("/apis/kubevitals.io/v1alpha1/nodevitals/{node}");
    wait_until("the server knows the node", async || {
        harness.get(&path).await.0 == 200
    })
    .await;
    let vitals = harness.json(&path).await;
    assert_eq!(page(&vitals, "summary")["state"], "Disabled");
}
