//! The layout of `captures/recording/`: the pages of one node and the objects of its cluster, step by step. At a step
//! without a page the kubelet did not answer; objects of a kind that a step is without are as they were.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::script::{ReplayError, Script, Step, read};
use crate::objects::Resource;
use crate::world::json::put;

const NODE: &str = "lab";

/// The status of a kubelet that does not answer.
const UNAVAILABLE: u16 = 503;

/// Reads `NN-metrics-resource.txt` and what goes with it, from 01 on.
pub(super) fn read_all(path: &Path) -> Result<Script, ReplayError> {
    let mut steps = Vec::new();
    loop {
        let file = |kind: &str| path.join(format!("{:02}-{kind}", steps.len() + 1));
        let resource = optional(&file("metrics-resource.txt"))?;
        if resource.is_none() && !file("time.txt").exists() {
            break;
        }
        steps.push(Step {
            resource: resource.ok_or(UNAVAILABLE),
            nodes: items(&file("nodes.json"))?,
            probes: optional(&file("metrics-probes.txt"))?,
            summary: optional(&file("stats-summary.json"))?,
            pods: items(&file("pods.json"))?,
            events: items(&file("events.json"))?,
        });
    }
    Ok(Script {
        node: NODE.to_owned(),
        uid: node_uid(&steps),
        memory: node_memory(&steps),
        namespace: "default".to_owned(),
        objects: owners(&steps),
        steps,
    })
}

fn optional(path: &Path) -> Result<Option<Bytes>, ReplayError> {
    path.exists().then(|| read(path)).transpose()
}

fn items(path: &Path) -> Result<Option<Vec<Value>>, ReplayError> {
    let Some(bytes) = optional(path)? else {
        return Ok(None);
    };
    let mut list: Value = serde_json::from_slice(&bytes).map_err(|source| ReplayError::Json {
        path: path.to_owned(),
        source,
    })?;
    match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok(Some(items)),
        _ => Ok(Some(Vec::new())),
    }
}

/// The node's uid, which the node controller's events name.
fn node_uid(steps: &[Step]) -> Option<String> {
    steps
        .iter()
        .flat_map(|s| s.events.iter().flatten())
        .filter_map(|e| e.get("involvedObject"))
        .filter(|o| o.get("kind").and_then(Value::as_str) == Some("Node"))
        .find_map(|o| Some(o.get("uid")?.as_str()?.to_owned()))
}

/// The node's memory: what it used at first, and what it had left.
fn node_memory(steps: &[Step]) -> Option<u64> {
    let summary: Value = serde_json::from_slice(steps.first()?.summary.as_ref()?).ok()?;
    let memory = summary.pointer("/node/memory")?;
    let bytes = |key: &str| memory.get(key).and_then(Value::as_u64);
    Some(bytes("availableBytes")? + bytes("workingSetBytes")?)
}

/// The replicasets and deployments of the pods: not recorded themselves, but implied by ownerReferences and events.
fn owners(steps: &[Step]) -> Vec<(Resource, Value)> {
    let mut owners = BTreeMap::new();
    for pod in steps.iter().flat_map(|s| s.pods.iter().flatten()) {
        let owner = pod.pointer("/metadata/ownerReferences/0");
        let hash = pod.pointer("/metadata/labels/pod-template-hash");
        if let (Some(owner), Some(hash)) = (owner, hash.and_then(Value::as_str)) {
            let name = owner
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            owners.insert(
                name.to_owned(),
                (owner.clone(), hash.to_owned(), pod.clone()),
            );
        }
    }
    let mut objects = Vec::new();
    for (replica_set, (owner, hash, pod)) in owners {
        let Some(name) = replica_set.strip_suffix(&format!("-{hash}")) else {
            continue;
        };
        let uid = uid_in_events(steps, "Deployment", name)
            .unwrap_or_else(|| format!("deployment-{name}"));
        let member = |pointer: &str| pod.pointer(pointer).cloned().unwrap_or_default();
        let created = member("/metadata/creationTimestamp");
        let template = json!({"metadata": {"labels": member("/metadata/labels")}, "spec": {"containers": member("/spec/containers")}});
        let metadata = |name: &str, uid: Value| json!({"name": name, "namespace": "default", "uid": uid, "creationTimestamp": created.clone()});
        let mut set = metadata(&replica_set, owner.get("uid").cloned().unwrap_or_default());
        put(&mut set, "labels", member("/metadata/labels"));
        put(
            &mut set,
            "ownerReferences",
            json!([{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid,
                "controller": true, "blockOwnerDeletion": true,
            }]),
        );
        let spec = json!({"selector": {"matchLabels": {"app": name}}, "template": template});
        objects.push((
            Resource::ReplicaSets,
            json!({"metadata": set, "spec": spec}),
        ));
        let deployment = metadata(name, uid.into());
        objects.push((
            Resource::Deployments,
            json!({"metadata": deployment, "spec": spec}),
        ));
    }
    objects
}

/// A deployment as it is while there are these pods: how many it wants was not recorded, and is how many there are.
pub(super) fn deployment(object: &Value, pods: &[Value]) -> Value {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    let of_it = |pod: &&Value| {
        let owner = pod.pointer("/metadata/ownerReferences/0/name");
        let hash = pod.pointer("/metadata/labels/pod-template-hash");
        let (Some(owner), Some(hash)) =
            (owner.and_then(Value::as_str), hash.and_then(Value::as_str))
        else {
            return false;
        };
        let set = owner
            .strip_suffix(hash)
            .and_then(|set| set.strip_suffix('-'));
        set.is_some() && set == name
    };
    let ready = |pod: &&Value| {
        let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|it| {
            let is = |key, value| it.get(key).and_then(Value::as_str) == Some(value);
            is("type", "Ready") && is("status", "True")
        })
    };
    let (all, ready) = (
        pods.iter().filter(of_it).count(),
        pods.iter().filter(of_it).filter(ready).count(),
    );
    let mut deployment = object.clone();
    if let Some(spec) = deployment.get_mut("spec") {
        put(spec, "replicas", json!(all));
    }
    let status = json!({"replicas": all, "updatedReplicas": all, "readyReplicas": ready, "availableReplicas": ready});
    put(&mut deployment, "status", status);
    deployment
}

fn uid_in_events(steps: &[Step], kind: &str, name: &str) -> Option<String> {
    let member = |o: &Value, m: &str| o.get(m).and_then(Value::as_str).map(str::to_owned);
    steps
        .iter()
        .flat_map(|s| s.events.iter().flatten())
        .filter_map(|e| e.get("involvedObject"))
        .find(|o| {
            member(o, "kind").as_deref() == Some(kind) && member(o, "name").as_deref() == Some(name)
        })
        .and_then(|o| member(o, "uid"))
}
