//! Kubelets that answer from files.

use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Replay, fixtures};
use serde_json::Value;

use crate::client::get;

async fn start(folder: &str) -> Cluster {
    let replay = Replay::from_dir(fixtures().join(folder)).unwrap();
    Cluster::start(Config {
        replay: Some(replay),
        ..Config::default()
    })
    .await
    .unwrap()
}

fn pods(cluster: &Cluster) -> Vec<(String, Value)> {
    let names = ["crash", "flaky", "leak", "notready", "oom"];
    names
        .iter()
        .filter_map(|name| {
            let pod = cluster.store().get(Resource::Pods, Some("default"), name)?;
            Some(((*name).to_owned(), pod.to_value(Resource::Pods)))
        })
        .collect()
}

#[tokio::test]
async fn the_kth_scrape_is_answered_with_the_kth_file_and_the_last_one_again() {
    let cluster = start("scenarios").await;
    for k in [1, 2, 3, 4, 5, 6, 6] {
        let got = get(&cluster, "scn-03", "/metrics/resource").await.unwrap();
        let file = fixtures().join(format!("scenarios/03-restart/{k}.txt"));
        assert_eq!(got.body, std::fs::read(file).unwrap(), "step {k}");
    }
    assert_eq!(cluster.scrapes("scn-03"), 7);
    assert_eq!(cluster.scrapes("scn-04"), 0);
    let summary = get(&cluster, "scn-03", "/stats/summary").await.unwrap();
    assert_eq!(summary.status, 404);
}

#[tokio::test]
async fn a_failed_scrape_fails_and_the_next_one_goes_on() {
    let cluster = start("scenarios").await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        let got = get(&cluster, "scn-10", "/metrics/resource").await.unwrap();
        statuses.push(got.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 500, 200, 200, 200, 200]);
}

#[tokio::test]
async fn every_scenario_is_a_node_with_its_pods() {
    let cluster = start("scenarios").await;
    let nodes = cluster.node_names();
    assert_eq!(nodes.first().map(String::as_str), Some("scn-01"));
    assert_eq!(nodes.len(), 17);
    let phase = |name: &str| {
        let pod = cluster.store().get(Resource::Pods, Some("scn"), name)?;
        Some(
            pod.to_value(Resource::Pods)["status"]["phase"]
                .as_str()?
                .to_owned(),
        )
    };
    assert_eq!(phase("p01").as_deref(), Some("Running"));
    assert_eq!(phase("q05").as_deref(), Some("Running"));
    assert_eq!(phase("p18").as_deref(), Some("Pending"));
    assert_eq!(phase("ghost"), None);
}

#[tokio::test]
async fn a_recording_brings_its_objects_along() {
    let cluster = start("recording").await;
    assert_eq!(cluster.node_names(), ["lab"]);
    for k in 1..=24 {
        let got = get(&cluster, "lab", "/metrics/resource").await.unwrap();
        let recorded = |file: &str| {
            std::fs::read(fixtures().join(format!("recording/{k:02}-{file}"))).unwrap()
        };
        assert_eq!(got.body, recorded("metrics-resource.txt"), "step {k}");
        for (path, file) in [
            ("/metrics/probes", "metrics-probes.txt"),
            (
                "/stats/summary?only_cpu_and_memory=true",
                "stats-summary.json",
            ),
        ] {
            let got = get(&cluster, "lab", path).await.unwrap();
            assert_eq!(got.body, recorded(file), "step {k}, {path}");
        }
        let list: Value = serde_json::from_slice(&recorded("pods.json")).unwrap();
        for (name, mut pod) in pods(&cluster) {
            let same = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|p| p["metadata"]["name"] == *name);
            let mut same = same.unwrap().clone();
            for p in [&mut pod, &mut same] {
                p["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .remove("resourceVersion");
            }
            assert_eq!(pod, same, "step {k}, {name}");
        }
    }
}

