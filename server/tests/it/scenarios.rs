//! Every scenario gives the answers of the specification, to the nanocore, through the HTTP API.

use std::collections::BTreeMap;

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::{Config, Replay, SimClock, fixtures};
use serde_json::{Value, json};

use crate::harness::Harness;

const STEPS: usize = 7;

/// The node and the pods of one scenario, in the form of `our-answers.json`.
fn answer(nodes: &Value, pods: &Value, scenario: &str) -> Value {
    let node = items(nodes)
        .find(|node| node["metadata"]["name"] == format!("scn-{scenario}"))
        .map(|node| json!({"timestamp": node["timestamp"], "usage": node["usage"], "window": node["window"]}));
    let pods: BTreeMap<String, Value> = items(pods)
        .filter(|pod| pod["metadata"]["name"].as_str().unwrap().get(1..) == Some(scenario))
        .map(|pod| {
            let containers: BTreeMap<&str, &Value> = pod["containers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|container| (container["name"].as_str().unwrap(), &container["usage"]))
                .collect();
            let answer =
                json!({"containers": containers, "timestamp": pod["timestamp"], "window": pod["window"]});
            (pod["metadata"]["name"].as_str().unwrap().to_owned(), answer)
        })
        .collect();
    json!({"node": node, "pods": pods})
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list["items"].as_array().unwrap().iter()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_gives_the_answers_of_the_specification() {
    let folder = fixtures().join("scenarios");
    let expected: BTreeMap<String, BTreeMap<String, Value>> =
        serde_json::from_slice(&std::fs::read(folder.join("our-answers.json")).unwrap()).unwrap();
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(&folder).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    let nodes = expected.len() as u64;
    let mut compared = 0;
    for step in 1..=STEPS {
        if step == 1 {
            harness.first_step(nodes).await
        } else {
            harness.step(nodes).await
        }
        for version in ["v1", "v1beta1"] {
            let base = format!("/apis/metrics.k8s.io/{version}");
            let nodes = harness.json(&format!("{base}/nodes")).await;
            let pods = harness.json(&format!("{base}/namespaces/scn/pods")).await;
            for (scenario, steps) in &expected {
                let actual = answer(&nodes, &pods, scenario);
                assert_eq!(
                    actual,
                    steps[&step.to_string()],
                    "scenario {scenario}, step {step}, {version}"
                );
                compared += 1;
            }
        }
    }
    assert_eq!(compared, expected.len() * STEPS * 2);
}
