//! The JSON of a pod. What all pods of a revision share comes as text from their template: there may be 150,000 pods.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;
use crate::objects::MetaLite;
use crate::world::catalog::{Kind, Role, is_init};
use crate::world::epoch::SECOND;
use crate::world::hash::{hash, hex64};
use crate::world::node::Node;
use crate::world::pod::{Container, Ended, Phase, Pod, State};

/// A pod of a node for the store: its metadata and its JSON.
pub(crate) fn pod(pod: &Pod, node: &Node) -> (MetaLite, Bytes) {
    let (revision, node_name) = (&pod.revision, &node.name);
    let meta = MetaLite {
        namespace: Some(revision.namespace.clone()),
        name: pod.name.clone(),
        labels: revision.labels.clone(),
        fields: [
            ("spec.nodeName", node_name.clone()),
            ("status.phase", Arc::from(phase(pod))),
            ("spec.restartPolicy", Arc::from("Always")),
        ]
        .into(),
    };
    let metadata = json!({
        "name": &*pod.name,
        "generateName": format!("{}-", revision.owner_name),
        "namespace": &*revision.namespace,
        "uid": &*pod.uid,
        "generation": 1,
        "creationTimestamp": pod.created,
        "deletionTimestamp": pod.deleting.map(|since| since.plus_nanos(30 * SECOND)),
        "deletionGracePeriodSeconds": pod.deleting.map(|_| 30),
        "labels": revision.labels,
        "annotations": annotations(pod),
        "ownerReferences": revision.template.owners,
    });
    let hostname = match revision.app.kind {
        Kind::StatefulSet => format!(r#","hostname":"{}""#, pod.name),
        Kind::Deployment | Kind::DaemonSet => String::new(),
    };
    let (metadata, status) = (metadata.without_nulls(), status(pod, node.address));
    let (before, after) = &revision.template.spec;
    let mut json = format!(
        r#"{{"metadata":{metadata},"spec":{before}"{node_name}"{hostname}{after},"status":{status}}}"#
    );
    json.shrink_to_fit();
    (meta, Bytes::from(json))
}

/// The annotations of the template, with those of the pod itself.
fn annotations(pod: &Pod) -> Option<Value> {
    let mut all = pod.revision.template.annotations.clone();
    for (key, value) in &pod.annotations {
        all.get_or_insert_with(|| json!({}))
            .put(key, value.as_str());
    }
    all
}

pub(crate) fn phase(pod: &Pod) -> &'static str {
    match pod.phase {
        Phase::Pending => "Pending",
        Phase::Running if pod.containers.iter().any(Container::never_ran) => "Pending",
        Phase::Running => "Running",
        Phase::Evicted { .. } => "Failed",
    }
}

fn status(pod: &Pod, host: Ipv4Addr) -> Value {
    let evicted = match &pod.phase {
        Phase::Evicted { message } => Some(message),
        Phase::Pending | Phase::Running => None,
    };
    let ip = (pod.phase == Phase::Running).then_some(pod.ip);
    json!({
        "observedGeneration": 1,
        "phase": phase(pod),
        "conditions": conditions(pod, evicted),
        "message": evicted,
        "reason": evicted.map(|_| "Evicted"),
        "hostIP": host,
        "hostIPs": [{"ip": host}],
        "podIP": ip,
        "podIPs": ip.map(|ip| json!([{"ip": ip}])),
        "startTime": pod.created,
        "initContainerStatuses": container_statuses(pod, true),
        "containerStatuses": container_statuses(pod, false),
        "qosClass": pod.revision.template.qos,
    })
    .without_nulls()
}

