//! Pods and nodes as table rows: the server's values equal those that `kubectl get` prints from the simulated API server.
//! The table in proto/tests/cases checks that the rules are those of kubectl.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::identity::UserInfo;
use kubevitals_sim::{Config, Fault, Faults, Replay, SimClock, fixtures};
use serde_json::Value;

use crate::harness::{Harness, wait_until};

/// READY, STATUS and RESTARTS, by namespace and name.
pub(crate) type Lines = BTreeMap<String, String>;

/// The output of kubectl for pods or nodes.
async fn printed(harness: &Harness, resource: &str) -> Lines {
    let token = harness
        .cluster
        .identities()
        .mint_token(UserInfo::new("tester", ["system:masters"]));
    let url = format!("{}/api/v1/{resource}", harness.cluster.api_url());
    let client = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let response = client
        .get(url)
        .bearer_auth(token)
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .send()
        .await
        .unwrap();
    let table: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let rows = table["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let cells = &row["cells"];
        let name = &row["object"]["metadata"]["name"];
        let namespace = &row["object"]["metadata"]["namespace"];
        let key = format!(
            "{}/{}",
            namespace.as_str().unwrap_or(""),
            name.as_str().unwrap()
        );
        let line = if resource == "pods" {
            // RESTARTS: `3 (5m ago)`.
            let restarts = cells[3].as_str().unwrap().split(' ').next().unwrap();
            format!(
                "{} {} {restarts}",
                cells[1].as_str().unwrap(),
                cells[2].as_str().unwrap()
            )
        } else {
            cells[1].as_str().unwrap().to_owned()
        };
        (key, line)
    })
    .collect()
}

/// The server's rows of pods.
fn statuses(harness: &Harness) -> Lines {
    let mut builder = harness.server.query().vitals().now();
    let pods = std::sync::Arc::clone(builder.pods());
    let lines = pods.values().map(|pod| {
        let vitals = builder.pod(pod);
        let key = format!("{}/{}", vitals.metadata.namespace, vitals.metadata.name);
        let (ready, total) = (vitals.ready_containers, vitals.total_containers);
        let line = format!(
            "{ready}/{total} {} {}",
            vitals.status, vitals.restarts.count
        );
        (key, line)
    });
    lines.collect()
}

fn node_statuses(harness: &Harness) -> Lines {
    let mut builder = harness.server.query().vitals().now();
    let nodes = std::sync::Arc::clone(builder.nodes());
    let lines = nodes
        .values()
        .map(|node| (format!("/{}", node.name), builder.node(node).status));
    lines.collect()
}

/// Waits until the server's rows of pods equal the given output of kubectl.
pub(crate) async fn is_as_printed(harness: &Harness) -> Lines {
    let expected = printed(harness, "pods").await;
    wait_until("the server says what kubectl prints", async || {
        statuses(harness) == expected
    })
    .await;
    expected
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recorded_pods_have_the_status_that_kubectl_prints() {
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(fixtures().join("recording")).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(1).await;
    let mut seen = BTreeSet::new();
    for _ in 1..24 {
        let lines = is_as_printed(&harness).await;
        seen.extend(
            lines
                .into_values()
                .map(|line| line.split(' ').nth(1).unwrap().to_owned()),
        );
        harness.step(1).await;
    }
    for status in ["Running", "CrashLoopBackOff", "OOMKilled", "Error"] {
        assert!(seen.contains(status), "{status} is not among {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failing_pods_have_the_status_that_kubectl_prints() {
    let harness = Harness::start(Config {
        nodes: 3,
        pods_per_node: 20,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    let mut seen = BTreeSet::new();
    for fault in Fault::ALL {
        assert!(harness.cluster.inject(fault), "{fault:?} befalls nobody");
        for _ in 0..12 {
            let lines = is_as_printed(&harness).await;
            seen.extend(
                lines
                    .into_values()
                    .map(|line| line.split(' ').nth(1).unwrap().to_owned()),
            );
            let nodes = printed(&harness, "nodes").await;
            wait_until("nodes are reported as printed", async || {
                node_statuses(&harness) == nodes
            })
            .await;
            seen.extend(nodes.into_values());
            harness.cluster.advance(Duration::from_secs(10));
        }
    }
    for status in [
        "Running",
        "CrashLoopBackOff",
        "Terminating",
        "ImagePullBackOff",
        "Ready",
        "NotReady",
    ] {
        assert!(seen.contains(status), "{status} is not among {seen:?}");
    }
}
