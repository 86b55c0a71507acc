//! Each object has its own identity and the Pod or Node as its owner, and belongs to no deployment tool.

use std::collections::{BTreeMap, BTreeSet};

use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{Harness, RESOLUTION, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const KINDS: [(&str, &str); 3] = [
    ("podvitals", "Pod"),
    ("nodevitals", "Node"),
    ("incidents", "Pod"),
];

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: 2,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_795_241_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(2).await;
    harness.server.ready().await;
    harness
}

async fn items(harness: &Harness, kind: &str, query: &str) -> Vec<Value> {
    let list = harness.json(&format!("{BASE}/{kind}{query}")).await;
    list["items"].as_array().unwrap().clone()
}

fn text(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The objects of a kind by namespace and name, each with the fields that must not change.
async fn identities(harness: &Harness) -> BTreeMap<String, (String, Value)> {
    let mut all = BTreeMap::new();
    for (kind, _) in KINDS {
        for item in items(harness, kind, "").await {
            let (namespace, name) = (
                text(&item, "/metadata/namespace"),
                text(&item, "/metadata/name"),
            );
            let owner = item["metadata"]["ownerReferences"].clone();
            let uid = text(&item, "/metadata/uid");
            all.insert(format!("{kind}/{namespace}/{name}"), (uid, owner));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_have_stable_uids_and_an_owner() {
    let harness = cluster().await;
    harness.cluster.inject(Fault::CrashLoop);
    harness.cluster.inject(Fault::OomKill);
    let mut incidents = Vec::new();
    wait_until("a pod has two incidents or two pods have one", async || {
        harness.cluster.advance(RESOLUTION);
        harness.server.query().detector().detect();
        incidents = items(&harness, "incidents", "").await;
        incidents.len() >= 2
    })
    .await;
    let objects = identities(&harness).await;
    let uids: BTreeSet<&String> = objects.values().map(|(uid, _)| uid).collect();
    assert_eq!(uids.len(), objects.len(), "no two have the same");
    for (key, (uid, owners)) in &objects {
        assert_eq!(&uid[14..15], "5", "{key}: a UUID of version 5");
        let kind = key.split('/').next().unwrap();
        let owner = &owners[0];
        let is_node = kind == "nodevitals" || owner["kind"] == "Node";
        let (resource, expected) = if is_node {
            (Resource::Nodes, "Node")
        } else {
            (Resource::Pods, "Pod")
        };
        assert_eq!(owner["kind"], expected, "{key}");
        assert_eq!(owner["apiVersion"], "v1", "{key}");
        for member in ["controller", "blockOwnerDeletion"] {
            assert!(owner[member].is_null(), "{key}: {owner}");
        }
        let namespace = key.split('/').nth(1).unwrap();
        let namespace = (!is_node).then_some(namespace);
        let name = owner["name"].as_str().unwrap();
        let real = harness.cluster_object(resource, namespace, name);
        assert_eq!(owner["uid"], real["metadata"]["uid"], "{key}");
        assert!(!uids.contains(&text(&real, "/metadata/uid")), "{key}");
    }
    // Get, watch, table metadata and another server agree.
    for (kind, _) in KINDS {
        let item = items(&harness, kind, "").await.remove(0);
        let (namespace, name) = (
            text(&item, "/metadata/namespace"),
            text(&item, "/metadata/name"),
        );
        let path = if namespace.is_empty() {
            format!("{BASE}/{kind}/{name}")
        } else {
            format!("{BASE}/namespaces/{namespace}/{kind}/{name}")
        };
        let one = harness.json(&path).await;
        assert_eq!(one["metadata"]["uid"], item["metadata"]["uid"], "{path}");
        let path = format!("{BASE}/{kind}?watch=1&timeoutSeconds=1");
        let (_, body) = harness.get(&path).await;
        let lines = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let uids: BTreeSet<String> = lines
            .map(|line| {
                text(
                    &serde_json::from_slice(line).unwrap(),
                    "/object/metadata/uid",
                )
            })
            .collect();
        assert!(uids.contains(&text(&item, "/metadata/uid")), "{path}");
        let request = harness.request("GET", &format!("{BASE}/{kind}"));
        let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
        let (_, body) = harness.send(request.header("accept", table)).await;
        let table: Value = serde_json::from_slice(&body).unwrap();
        let meta = &table["rows"][0]["object"]["metadata"];
        assert_eq!(meta["uid"], item["metadata"]["uid"], "{kind}");
        assert_eq!(meta["ownerReferences"], item["metadata"]["ownerReferences"]);
    }
    let harness = harness.restart(|_| {}, |_| {}).await;
    let mut again = BTreeMap::new();
    wait_until("another server tells of the same", async || {
        let (status, _) = harness.get(&format!("{BASE}/podvitals")).await;
        if status != 200 {
            return false;
        }
        harness.server.query().detector().detect();
        again = identities(&harness).await;
        again.len() >= 10
    })
    .await;
    for (key, identity) in again {
        // An incident that another server sees start at another time is another incident.
        if let Some(before) = objects.get(&key) {
            assert_eq!(&identity, before, "{key}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_are_not_copied_and_selectors_still_match() {
    let harness = cluster().await;
    let claims = [
        ("app.kubernetes.io/instance", "shop"),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("argocd.argoproj.io/instance", "shop"),
        ("kustomize.toolkit.fluxcd.io/name", "shop"),
        ("helm.toolkit.fluxcd.io/name", "shop"),
    ];
    let store = harness.cluster.store();
    let labelled = |resource| {
        let snapshot = store.snapshot(resource);
        let (_, object) = snapshot.range(None, None).next().unwrap();
        let mut object = object.to_value(resource);
        for (key, value) in claims {
            object["metadata"]["labels"][key] = json!(value);
        }
        object["metadata"]["labels"]["tier"] = json!("front");
        object["metadata"]["annotations"] =
            json!({"argocd.argoproj.io/tracking-id": "shop:/Pod:shop/web"});
        store.apply(resource, object);
    };
    labelled(Resource::Pods);
    labelled(Resource::Nodes);
    for kind in ["podvitals", "nodevitals"] {
        for (key, value) in claims {
            let query = format!("?labelSelector={key}%3D{value}");
            let mut found = Vec::new();
            wait_until("the label is seen", async || {
                harness.server.query().detector().detect();
                found = items(&harness, kind, &query).await;
                !found.is_empty()
            })
            .await;
            assert_eq!(found.len(), 1, "{kind}: {key}");
            let meta = &found[0]["metadata"];
            assert_eq!(meta["labels"]["tier"], "front", "{kind}");
            assert!(meta["annotations"].is_null(), "{kind}: {meta}");
            for (key, _) in claims {
                assert!(meta["labels"][key].is_null(), "{kind}: {meta}");
            }
        }
    }
}