fn conditions(pod: &Pod, evicted: Option<&String>) -> Vec<Value> {
    let up = pod.phase == Phase::Running;
    let initialized = pod.containers.iter().all(|c| {
        c.spec.role != Role::Init || matches!(&c.state, State::Ended(e) if e.exit_code == 0)
    });
    let (ready, since) = pod.ready;
    let (reason, text) = match evicted {
        Some(_) => ("PodFailed", None),
        None => ("ContainersNotReady", (!ready).then(|| unready(pod))),
    };
    // The node controller sets Ready to false when a node is lost. It does not change ContainersReady.
    let ready_reason = if pod.node_lost { "" } else { reason };
    #[rustfmt::skip] // one condition a line: a table
    let conditions = [
        ("PodReadyToStartContainers", up, pod.sandbox, "", None),
        ("Initialized", initialized, pod.sandbox, "ContainersNotInitialized", None),
        ("Ready", ready && !pod.node_lost, since, ready_reason, text.as_ref()),
        ("ContainersReady", ready, since, reason, text.as_ref()),
        ("PodScheduled", true, pod.created, "", None),
    ];
    let condition = |(kind, holds, since, reason, text): (
        &str,
        bool,
        Timestamp,
        &str,
        Option<&String>,
    )| {
        let status = if holds { "True" } else { "False" };
        let mut condition = json!({
            "type": kind, "observedGeneration": 1, "status": status, "lastProbeTime": null, "lastTransitionTime": since,
        });
        if !reason.is_empty() && (!holds || kind == "DisruptionTarget") {
            condition.put("reason", reason);
            if let Some(text) = text {
                condition.put("message", text.as_str());
            }
        }
        condition
    };
    let disruption = evicted.map(|message| {
        (
            "DisruptionTarget",
            true,
            since,
            "TerminationByKubelet",
            Some(message),
        )
    });
    conditions
        .into_iter()
        .chain(disruption)
        .map(condition)
        .collect()
}

fn unready(pod: &Pod) -> String {
    let containers = pod.containers.iter();
    let unready = containers.filter(|c| c.spec.role == Role::Main && !c.ready);
    let names: Vec<&str> = unready.map(|c| c.spec.name).collect();
    format!("containers with unready status: [{}]", names.join(" "))
}

/// The statuses of the init containers or the other containers; `None` when there are none.
fn container_statuses(pod: &Pod, init: bool) -> Option<Vec<Value>> {
    let all = pod.containers.iter().zip(&pod.revision.template.resources);
    let statuses = all.filter(|(c, _)| is_init(c.spec) == init).map(|(c, (allocated, resources))| {
        let ran = !matches!(c.state, State::Waiting { .. }) || c.last.is_some();
        let state = match &c.state {
            State::Waiting { reason, message } => {
                json!({"waiting": json!({"reason": reason, "message": message}).without_nulls()})
            }
            State::Running { since } => json!({"running": {"startedAt": since}}),
            State::Ended(ended) => terminated(c, ended),
        };
        json!({
            "name": c.spec.name,
            "state": state,
            "lastState": c.last.as_ref().map_or_else(|| json!({}), |last| terminated(c, last)),
            "ready": c.ready,
            "restartCount": c.restarts,
            "image": pod.revision.image(c.spec),
            "imageID": if ran { pod.revision.image_id(c.spec) } else { String::new() },
            "containerID": ran.then(|| container_id(c, c.incarnation())),
            "started": c.started,
            "allocatedResources": allocated,
            "resources": resources,
        })
        .without_nulls()
    });
    Some(statuses.collect()).filter(|statuses: &Vec<Value>| !statuses.is_empty())
}

fn terminated(c: &Container, ended: &Ended) -> Value {
    json!({"terminated": {
        "exitCode": ended.exit_code, "reason": ended.reason, "startedAt": ended.started, "finishedAt": ended.finished,
        "containerID": container_id(c, ended.incarnation),
    }})
}

fn container_id(c: &Container, incarnation: u32) -> String {
    let id = hash(c.seed, 0x6964 + u64::from(incarnation));
    format!("containerd://{}", hex64(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminated_container_has_its_time_and_reason() {
        let app = &crate::world::catalog::APPS[0];
        let at = Timestamp::from_secs(1_800_000_000);
        let workload =
            crate::world::workload::Workload::new(1, app, Arc::from("shop"), at, at, None);
        let (revision, name) = (workload.revision.clone(), "web-x".to_owned());
        let mut one = Pod::new(revision, (0, 0), name, 7, Ipv4Addr::LOCALHOST, at);
        one.phase = Phase::Running;
        for c in &mut one.containers {
            c.run(at);
        }
        let c = one.containers.last_mut().unwrap();
        c.restarts = 1;
        c.end(at.plus_nanos(5_000_000_000), 137, "OOMKilled");
        let (meta, bytes) = pod(&one, &Node::new(1, 0, 10, at));
        assert_eq!(meta.field("status.phase"), Some("Running"));
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let ended = &value["status"]["containerStatuses"][0]["state"]["terminated"];
        assert_eq!(ended["exitCode"], 137);
        assert_eq!(ended["reason"], "OOMKilled");
        assert_eq!(ended["finishedAt"], "2027-01-15T08:00:05Z");
        let ready = &value["status"]["conditions"][2];
        assert_eq!(ready["message"], "containers with unready status: [web]");
    }
}
