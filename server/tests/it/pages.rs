//! The pages that are asked for beside /metrics/resource: each at its own times, and none at the cost of another.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::config::Settings;
use kubevitals_server::scrape::PageSnapshot;
use kubevitals_sim::{Config, Faults, SimClock};

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
        settings.kubelet_timeout = Duration::from_secs(50);
        change(settings);
    })
    .await;
    harness.first_step(NODES).await;
    harness
}

fn counts(harness: &Harness, page: &str) -> PageSnapshot {
    harness.server.query().scrapes().pages[page].clone()
}

fn asked(harness: &Harness, page: &str) -> u64 {
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
        wait_until("the pages that are due were asked for", async || {
            PAGES
                .iter()
                .zip(due)
                .all(|(page, due)| asked(harness, page) >= due)
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
async fn each_page_is_asked_for_soon_and_then_once_in_its_interval() {
    let harness = cluster(|_| {}).await;
    // All have had their first turn within one resolution, and then one in each minute.
    steps(&harness, 17, |third| {
        let turns = u64::from(third / 12).max(u64::from(third >= 3));
        [NODES * turns; 2]
    })
    .await;
    for page in PAGES {
        let asked = asked(&harness, page);
        assert!(
            (NODES * 4..=NODES * 6).contains(&asked),
            "{page}: {asked} requests in four minutes and a quarter"
        );
        let counts = counts(&harness, page);
        assert!(counts.failed.is_empty(), "{page}: {counts:?}");
        assert!(counts.bytes > 0);
    }
    assert_eq!(harness.scraped(), NODES * 18, "one scrape a resolution");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_turned_off_is_not_asked_for() {
    let harness = cluster(|settings| settings.pages.summary = None).await;
    steps(&harness, 6, |_| [0; 2]).await;
    wait_until("probes were asked for", async || {
        asked(&harness, "probes") >= NODES
    })
    .await;
    assert_eq!(asked(&harness, "summary"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_fails_leaves_the_others_and_is_asked_for_less() {
    let harness = cluster(|_| {}).await;
    let sick = harness.cluster.node_names()[0].clone();
    assert!(harness.cluster.break_page(&sick, "/stats/summary", 500));
    let all = harness.pods().await;
    // Half an hour: the sick node's turns are one, one, two, four and then eight minutes apart.
    for _ in 0..120 {
        harness.step(NODES).await;
    }
    wait_until("the others were asked for half an hour", async || {
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
    assert!(harness.cluster.mend_page(&sick, "/stats/summary"));
    wait_until("its page is taken in again", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        harness.server.query().extra(&sick).is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_tells_of_its_disk_and_its_pods_of_their_networks() {
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
    harness.cluster.break_page(&node, "/stats/summary", 500);
    wait_until("what it told is too old", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(5)).await;
        query.extra(&node).is_none()
    })
    .await;
}
