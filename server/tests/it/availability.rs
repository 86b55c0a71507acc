//! Availability over real sockets: outages of simulated workloads against the simulator's own log, restarts of the
//! server, and the API's refusals.

use std::collections::BTreeMap;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::state;
use kubevitals_sim::{Config, Fault, Faults, Happening, SimClock};
use serde_json::Value;

use crate::harness::{Harness, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const EPOCH: i64 = 1_800_000_000;
const NODES: u64 = 2;

/// The faults that leave a workload its pods.
const FAULTS: [Fault; 4] = [
    Fault::ReadinessFailure,
    Fault::CrashLoop,
    Fault::OomKill,
    Fault::LivenessFailure,
];

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: NODES as u32,
        pods_per_node: 8,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    harness.server.ready().await;
    harness
}

/// The availabilities over an hour, by namespace and name of the object.
async fn availabilities(harness: &Harness) -> BTreeMap<(String, String), Value> {
    let list = harness
        .json(&format!("{BASE}/availabilities?span=1h"))
        .await;
    let items = list["items"].as_array().unwrap().iter();
    let name = |item: &Value, member: &str| item["metadata"][member].as_str().unwrap().to_owned();
    items
        .map(|item| ((name(item, "namespace"), name(item, "name")), item.clone()))
        .collect()
}

/// The pods of each workload, by namespace and name of the workload's availability.
async fn pods(harness: &Harness) -> BTreeMap<(String, String), Vec<String>> {
    let mut pods: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let list = harness.json(&format!("{BASE}/podvitals")).await;
    for pod in list["items"].as_array().unwrap() {
        let text = |pointer: &str| pod.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let kind = text("/workload/kind").to_lowercase();
        let workload = format!("{kind}.{}", text("/workload/name"));
        let key = (text("/metadata/namespace"), workload);
        pods.entry(key).or_default().push(text("/metadata/name"));
    }
    pods
}

/// The seconds in which none of these pods was ready until `now`, and the number of such times, by the simulator's log.
fn truth(harness: &Harness, namespace: &str, pods: &[String], now: i64) -> (u64, u64) {
    let log = harness.cluster.injected_faults();
    let mut changes: Vec<(i64, &str, bool)> = log
        .iter()
        .filter(|entry| entry.namespace == namespace && pods.contains(&entry.name))
        .filter_map(|entry| {
            let is_ready = match entry.what {
                Happening::PodReady => true,
                Happening::PodNotReady => false,
                _ => return None,
            };
            Some((entry.at.as_secs(), &*entry.name, is_ready))
        })
        .collect();
    changes.sort_unstable();
    let mut unready: Vec<&str> = Vec::new();
    let (mut down, mut outages, mut since) = (0, 0, None);
    for (at, pod, is_ready) in changes {
        unready.retain(|other| *other != pod);
        if !is_ready {
            unready.push(pod);
        }
        match since {
            None if unready.len() == pods.len() => since = Some(at),
            Some(begin) if unready.len() < pods.len() => {
                (down, outages, since) = (down + at - begin, outages + 1, None);
            }
            _ => {}
        }
    }
    if let Some(begin) = since {
        (down, outages) = (down + now - begin, outages + 1);
    }
    (down.unsigned_abs(), outages)
}

