//! The layout of `captures/recording/`: the pages of one node and the objects of its cluster, step by step. At a step
//! without a page the kubelet did not answer; objects of a kind that a step is without are as they were.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::script::{ReplayError, Script, Step, read};
use crate::members::Members;
use crate::objects::Resource;

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
        uid: uid_in_events(&steps, "Node", NODE),
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

/// The uid of an object that the events are about.
fn uid_in_events(steps: &[Step], kind: &str, name: &str) -> Option<String> {
    let events = steps.iter().flat_map(|s| s.events.iter().flatten());
    let objects = events.filter_map(|e| e.get("involvedObject"));
    let mut own = objects.filter(|o| o.text("/kind") == kind && o.text("/name") == name);
    own.find_map(|o| Some(o.str_at("/uid")?.to_owned()))
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
        if let Some(name) = deployment_of(pod) {
            let set = pod.text("/metadata/ownerReferences/0/name");
            owners.insert(set, (name, pod));
        }
    }
    let mut objects = Vec::new();
    for (replica_set, (name, pod)) in owners {
        let uid = uid_in_events(steps, "Deployment", name)
            .unwrap_or_else(|| format!("deployment-{name}"));
        let member = |pointer: &str| pod.pointer(pointer).cloned().unwrap_or_default();
        let created = member("/metadata/creationTimestamp");
        let template = json!({"metadata": {"labels": member("/metadata/labels")}, "spec": {"containers": member("/spec/containers")}});
        let metadata = |name: &str, uid: Value| json!({"name": name, "namespace": "default", "uid": uid, "creationTimestamp": created.clone()});
        let mut set = metadata(replica_set, member("/metadata/ownerReferences/0/uid"));
        let owner = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": uid,
            "controller": true, "blockOwnerDeletion": true,
        });
        set.put("labels", member("/metadata/labels"));
        set.put("ownerReferences", json!([owner]));
        let spec = json!({"selector": {"matchLabels": {"app": name}}, "template": template});
        let set = json!({"metadata": set, "spec": spec});
        let deployment = json!({"metadata": metadata(name, uid.into()), "spec": spec});
        objects.push((Resource::ReplicaSets, set));
        objects.push((Resource::Deployments, deployment));
    }
    objects
}

/// The deployment of a pod, by the name of its replicaset.
fn deployment_of(pod: &Value) -> Option<&str> {
    let set = pod.str_at("/metadata/ownerReferences/0/name")?;
    let hash = pod.str_at("/metadata/labels/pod-template-hash")?;
    set.strip_suffix(hash)?.strip_suffix('-')
}

/// A deployment while these pods exist. The number of replicas was not recorded: it is the number of pods.
pub(super) fn deployment(object: &Value, pods: &[Value]) -> Value {
    let name = object.str_at("/metadata/name");
    let own = || pods.iter().filter(|pod| deployment_of(pod) == name);
    let is_ready = |pod: &&Value| {
        let mut conditions = pod.list("/status/conditions").iter();
        conditions.any(|it| it.text("/type") == "Ready" && it.text("/status") == "True")
    };
    let (all, ready) = (own().count(), own().filter(is_ready).count());
    let mut deployment = object.clone();
    if let Some(spec) = deployment.get_mut("spec") {
        spec.put("replicas", all);
    }
    let status = json!({"replicas": all, "updatedReplicas": all, "readyReplicas": ready, "availableReplicas": ready});
    deployment.put("status", status);
    deployment
}
