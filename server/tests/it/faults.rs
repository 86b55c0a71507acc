//! Bad input costs what it concerns and nothing else: one node's trouble is counted, said, and of no effect on
//! any other node.

use std::collections::BTreeSet;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Kill, SimClock};
use serde_json::json;

use crate::harness::{Harness, RESOLUTION, wait_until};

const NODES: u64 = 3;
const PODS_PER_NODE: u32 = 4;

/// Longer than any answer takes on any machine that one would test on.
const PATIENT: Duration = Duration::from_secs(50);

async fn quiet_cluster() -> Harness {
    cluster_with_timeout(PATIENT).await
}

async fn cluster_with_timeout(timeout: Duration) -> Harness {
    let config = Config {
        nodes: NODES as u32,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| settings.scrape.timeout = timeout).await;
    harness.first_step(NODES).await;
    harness.step(NODES).await;
    harness.step(NODES).await;
    assert_eq!(
        harness.pods().await.len(),
        NODES as usize * PODS_PER_NODE as usize
    );
    harness
}

/// The pods on one node.
fn on(harness: &Harness, node: &str) -> BTreeSet<String> {
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    pods.range(None, None)
        .map(|(_, pod)| pod)
        .filter(|pod| pod.meta().field("spec.nodeName") == Some(node))
        .map(|pod| pod.meta().name.to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_kubelets_trouble_is_counted_and_concerns_no_other_node() {
    let harness = quiet_cluster().await;
    let sick = harness.cluster.node_names()[0].clone();
    let all = harness.pods().await;
    for (kill, reasons) in [
        (Kill::Refuse, &["connect", "broke_off"][..]),
        (Kill::Reset, &["connect", "broke_off"]),
        (Kill::Status(401), &["unauthorized"]),
        (Kill::Status(403), &["forbidden"]),
        (Kill::Status(500), &["status"]),
        (Kill::Html, &["not_metrics"]),
        (Kill::HalfBody, &["broke_off"]),
        (Kill::GzipBomb, &["too_large"]),
        (Kill::MillionSeries, &["too_large", "too_many_series"]),
        (Kill::ScrapeError, &["kubelet_error"]),
    ] {
        let failures = |harness: &Harness| -> u64 {
            let failed = harness.server.query().scrapes().failed;
            reasons.iter().filter_map(|reason| failed.get(reason)).sum()
        };
        let before = failures(&harness);
        assert!(harness.cluster.kill_kubelet(&sick, kill));
        harness.step(NODES).await;
        let failed = harness.server.query().scrapes().failed;
        assert_eq!(
            failures(&harness),
            before + 1,
            "{kill:?} is counted once under {reasons:?}: {failed:?}"
        );
        assert_eq!(
            harness.pods().await,
            all,
            "{kill:?}: the last answer is kept, the other nodes are untouched"
        );
        assert!(harness.cluster.heal_kubelet(&sick));
        harness.step(NODES).await;
        assert_eq!(harness.pods().await, all, "{kill:?}: it answers again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_kubelet_times_out() {
    let harness = cluster_with_timeout(Duration::from_secs(2)).await;
    let sick = harness.cluster.node_names()[0].clone();
    let all = harness.pods().await;
    harness.cluster.kill_kubelet(&sick, Kill::Hang);
    harness.step(NODES).await;
    let failed = harness.server.query().scrapes().failed;
    assert!(failed.contains_key("timeout"), "{failed:?}");
    assert_eq!(harness.pods().await, all, "the last answer is kept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_stays_away_is_answered_no_longer_than_it_is_believed() {
    let harness = quiet_cluster().await;
    let sick = harness.cluster.node_names()[0].clone();
    let all = harness.pods().await;
    let others: BTreeSet<String> = all.difference(&on(&harness, &sick)).cloned().collect();
    harness.cluster.kill_kubelet(&sick, Kill::Status(500));
    for (steps, expected) in [(1, &all), (2, &all), (3, &others)] {
        harness.clock.advance(RESOLUTION);
        harness.fresh(&others).await;
        assert_eq!(
            &harness.pods().await,
            expected,
            "{steps} resolutions after the last good scrape"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_lines_are_skipped_and_counted_and_the_rest_is_used() {
    let harness = quiet_cluster().await;
    let sick = harness.cluster.node_names()[0].clone();
    let others: BTreeSet<String> = harness
        .pods()
        .await
        .difference(&on(&harness, &sick))
        .cloned()
        .collect();
    for kill in [Kill::InvalidUtf8, Kill::BadNumbers] {
        let before = harness.server.query().scrapes().skipped_lines;
        harness.cluster.kill_kubelet(&sick, kill);
        harness.step(NODES).await;
        assert!(
            harness.server.query().scrapes().skipped_lines > before,
            "{kill:?}"
        );
        assert!(harness.pods().await.is_superset(&others), "{kill:?}");
        harness.no_absurd_rates().await;
        harness.cluster.heal_kubelet(&sick);
        harness.step(NODES).await;
        harness.no_absurd_rates().await;
        harness.step(NODES).await;
    }
    assert!(harness.server.query().scrapes().failed.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubelets_clock_may_be_hours_off() {
    let harness = quiet_cluster().await;
    let sick = harness.cluster.node_names()[0].clone();
    let all = harness.pods().await;
    for kill in [
        Kill::ClockAhead(Duration::from_secs(10_000)),
        Kill::ClockBehind(Duration::from_secs(10_000)),
    ] {
        harness.cluster.kill_kubelet(&sick, kill);
        // A step of the clock breaks the pairs; after that it is a clock like any other. One that went back is
        // followed once the last answers are void.
        for _ in 0..6 {
            harness.step(NODES).await;
            harness.no_absurd_rates().await;
        }
        assert_eq!(harness.pods().await, all, "{kill:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotated_token_is_read_again() {
    let harness = quiet_cluster().await;
    harness.cluster.rotate_token().unwrap();
    let used = harness.server.query().scrapes().succeeded;
    // The old token is refused once or a few times; refused nodes leave out turns.
    wait_until("every node answers with the new token", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.server.query().scrapes().succeeded >= used + 3 * NODES
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_api_server_the_last_snapshot_is_served_and_later_updated() {
    let harness = quiet_cluster().await;
    let all = harness.pods().await;
    let gone = all.first().unwrap().clone();
    harness.cluster.cut_api(true);
    harness.step(NODES).await;
    assert_eq!(harness.pods().await, all);

    let store = harness.cluster.store();
    let pods = store.snapshot(Resource::Pods);
    let (_, pod) = pods
        .range(None, None)
        .find(|(_, pod)| *pod.meta().name == *gone)
        .unwrap();
    store.delete(Resource::Pods, pod.meta().namespace.as_deref(), &gone);
    store.expire_watches();
    harness.cluster.cut_api(false);
    wait_until("the deletion was caught up", async || {
        !harness.pods().await.contains(&gone)
    })
    .await;
    let counts = harness.json("/debug/scrapes").await;
    let failures = counts["watches"]["pods"]["failures"].as_u64().unwrap();
    assert!(failures > 0, "{counts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_an_address_is_counted_and_scraped_once_it_has_one() {
    let harness = quiet_cluster().await;
    let store = harness.cluster.store();
    let name = harness.cluster.node_names()[0].clone();
    let whole = harness.cluster_object(Resource::Nodes, None, &name);
    let mut bare = whole.clone();
    bare["status"]["addresses"] = json!([]);
    store.apply(Resource::Nodes, bare);
    wait_until("the node without an address was counted", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness
            .server
            .query()
            .scrapes()
            .failed
            .contains_key("no_address")
    })
    .await;
    store.apply(Resource::Nodes, whole);
    let mine = on(&harness, &name);
    wait_until("the node answers again", async || {
        harness.pods().await.is_superset(&mine)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_unreachable_address_the_next_is_tried() {
    let harness = quiet_cluster().await;
    let name = harness.cluster.node_names()[0].clone();
    let mut node = harness.cluster_object(Resource::Nodes, None, &name);
    let addresses = node["status"]["addresses"].as_array_mut().unwrap();
    // No kubelet has this address; it comes first and is preferred.
    addresses.insert(0, json!({"type": "InternalIP", "address": "127.99.99.99"}));
    harness.cluster.store().apply(Resource::Nodes, node);
    let before = harness.cluster.scrapes(&name);
    wait_until("the node was scraped at its second address", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.cluster.scrapes(&name) >= before + 3
    })
    .await;
    let failed = harness.server.query().scrapes().failed;
    assert!(failed.is_empty(), "{failed:?}");
}

/// A proxy, or another program, at the node's first address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_address_that_is_no_kubelet_the_next_is_tried() {
    for kill in [
        Kill::Status(404),
        Kill::Status(502),
        Kill::Status(301),
        Kill::Html,
    ] {
        let harness = quiet_cluster().await;
        let names = harness.cluster.node_names();
        let (other, name) = (&names[0], &names[1]);
        let address = |node: &serde_json::Value| node["status"]["addresses"][0].clone();
        let mut node = harness.cluster_object(Resource::Nodes, None, name);
        let stranger = address(&harness.cluster_object(Resource::Nodes, None, other));
        let addresses = node["status"]["addresses"].as_array_mut().unwrap();
        addresses.insert(0, stranger);
        // What stands at that address answers, and is no kubelet.
        harness.cluster.kill_kubelet(other, kill);
        harness.cluster.store().apply(Resource::Nodes, node);
        let before = harness.cluster.scrapes(name);
        wait_until("the node was scraped at its own address", async || {
            harness.clock.advance(RESOLUTION);
            tokio::time::sleep(Duration::from_millis(20)).await;
            harness.cluster.scrapes(name) >= before + 3
        })
        .await;
        let report = harness.json("/debug/targets").await;
        let targets = report["targets"].as_array().unwrap();
        let target = targets.iter().find(|it| it["node"] == **name).unwrap();
        assert_eq!(target["state"], "answering", "{kill:?}: {target}");
        let target = targets.iter().find(|it| it["node"] == **other).unwrap();
        assert_eq!(target["state"], "failing", "{kill:?}: {target}");
    }
}

/// A node that never gave metrics says why, and so do its pods; it is not said to be missing in an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_never_answered_has_a_reason() {
    let config = || Config {
        nodes: NODES as u32,
        pods_per_node: PODS_PER_NODE,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    for (kill, reason, words) in [
        (Some(Kill::Status(404)), "Status", "404"),
        (Some(Kill::Status(403)), "Forbidden", "403"),
        (Some(Kill::Html), "NotMetrics", "no kubelet metrics"),
        (None, "NoAddress", "no address"),
    ] {
        let harness = Harness::start_on(config(), |cluster| {
            let name = cluster.node_names()[0].clone();
            match kill {
                Some(kill) => assert!(cluster.kill_kubelet(&name, kill)),
                None => {
                    let node = cluster.store().get(Resource::Nodes, None, &name).unwrap();
                    let mut json = Vec::new();
                    node.write_item(&mut json);
                    let mut node: serde_json::Value = serde_json::from_slice(&json).unwrap();
                    node["status"]["addresses"] = json!([]);
                    cluster.store().apply(Resource::Nodes, node);
                }
            }
        })
        .await;
        harness.first_step(NODES).await;
        let name = harness.cluster.node_names()[0].clone();
        let path = format!("/apis/kubevitals.io/v1alpha1/nodevitals/{name}");
        wait_until("the server knows the node and all pods", async || {
            let (status, _) = harness.get(&path).await;
            let pods = harness.json("/apis/kubevitals.io/v1alpha1/podvitals").await;
            let all = NODES as usize * PODS_PER_NODE as usize;
            status == 200 && pods["items"].as_array().unwrap().len() == all
        })
        .await;
        let absent = harness.json(&path).await["absent"].clone();
        assert_eq!(absent["reason"], reason, "{absent}");
        assert!(
            absent["message"].as_str().unwrap().contains(words),
            "{absent}"
        );
        let pods = harness.json("/apis/kubevitals.io/v1alpha1/podvitals").await;
        let mine: Vec<_> = pods["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|pod| pod["nodeName"] == *name)
            .collect();
        assert_eq!(mine.len(), PODS_PER_NODE as usize);
        for pod in mine {
            assert_eq!(pod["absent"]["reason"], reason, "{pod}");
            assert!(
                pod["absent"]["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("Its node")
            );
        }
    }
}
