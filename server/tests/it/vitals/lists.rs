//! Lists and single objects, without kubectl.

use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults};
use serde_json::{Value, json};

use crate::harness::{Harness, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: 5,
        faults: Faults::None,
        ..Config::default()
    })
    .await;
    harness.server.ready().await;
    harness.server.query().detector().detect();
    harness
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap())
        .collect()
}

fn amount(item: &Value, which: &str) -> f64 {
    let amount = item["usage"][which].as_str().unwrap();
    amount
        .parse::<kubevitals_proto::quantity::Quantity>()
        .unwrap()
        .to_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_complete_unless_it_has_a_limit() {
    let harness = cluster().await;
    // A page as kubectl requests it has all objects and no continue token.
    let all = harness.json(&format!("{BASE}/podvitals?limit=2")).await;
    assert_eq!(names(&all).len(), 10);
    assert_eq!(all["metadata"]["continue"], Value::Null);
    assert!(names(&all).len() == 10 && all["kind"] == "PodVitalsList");

    for which in ["cpu", "memory"] {
        let path = format!("{BASE}/podvitals?sortBy={which}");
        let sorted = harness.json(&path).await;
        let amounts: Vec<f64> = sorted["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| amount(item, which))
            .collect();
        assert_eq!(amounts.len(), 10);
        assert!(amounts.is_sorted_by(|a, b| a >= b), "{which}: {amounts:?}");
        let top = harness.json(&format!("{path}&limit=3")).await;
        assert_eq!(names(&top).len(), 3);
        let least = top["items"][2].clone();
        assert!(amount(&least, which) >= amounts[3], "{which}");
    }
    for by in [
        "restarts",
        "cpuOfLimit",
        "memoryOfLimit",
        "cpuOfRequest",
        "memoryOfRequest",
        "growth",
        "name",
        "namespace",
    ] {
        let sorted = harness.json(&format!("{BASE}/podvitals?sortBy={by}")).await;
        assert_eq!(names(&sorted).len(), 10, "{by}");
        let top = harness
            .json(&format!("{BASE}/podvitals?sortBy={by}&limit=4"))
            .await;
        assert_eq!(names(&top).len(), 4, "{by}");
    }
    // By name, in all namespaces; the default order is by namespace first.
    let sorted = harness.json(&format!("{BASE}/podvitals?sortBy=name")).await;
    assert!(names(&sorted).is_sorted(), "{:?}", names(&sorted));
    let top = harness
        .json(&format!("{BASE}/podvitals?sortBy=name&limit=4"))
        .await;
    assert_eq!(names(&top), names(&sorted)[..4]);
    let sorted = harness
        .json(&format!("{BASE}/podvitals?sortBy=namespace&limit=4"))
        .await;
    assert_eq!(names(&sorted), names(&all)[..4]);
    let nodes = harness
        .json(&format!("{BASE}/nodevitals?sortBy=memory&limit=1"))
        .await;
    assert_eq!(names(&nodes).len(), 1);
}

/// Failing probes, and pods with one, according to the cluster and to its pods.
async fn failing(harness: &Harness) -> [(u64, u64); 2] {
    let cluster = harness.json(&format!("{BASE}/clustervitals/cluster")).await;
    let of_cluster = (
        cluster["probesFailing"].as_u64().unwrap(),
        cluster["pods"]["probesFailing"].as_u64().unwrap(),
    );
    let pods = harness.json(&format!("{BASE}/podvitals")).await;
    let each = pods["items"].as_array().unwrap().iter().map(|pod| {
        let probes = pod["probes"].as_array().into_iter().flatten();
        probes.filter(|probe| probe["status"] == "Failing").count() as u64
    });
    let each: Vec<u64> = each.collect();
    let pods = each.iter().filter(|count| **count > 0).count() as u64;
    [of_cluster, (each.iter().sum(), pods)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cluster_and_pods_agree_on_failing_probes() {
    let harness = cluster().await;
    assert_eq!(failing(&harness).await, [(0, 0); 2]);
    // Pods that are not ready, with neither an Event nor a counter that shows why.
    let store = harness.cluster.store();
    let mut struck = 0;
    for (_, object) in store.snapshot(Resource::Pods).range(None, None) {
        let mut pod = object.to_value(Resource::Pods);
        let probed = pod["spec"]["containers"]
            .as_array()
            .unwrap()
            .iter()
            .any(|container| container["readinessProbe"].is_object());
        if !probed {
            continue;
        }
        let long_ago = "2001-01-01T00:00:00Z";
        for status in pod["status"]["containerStatuses"].as_array_mut().unwrap() {
            status["ready"] = false.into();
            status["state"] = json!({"running": {"startedAt": long_ago}});
        }
        for condition in pod["status"]["conditions"].as_array_mut().unwrap() {
            if condition["type"] == "Ready" {
                condition["status"] = "False".into();
                condition["lastTransitionTime"] = long_ago.into();
            }
        }
        store.apply(Resource::Pods, pod);
        struck += 1;
    }
    assert!(struck > 0);
    wait_until("all that were struck fail", async || {
        harness.server.query().detector().detect();
        let [of_cluster, of_pods] = failing(&harness).await;
        of_cluster == of_pods && of_pods.1 == struck
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_are_of_the_nodes_that_report() {
    let harness = cluster().await;
    let whole = harness.json(&format!("{BASE}/clustervitals/cluster")).await;
    assert_eq!(whole["allocatable"], whole["allocatableReporting"]);
    // A node that was never scraped.
    let store = harness.cluster.store();
    let name = harness.cluster.node_names().remove(0);
    let mut node = store
        .get(Resource::Nodes, None, &name)
        .unwrap()
        .to_value(Resource::Nodes);
    node["metadata"] = json!({"name": "silent"});
    node["status"]["addresses"] = json!([]);
    store.apply(Resource::Nodes, node);
    wait_until("the node is known", async || {
        harness.server.query().detector().detect();
        let cluster = harness.json(&format!("{BASE}/clustervitals/cluster")).await;
        cluster["nodes"]["total"] == 3
    })
    .await;
    let part = harness.json(&format!("{BASE}/clustervitals/cluster")).await;
    assert_eq!(part["nodes"]["reporting"], 2);
    assert_eq!(part["allocatableReporting"], whole["allocatable"]);
    assert_ne!(part["allocatable"], whole["allocatable"]);
    let cores = |amounts: &Value| {
        let cpu = amounts["cpu"].as_str().unwrap();
        cpu.parse::<kubevitals_proto::quantity::Quantity>()
            .unwrap()
            .to_f64()
    };
    let used = cores(&part["usage"]) / cores(&part["allocatableReporting"]);
    let ratio = part["ratios"]["cpu"].as_f64().unwrap();
    assert!((used - ratio).abs() < 0.001, "{used} {ratio}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_is_had_but_protobuf() {
    let harness = cluster().await;
    let path = format!("{BASE}/nodevitals");
    let ask = async |accept: &str| {
        let request = harness.request("GET", &path).header("accept", accept);
        let response = request.send().await.unwrap();
        let kind = response.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        (
            response.status().as_u16(),
            kind,
            response.text().await.unwrap(),
        )
    };
    for (accept, code, kind, part) in [
        (
            "application/json",
            200,
            "application/json",
            "\"kind\":\"NodeVitalsList\"",
        ),
        (
            "application/yaml",
            200,
            "application/yaml",
            "kind: NodeVitalsList",
        ),
        (
            "application/vnd.kubernetes.protobuf,application/json",
            200,
            "application/json",
            "\"kind\":\"NodeVitalsList\"",
        ),
        (
            "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
            200,
            "application/json",
            "\"apiVersion\":\"meta.k8s.io/v1beta1\"",
        ),
        (
            "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
            200,
            "application/json",
            "\"kind\":\"PartialObjectMetadata\"",
        ),
    ] {
        let (status, content_type, body) = ask(accept).await;
        assert_eq!((status, &*content_type), (code, kind), "{accept}: {body}");
        assert!(body.contains(part), "{accept}: {body}");
    }
    let (status, _, body) = ask("application/vnd.kubernetes.protobuf").await;
    assert_eq!(status, 406);
    let media = "media types are accepted: application/json, application/yaml";
    assert!(body.contains(media), "{body}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trend_has_the_requested_steps() {
    let harness = cluster().await;
    let path = format!("{BASE}/clustervitals/cluster/history?since=10m&step=1m");
    let history = harness.json(&path).await;
    assert_eq!(history["kind"], "History");
    assert_eq!(history["span"]["step"], "1m0s");
    assert_eq!(history["total"]["points"].as_array().unwrap().len(), 10);

    let pods = harness.json(&format!("{BASE}/podvitals?trend=4")).await;
    let pod = &pods["items"][0];
    let (namespace, name) = (
        pod["metadata"]["namespace"].as_str().unwrap(),
        pod["metadata"]["name"].as_str().unwrap(),
    );
    let path = format!("{BASE}/namespaces/{namespace}/podvitals/{name}/history");
    assert_eq!(harness.json(&path).await["metadata"]["name"], name);
    let path =
        format!("{BASE}/namespaces/{namespace}/podvitals/-/history?workload=Deployment/nothing");
    let (status, body) = harness.get(&path).await;
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&body));

    for (query, said) in [
        ("since=soon", "since="),
        ("fold=sum", "one of mean, min, max"),
        ("step=1ms", "a duration of a second or more"),
        ("since=2100-01-01T00:00:00Z", "since must be before until"),
    ] {
        let path = format!("{BASE}/nodevitals/node-0001/history?{query}");
        let (status, body) = harness.get(&path).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 400, "{query}: {body}");
        assert!(body.contains(said), "{query}: {body}");
    }
    let path = format!("{BASE}/namespaces/{namespace}/podvitals/-/history?workload=web");
    let (status, body) = harness.get(&path).await;
    assert_eq!(status, 400, "{}", String::from_utf8_lossy(&body));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_objects_are_not_found() {
    let harness = cluster().await;
    for (path, said) in [
        (
            "nodevitals/nope",
            "nodevitals.kubevitals.io \\\"nope\\\" not found",
        ),
        (
            "clustervitals/other",
            "clustervitals.kubevitals.io \\\"other\\\" not found",
        ),
        ("clustervitals/other/history", "not found"),
        (
            "namespaces/a/podvitals/b",
            "podvitals.kubevitals.io \\\"b\\\" not found",
        ),
        ("namespaces/a/podvitals/b/history", "not found"),
        (
            "nothing",
            "the server could not find the requested resource",
        ),
        (
            "namespaces//podvitals",
            "the server could not find the requested resource",
        ),
    ] {
        let (status, body) = harness.get(&format!("{BASE}/{path}")).await;
        let body = String::from_utf8(body).unwrap();
        assert_eq!(status, 404, "{path}: {body}");
        assert!(body.contains(said), "{path}: {body}");
    }
}
