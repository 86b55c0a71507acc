//! Cells that are more than a member of an object: pods, nodes, events, workloads, APIServices.

use std::borrow::Borrow;
use std::collections::BTreeSet;

use kubevitals_proto::age;
use kubevitals_proto::objects::{Pools, Summary, WireNode, WirePod};
use kubevitals_proto::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::members::Members;

/// A text from a pod's line in `kubectl get pods`; empty when the pod cannot be read.
fn summary(pod: &Value, text: impl FnOnce(Summary<'_>) -> String) -> Value {
    let read = WirePod::deserialize(pod).ok();
    let read = read.and_then(|pod| pod.convert(&Pools::default()));
    json!(read.map_or_else(String::new, |pod| text(pod.summary())))
}

pub(super) fn pod_ready(pod: &Value, _now: Timestamp) -> Value {
    summary(pod, |it| format!("{}/{}", it.ready, it.containers))
}

pub(super) fn pod_status(pod: &Value, _now: Timestamp) -> Value {
    summary(pod, |it| it.status.into_owned())
}

/// The number of restarts, and how long ago the last was.
pub(super) fn restarts(pod: &Value, now: Timestamp) -> Value {
    summary(pod, |it| {
        match it.last_restart.filter(|_| it.restarts > 0) {
            Some(last) => format!("{} ({} ago)", it.restarts, age::since(Some(last), now)),
            None => it.restarts.to_string(),
        }
    })
}

pub(super) fn pod_ip(pod: &Value, _now: Timestamp) -> Value {
    let first = pod.text_or("/status/podIPs/0/ip", pod.text("/status/podIP"));
    json!(if first.is_empty() { "<none>" } else { first })
}

/// The condition of a type.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let mut conditions = object.list("/status/conditions").iter();
    conditions.find(|it| it.text("/type") == kind)
}

pub(super) fn readiness_gates(pod: &Value, _now: Timestamp) -> Value {
    let gates = pod.list("/spec/readinessGates");
    let holds = |gate: &&Value| {
        condition(pod, gate.text("/conditionType")).is_some_and(|it| it.text("/status") == "True")
    };
    match gates.len() {
        0 => json!("<none>"),
        all => json!(format!("{}/{all}", gates.iter().filter(holds).count())),
    }
}

pub(super) fn node_status(node: &Value, _now: Timestamp) -> Value {
    let read = WireNode::deserialize(node).ok();
    let read = read.and_then(|node| node.convert(&Pools::default()));
    json!(read.map_or("Unknown", |node| node.status(node.ready)))
}

/// A node's address of this type.
pub(super) fn address(node: &Value, kind: &str) -> Value {
    let mut addresses = node.list("/status/addresses").iter();
    let address = addresses.find(|it| it.text("/type") == kind);
    json!(address.map_or("<none>", |it| it.text("/address")))
}

/// Roles by labels: `node-role.kubernetes.io/ROLE`, and `kubernetes.io/role=ROLE`.
pub(super) fn roles(node: &Value, _now: Timestamp) -> Value {
    let labels = node.members("/metadata/labels");
    let roles: BTreeSet<&str> = labels
        .filter_map(|(key, value)| match key.as_str() {
            "kubernetes.io/role" => value.as_str(),
            key => key.strip_prefix("node-role.kubernetes.io/"),
        })
        .filter(|role| !role.is_empty())
        .collect();
    joined(&Vec::from_iter(roles))
}

/// `KIND/NAME` of the object of an event.
pub(super) fn object(event: &Value, _now: Timestamp) -> Value {
    let kind = event.text("/involvedObject/kind").to_lowercase();
    match event.text("/involvedObject/name") {
        "" => json!(kind),
        name => json!(format!("{kind}/{name}")),
    }
}

/// The component that reports an event, and its host.
pub(super) fn source(event: &Value, _now: Timestamp) -> Value {
    let component = event.text_or("/source/component", event.text("/reportingComponent"));
    match event.text_or("/source/host", event.text("/reportingInstance")) {
        "" => json!(component),
        host => json!(format!("{component}, {host}")),
    }
}

pub(super) fn message(event: &Value, _now: Timestamp) -> Value {
    json!(event.text("/message").trim())
}

pub(super) fn count(event: &Value, _now: Timestamp) -> Value {
    let counts = [event.int("/series/count"), event.int("/count"), 1];
    json!(counts.into_iter().find(|n| *n > 0))
}

/// `READY/DESIRED` pods of a workload.
pub(super) fn ready(workload: &Value, _now: Timestamp) -> Value {
    let count = |pointer| workload.int(pointer);
    let (ready, desired) = (count("/status/readyReplicas"), count("/spec/replicas"));
    json!(format!("{ready}/{desired}"))
}

/// A member of the containers in a workload's template.
pub(super) fn containers(workload: &Value, member: &str) -> Value {
    let containers = workload.list("/spec/template/spec/containers").iter();
    json!(Vec::from_iter(containers.map(|it| it.text(member))).join(","))
}

/// A workload's LabelSelector as text.
pub(super) fn selector(workload: &Value, _now: Timestamp) -> Value {
    let mut terms = labels(workload, "/spec/selector/matchLabels");
    for expression in workload.list("/spec/selector/matchExpressions") {
        let key = expression.text("/key");
        let values = expression.list("/values").iter();
        let values = Vec::from_iter(values.filter_map(Value::as_str)).join(",");
        terms.push(match expression.text("/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    joined(&terms)
}

pub(super) fn node_selector(workload: &Value, _now: Timestamp) -> Value {
    joined(&labels(workload, "/spec/template/spec/nodeSelector"))
}

/// Labels as texts, sorted.
fn labels(object: &Value, pointer: &str) -> Vec<String> {
    let labels = object.members(pointer);
    let texts = labels.map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()));
    let mut texts: Vec<String> = texts.collect();
    texts.sort_unstable();
    texts
}

/// The service of an APIService.
pub(super) fn service(object: &Value, _now: Timestamp) -> Value {
    object.at("/spec/service").map_or_else(
        || json!("Local"),
        |it| json!(format!("{}/{}", it.text("/namespace"), it.text("/name"))),
    )
}

/// Whether an APIService can be reached, and why not.
pub(super) fn availability(object: &Value, _now: Timestamp) -> Value {
    match condition(object, "Available") {
        None => json!("Unknown"),
        Some(it) if it.text("/status") == "False" => {
            json!(format!("False ({})", it.text("/reason")))
        }
        Some(it) => json!(it.text("/status")),
    }
}

/// Texts joined by commas, or `<none>`.
fn joined(texts: &[impl Borrow<str>]) -> Value {
    match texts {
        [] => json!("<none>"),
        texts => json!(texts.join(",")),
    }
}

/// The access modes of a bound claim, in short: `RWO,ROX`.
pub(super) fn access_modes(claim: &Value, _now: Timestamp) -> Value {
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        Some("ReadWriteOncePod") => "RWOP",
        _ => "",
    };
    let modes = claim.list("/status/accessModes").iter().map(short);
    modes.collect::<Vec<_>>().join(",").into()
}