#[tokio::test]
async fn the_recorded_node_has_the_size_of_its_summary() {
    let cluster = start("recording").await;
    let node = cluster.store().get(Resource::Nodes, None, "lab").unwrap();
    let node = node.to_value(Resource::Nodes);
    assert_eq!(node["status"]["capacity"]["memory"], "24684100Ki");
    let uid = node["metadata"]["uid"].as_str().unwrap();
    assert_eq!(uid, "a8ba7dc8-3691-482e-9996-899fbbd8544e");
    let set = cluster
        .store()
        .get(Resource::ReplicaSets, Some("default"), "burner-7dc96bb78d");
    let owner = &set.unwrap().to_value(Resource::ReplicaSets)["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["name"]),
        (&"Deployment".into(), &"burner".into())
    );
}

#[tokio::test]
async fn a_deployment_has_as_many_replicas_as_there_are_pods_of_it() {
    let cluster = start("recording").await;
    let replicas = || {
        let burner = cluster
            .store()
            .get(Resource::Deployments, Some("default"), "burner");
        let burner = burner.unwrap().to_value(Resource::Deployments);
        ["/spec/replicas", "/status/readyReplicas"]
            .map(|pointer| burner.pointer(pointer).and_then(Value::as_u64).unwrap())
    };
    assert_eq!(replicas()[0], 1);
    // The HPA scaled it while it was recorded.
    for _ in 0..24 {
        cluster.replay_step("lab");
    }
    assert_eq!(replicas(), [3, 3]);
}

#[tokio::test]
async fn steps_taken_by_hand_hold_the_scrapes() {
    let cluster = start("recording").await;
    assert_eq!(cluster.replay_step("lab"), Some(1));
    assert_eq!(cluster.replay_step("lab"), Some(2));
    for _ in 0..3 {
        let got = get(&cluster, "lab", "/metrics/resource").await.unwrap();
        let file = fixtures().join("recording/02-metrics-resource.txt");
        assert_eq!(got.body, std::fs::read(file).unwrap());
    }
    assert_eq!(cluster.replay_step("other"), None);
}

#[tokio::test]
async fn objects_of_one_kind_come_before_the_step_by_hand() {
    let cluster = start("recording").await;
    cluster.replay_step("lab");
    let version = || cluster.store().resource_version();
    let events = || cluster.store().snapshot(Resource::Events).len();
    let (begun, few) = (version(), events());
    assert!(cluster.replay_objects("lab", Resource::Pods));
    assert!(version() > begun && events() == few);
    let pods = version();
    assert!(cluster.replay_objects("lab", Resource::Events));
    assert!(version() > pods && events() > few);
    // Then there is nothing left to store, and the page is turned.
    let all = version();
    assert_eq!(cluster.replay_step("lab"), Some(2));
    assert_eq!(version(), all);
    let got = get(&cluster, "lab", "/metrics/resource").await.unwrap();
    let file = fixtures().join("recording/02-metrics-resource.txt");
    assert_eq!(got.body, std::fs::read(file).unwrap());
    assert!(!cluster.replay_objects("other", Resource::Pods));
}

#[test]
fn the_time_of_a_recorded_step_is_its_latest_timestamp() {
    let replay = Replay::from_dir(fixtures().join("recording")).unwrap();
    let at = |step| replay.recorded("lab", step).map(|at| at.as_secs());
    // Of the first look an event is the latest, of the second what a container used.
    assert_eq!(at(1), Some(1_795_241_137));
    assert_eq!(at(2), Some(1_795_241_152));
    assert_eq!(replay.began(), replay.recorded("lab", 1));
    assert_eq!(
        (at(0), at(25), replay.recorded("other", 1)),
        (None, None, None)
    );
}

#[test]
fn a_folder_that_is_neither_is_refused_with_its_name() {
    let empty = tempfile::tempdir().unwrap();
    let error = Replay::from_dir(empty.path()).unwrap_err().to_string();
    assert!(
        error.contains(&empty.path().display().to_string()),
        "{error}"
    );
    let missing = Replay::from_dir("/no/such/folder").unwrap_err().to_string();
    assert!(missing.contains("/no/such/folder"), "{missing}");
}
