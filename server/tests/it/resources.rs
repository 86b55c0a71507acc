//! What a pod has: requests and limits in force while it is resized in place, and swap that only the pod as a whole
//! shows.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Replay, SimClock};
use serde_json::{Value, json};

use crate::harness::{Harness, RESOLUTION, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const START: i64 = 1_800_000_000;

/// The pod whose container uses swap, by its own account.
const SWAPPING: &str = "containers";

/// A pod on the replayed node with one running container.
fn pod(name: &str, resources: Value, status: Value, conditions: Value) -> Value {
    let mut container_status = json!({
        "name": "app", "ready": true, "started": true, "restartCount": 0,
        "state": {"running": {"startedAt": "2027-01-15T07:00:00Z"}},
    });
    for (key, value) in status.as_object().unwrap() {
        container_status[key] = value.clone();
    }
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-of-{name}"),
            "creationTimestamp": "2027-01-15T07:00:00Z"},
        "spec": {"nodeName": "lab", "containers": [{"name": "app", "resources": resources}]},
        "status": {"phase": "Running", "startTime": "2027-01-15T07:00:00Z", "conditions": conditions,
            "containerStatuses": [container_status]},
    })
}

fn of_cpu(request: &str, limit: &str) -> Value {
    json!({"requests": {"cpu": request, "memory": "1Gi"}, "limits": {"cpu": limit, "memory": "2Gi"}})
}

/// A scrape in which every container has used 900m since the last one and 512Mi of memory.
fn page(pods: &[Value], step: i64, more: &str) -> String {
    let at = (START + 15 * step) * 1000;
    let mut page = String::new();
    let families = [
        (
            "container_cpu_usage_seconds_total",
            100.0 + 13.5 * step as f64,
        ),
        ("container_memory_working_set_bytes", 536_870_912.0),
        ("container_swap_usage_bytes", 0.0),
    ];
    for (family, value) in families {
        for pod in pods {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let swaps = family == "container_swap_usage_bytes" && name == SWAPPING;
            let value = if swaps { 4_096_000.0 } else { value };
            page.push_str(&format!(
                "{family}{{container=\"app\",namespace=\"shop\",pod=\"{name}\"}} {value} {at}\n"
            ));
        }
    }
    for pod in pods {
        let name = pod["metadata"]["name"].as_str().unwrap();
        page.push_str(&format!(
            "container_start_time_seconds{{container=\"app\",namespace=\"shop\",pod=\"{name}\"}} 1.7999e+09\n"
        ));
    }
    page.push_str(&format!(
        "node_cpu_usage_seconds_total {} {at}\nnode_memory_working_set_bytes 4e+09 {at}\n",
        200 + 30 * step
    ));
    page.push_str(more);
    page
}

/// A cluster of these pods after two scrapes.
async fn cluster(pods: &[Value], more: &str, summary: Option<Value>) -> Harness {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    for step in 0..2 {
        let number = step + 1;
        write(
            &format!("{number:02}-metrics-resource.txt"),
            page(pods, step, more),
        );
        write(
            &format!("{number:02}-pods.json"),
            json!({"items": pods}).to_string(),
        );
        if let Some(summary) = &summary {
            write(
                &format!("{number:02}-stats-summary.json"),
                summary.to_string(),
            );
        }
    }
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(folder.path()).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(START))),
        ..Config::default()
    })
    .await;
    harness.first_step(1).await;
    harness.step(1).await;
    wait_until("every pod has usage", async || {
        let list = harness.json(&format!("{BASE}/podvitals")).await;
        let items = list["items"].as_array().unwrap();
        items.len() == pods.len() && items.iter().all(|item| !item["usage"].is_null())
    })
    .await;
    harness
}

async fn vitals(harness: &Harness, pod: &str) -> Value {
    let path = format!("{BASE}/namespaces/shop/podvitals/{pod}");
    harness.json(&path).await
}

fn amount(value: &Value) -> f64 {
    let text = value.as_str().unwrap();
    text.parse::<Quantity>().unwrap().to_f64()
}

