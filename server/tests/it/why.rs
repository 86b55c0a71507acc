//! Every pod and node that has no metrics has a reason that can be asked for, and what to do about it.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::why::{Kind, State, StepName, Why};
use kubevitals_sim::identity::{Rule, Subject, UserInfo};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, Kill, Replay, SimClock, fixtures};
use serde_json::Value;

use crate::harness::{Harness, RESOLUTION, wait_until};

const BASE: &str = "/apis/metrics.k8s.io/v1beta1";
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

/// A cluster all of whose pods have metrics.
async fn cluster() -> Harness {
    let harness = Harness::start(config()).await;
    harness.first_step(u64::from(NODES)).await;
    wait_until("all pods are answered", async || {
        harness.pods().await.len() == (NODES * PODS_PER_NODE) as usize
    })
    .await;
    harness
}

async fn ask(harness: &Harness, path: &str) -> Why {
    let (status, body) = harness.get(&format!("{BASE}{path}/why")).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    let why: Why = serde_json::from_slice(&body).unwrap();
    let breaks = why
        .steps
        .iter()
        .position(|step| step.state == State::Failed);
    if let Some(at) = breaks {
        assert_eq!(
            at + 1,
            why.steps.len(),
            "nothing holds behind what does not: {why:#?}"
        );
    }
    assert!(why.verdict.ends_with('.'), "{why:#?}");
    if !why.available {
        assert!(!why.hint.is_empty(), "{why:#?}");
    }
    assert_eq!(why.available, why.freshness.is_some(), "{why:#?}");
    why
}

async fn pod(harness: &Harness, namespace: &str, name: &str) -> Why {
    ask(harness, &format!("/namespaces/{namespace}/pods/{name}")).await
}

async fn node(harness: &Harness, name: &str) -> Why {
    ask(harness, &format!("/nodes/{name}")).await
}

/// The pods of a node: namespace and name.
fn pods_on(harness: &Harness, node: &str) -> Vec<(String, String)> {
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    pods.range(None, None)
        .map(|(_, pod)| pod.meta())
        .filter(|meta| meta.field("spec.nodeName") == Some(node))
        .map(|meta| {
            let namespace = meta.namespace.as_deref().unwrap_or_default();
            (namespace.to_owned(), meta.name.to_string())
        })
        .collect()
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_every_scenario_who_is_missing_has_the_right_reason() {
    let folder = fixtures().join("scenarios");
    let replay = Replay::from_dir(&folder).unwrap();
    let harness = Harness::start(Config {
        replay: Some(replay),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    let nodes = harness.cluster.node_names();
    let known: Vec<String> = {
        let pods = harness.cluster.store().snapshot(Resource::Pods);
        pods.range(None, None)
            .map(|(_, pod)| pod.meta().name.to_string())
            .collect()
    };
    let mut reasons: BTreeMap<(String, usize), String> = BTreeMap::new();
    for step in 1..=7 {
        if step == 1 {
            harness.first_step(nodes.len() as u64).await;
        } else {
            harness.step(nodes.len() as u64).await;
        }
        let list = harness.json(&format!("{BASE}/pods")).await;
        for name in &known {
            let why = pod(&harness, "scn", name).await;
            assert_eq!(why.kind, Kind::PodMetricsWhy);
            assert_eq!(
                why.available,
                names(&list).contains(&name.as_str()),
                "{name}, step {step}: {why:#?}"
            );
            reasons.insert((name.clone(), step), why.reason);
        }
        let list = harness.json(&format!("{BASE}/nodes")).await;
        for name in &nodes {
            let why = node(&harness, name).await;
            assert_eq!(why.kind, Kind::NodeMetricsWhy);
            assert_eq!(
                why.available,
                names(&list).contains(&name.as_str()),
                "{name}, step {step}: {why:#?}"
            );
            reasons.insert((name.clone(), step), why.reason);
        }
    }
    println!("{reasons:#?}");
}