/// Waits until the server has the same state of each workload as the API server's pods, and compares its downtime with
/// the simulator's log.
async fn assert_true(harness: &Harness) -> u64 {
    let now = harness.clock.now().as_secs();
    let pods = pods(harness).await;
    let mut outages = 0;
    for ((namespace, name), pods) in &pods {
        let expected = truth(harness, namespace, pods, now);
        let key = (namespace.clone(), name.clone());
        let mut seen = Value::Null;
        let what = format!("{namespace}/{name} was down for {expected:?}");
        wait_until(&what, async || {
            seen = availabilities(harness)
                .await
                .remove(&key)
                .unwrap_or_default();
            let span = &seen["spans"][0];
            let seconds = span["downSeconds"].as_u64();
            (seconds, span["outages"].as_u64()) == (Some(expected.0), Some(expected.1))
        })
        .await;
        outages += expected.1;
        let span = &seen["spans"][0];
        let sum = |members: &[&str]| -> u64 {
            members
                .iter()
                .map(|member| span[member].as_u64().unwrap())
                .sum()
        };
        let counted = sum(&["upSeconds", "degradedSeconds", "downSeconds"]);
        let known = sum(&["deliberateSeconds", "unknownSeconds"]) + counted;
        assert!(known <= 3_600, "{seen}");
        let ratio = span["availability"].as_f64().unwrap();
        let expected_ratio = 1.0 - expected.0 as f64 / counted as f64;
        assert!((ratio - expected_ratio).abs() < 1e-9, "{seen}");
    }
    outages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_equal_the_simulators_log_to_the_second() {
    let harness = cluster().await;
    let mut outages = 0;
    // A fault hits a pod at random: until it is the only one of its workload, at most for 50 minutes.
    for round in 0..200 {
        if round % 3 == 0 {
            harness.cluster.inject(FAULTS[round / 3 % FAULTS.len()]);
        }
        harness.step(NODES).await;
        if round % 40 == 39 {
            outages = assert_true(&harness).await;
        }
        if outages > 2 {
            break;
        }
    }
    assert!(outages > 2, "workloads with one pod have had outages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outages_survive_a_restart_with_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let with_state = |settings: &mut kubevitals_server::config::Settings| {
        settings.state = Some(state::Settings {
            folder: path.clone(),
            interval: Duration::ZERO,
        });
    };
    let harness = Harness::start_with(
        Config {
            nodes: NODES as u32,
            pods_per_node: 8,
            faults: Faults::None,
            clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
            ..Config::default()
        },
        with_state,
    )
    .await;
    harness.first_step(NODES).await;
    for round in 0..24 {
        if round % 6 == 0 {
            harness.cluster.inject(FAULTS[round / 6 % FAULTS.len()]);
        }
        harness.step(NODES).await;
    }
    assert_true(&harness).await;
    // Nothing happens while the server is away, because the clock stands still.
    let harness = harness.restart(|_| {}, with_state).await;
    harness.server.ready().await;
    assert_true(&harness).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_answered_is_refused_with_a_reason() {
    let harness = cluster().await;
    for (query, code, text) in [
        ("span=40d", 400, "at most 8 spans of up to 31 days"),
        ("span=0s", 400, "at most 8 spans of up to 31 days"),
        ("span=week", 400, "at most 8 spans of up to 31 days"),
        ("span=1h,", 400, "at most 8 spans of up to 31 days"),
        ("at=-5m", 400, "availabilities have spans before now only"),
        ("watch=true", 405, "watch is not supported"),
        ("fieldSelector=spec.x%3Dy", 400, "spec.x"),
    ] {
        let (status, body) = harness.get(&format!("{BASE}/availabilities?{query}")).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, code, "{query}: {body}");
        assert!(body.contains(text), "{query}: {body}");
    }
    let path = format!("{BASE}/namespaces/default/availabilities/deployment.none");
    let (status, body) = harness.get(&path).await;
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&body));
    // One object is the same as in the list.
    let all = availabilities(&harness).await;
    let ((namespace, name), listed) = all.first_key_value().unwrap();
    let path = format!("{BASE}/namespaces/{namespace}/availabilities/{name}?span=1h");
    assert_eq!(harness.json(&path).await, *listed);
    let selected = format!(
        "{BASE}/namespaces/{namespace}/availabilities?fieldSelector=metadata.name%3D{name}"
    );
    let list = harness.json(&selected).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["kind"], "AvailabilityList");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_availability_says_so() {
    let harness = Harness::start_with(
        Config {
            nodes: 1,
            pods_per_node: 3,
            ..Config::default()
        },
        |settings| settings.availability = None,
    )
    .await;
    harness.server.ready().await;
    let path = format!("{BASE}/availabilities");
    let mut answer = (0, Vec::new());
    wait_until("the server knows all objects", async || {
        answer = harness.get(&path).await;
        answer.0 != 503
    })
    .await;
    let body = String::from_utf8(answer.1).unwrap();
    assert_eq!(answer.0, 400, "{body}");
    assert!(body.contains("--availability-retention=744h"), "{body}");
}
