//! /debug/targets: what is known of each node's scrapes.

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Kill, Replay, SimClock, fixtures};
use serde_json::{Value, json};

use crate::harness::{Harness, wait_until};

async fn replay() -> (Harness, u64) {
    let replay = Replay::from_dir(fixtures().join("scenarios")).unwrap();
    let harness = Harness::start(Config {
        replay: Some(replay),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    let nodes = harness.cluster.node_names().len() as u64;
    harness.first_step(nodes).await;
    for _ in 2..=4 {
        harness.step(nodes).await;
    }
    (harness, nodes)
}

async fn target(harness: &Harness, node: &str) -> Value {
    let report = harness.json("/debug/targets").await;
    let targets = report["targets"].as_array().unwrap();
    let found = targets.iter().find(|target| target["node"] == node);
    found.cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_has_the_time_address_and_result_of_its_scrape() {
    let (harness, nodes) = replay().await;
    let well = target(&harness, "scn-01").await;
    assert_eq!(well["state"], "answering");
    assert_eq!(well["ready"], true);
    assert!(
        well["address"]
            .as_str()
            .unwrap()
            .starts_with("https://127.")
    );
    assert_eq!(well["failures"], 0);
    assert_eq!(
        (&well["wholePods"], &well["containers"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(well["incompletePods"], json!({}));
    let last = &well["lastScrape"];
    assert!(last["error"].is_null());
    assert!(last["durationSeconds"].as_f64().unwrap() >= 0.0);
    assert!(
        (0.0..15.0).contains(&last["ageSeconds"].as_f64().unwrap()),
        "{well}"
    );
    assert_eq!(last["time"], well["lastSuccess"]["time"]);
    let next: Timestamp = well["nextScrape"].as_str().unwrap().parse().unwrap();
    assert!(next > harness.clock.now());

    // Its fourth answer was a 500.
    let failing = target(&harness, "scn-10").await;
    assert_eq!(
        (&failing["state"], &failing["failures"]),
        (&json!("failing"), &json!(1))
    );
    assert_eq!(failing["lastScrape"]["error"]["reason"], "status");
    assert!(
        failing["lastScrape"]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("500")
    );
    assert!(
        !failing["lastScrape"]["error"]["hint"]
            .as_str()
            .unwrap()
            .is_empty()
    );
    assert!(failing["lastSuccess"]["ageSeconds"].as_f64().unwrap() >= 15.0);

    // Lines that cannot be read, a container of zero bytes, a node without memory.
    let garbled = target(&harness, "scn-11").await;
    assert!(garbled["skippedLines"].as_u64().unwrap() > 0, "{garbled}");
    let skipped = &garbled["lastSkipped"];
    assert!(skipped["lines"].as_u64().unwrap() > 0);
    assert!(!skipped["first"].as_str().unwrap().is_empty());
    let zero = target(&harness, "scn-06").await;
    assert_eq!(zero["incompletePods"], json!({"zero_memory": 1}));
    assert_eq!(target(&harness, "scn-09").await["nodeLacks"], "no_memory");

    harness.cluster.kill_kubelet("scn-01", Kill::Status(403));
    harness.step(nodes).await;
    assert_eq!(
        target(&harness, "scn-01").await["lastScrape"]["error"]["reason"],
        "forbidden"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gone_node_is_no_target() {
    let (harness, _) = replay().await;
    assert!(
        harness
            .cluster
            .store()
            .delete(Resource::Nodes, None, "scn-01")
    );
    wait_until("the node is forgotten", async || {
        target(&harness, "scn-01").await.is_null()
    })
    .await;
}