/// The states a resize can be in: the pod's name, its conditions, and the state in the API.
fn states() -> [(&'static str, Value, &'static str); 5] {
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": "2027-01-15T07:30:00Z"})
    };
    let pending = |reason, message| json!([condition("PodResizePending", reason, message)]);
    [
        ("none", json!([]), "Pending"),
        (
            "deferred",
            pending("Deferred", "Node didn't have enough resource: cpu"),
            "Deferred",
        ),
        (
            "infeasible",
            pending("Infeasible", "Node didn't have enough capacity: cpu"),
            "Infeasible",
        ),
        (
            "progress",
            json!([condition("PodResizeInProgress", "", "")]),
            "InProgress",
        ),
        (
            "error",
            json!([condition("PodResizeInProgress", "Error", "cgroup is busy")]),
            "Error",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_resize_is_reported_beside_the_resources_in_force() {
    let has =
        json!({"resources": of_cpu("1", "1"), "allocatedResources": {"cpu": "1", "memory": "1Gi"}});
    let pods: Vec<Value> = states()
        .iter()
        .map(|(name, conditions, _)| pod(name, of_cpu("4", "4"), has.clone(), conditions.clone()))
        .chain([pod("complete", of_cpu("1", "1"), has.clone(), json!([]))])
        .collect();
    let harness = cluster(&pods, "", None).await;

    for (name, conditions, state) in states() {
        let vitals = vitals(&harness, name).await;
        let container = &vitals["containers"][0];
        for of in [&vitals, container] {
            assert_eq!(of["ratios"]["cpuOfRequest"], 0.9, "{name}: {of}");
            assert_eq!(of["ratios"]["cpuOfLimit"], 0.9, "{name}");
            assert_eq!(of["ratios"]["memoryOfLimit"], 0.25, "{name}");
            assert_eq!(of["requests"]["cpu"], "1", "{name}");
            assert_eq!(of["resize"]["state"], state, "{name}");
            assert_eq!(of["resize"]["requests"]["cpu"], "4", "{name}");
            assert_eq!(of["resize"]["limits"]["cpu"], "4", "{name}");
            assert_eq!(of["resize"]["limits"]["memory"], "2Gi", "{name}");
        }
        let message = conditions[0]["message"].as_str().unwrap_or_default();
        let said = vitals["resize"]["message"].as_str().unwrap_or_default();
        assert_eq!(said, message, "{name}");
        assert_eq!(
            vitals["resize"]["since"],
            conditions[0]["lastTransitionTime"]
        );
    }
    let complete = vitals(&harness, "complete").await;
    assert!(complete["resize"].is_null() && complete["containers"][0]["resize"].is_null());

    // As the scheduler counts: the larger of both, but 1 for the infeasible one.
    let node = harness.json(&format!("{BASE}/nodevitals/lab")).await;
    assert_eq!(amount(&node["requests"]["cpu"]), 4.0 * 4.0 + 1.0 + 1.0);
    assert_eq!(amount(&node["limits"]["cpu"]), 4.0 * 4.0 + 1.0 + 1.0);
    let cluster = harness.json(&format!("{BASE}/clustervitals/cluster")).await;
    assert_eq!(cluster["requests"], node["requests"]);

    // Ranked by what is in force.
    let top = harness
        .json(&format!("{BASE}/podvitals?sortBy=cpuOfRequest&limit=6"))
        .await;
    assert_eq!(top["items"].as_array().unwrap().len(), 6);
    assert_eq!(top["items"][5]["ratios"]["cpuOfRequest"], 0.9);
    let table = harness
        .request("GET", &format!("{BASE}/namespaces/shop/podvitals/deferred"))
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let (_, table) = harness.send(table).await;
    let table: Value = serde_json::from_slice(&table).unwrap();
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert!(cells.contains(&json!("Deferred")), "{cells:?}");

    // The kubelet completes it.
    let done =
        json!({"resources": of_cpu("4", "4"), "allocatedResources": {"cpu": "4", "memory": "1Gi"}});
    let done = pod("deferred", of_cpu("4", "4"), done, json!([]));
    harness.cluster.store().apply(Resource::Pods, done);
    wait_until("the resize is complete", async || {
        vitals(&harness, "deferred").await["resize"].is_null()
    })
    .await;
    let vitals = vitals(&harness, "deferred").await;
    assert_eq!(vitals["ratios"]["cpuOfRequest"], 0.225);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swap_that_only_the_pod_as_a_whole_shows_is_the_pods() {
    let plain = |name: &str| pod(name, json!({}), json!({}), json!([]));
    let pods = ["resource", "summary", "both", SWAPPING, "none"].map(plain);
    let at = (START + 15) * 1000;
    let of_pod = |pod: &str, bytes: &str| {
        format!("pod_swap_usage_bytes{{namespace=\"shop\",pod=\"{pod}\"}} {bytes} {at}\n")
    };
    let more = [
        of_pod("resource", "1.024e+06"),
        of_pod("summary", "0"),
        of_pod("both", "2.048e+06"),
        of_pod("none", "0"),
    ]
    .concat();
    let summary_of = |pod: &str, bytes: Value| {
        json!({"podRef": {"name": pod, "namespace": "shop"}, "startTime": "2027-01-15T07:00:00Z",
            "swap": {"time": "2027-01-15T08:00:00Z", "swapUsageBytes": bytes}})
    };
    let summary = json!({"node": {"nodeName": "lab"}, "pods": [
        summary_of("summary", json!(1_024_000.0)),
        summary_of("both", json!(1_024_000)),
        summary_of(SWAPPING, json!(0)),
        summary_of("none", json!(0)),
    ]});
    let harness = cluster(&pods, &more, Some(summary)).await;

    // It is due within a resolution; usage is answered for five.
    let (mut looks, mut thirds) = (0, 0);
    wait_until("the summary was read", async || {
        looks += 1;
        if looks % 100 == 0 && thirds < 6 {
            harness.clock.advance(RESOLUTION / 3);
            thirds += 1;
        }
        harness.server.query().scrapes().pages["summary"].succeeded > 0
    })
    .await;
    for (name, swap) in [
        ("resource", json!("1000Ki")),
        ("summary", json!("1000Ki")),
        ("both", json!("2000Ki")),
        (SWAPPING, json!("4000Ki")),
        ("none", Value::Null),
    ] {
        assert_eq!(
            vitals(&harness, name).await["usage"]["swap"],
            swap,
            "{name}"
        );
    }
    let containers = vitals(&harness, SWAPPING).await;
    assert_eq!(containers["containers"][0]["usage"]["swap"], "4000Ki");
    // The Metrics API has CPU and memory alone.
    let metrics = harness.json("/apis/metrics.k8s.io/v1beta1/pods").await;
    assert!(!metrics.to_string().contains("swap"));
}
