//! Kubernetes objects made of what the engine has: as JSON, so that the readers of the watches read them.

use std::collections::BTreeMap;

use kubevitals_proto::objects::{Pools, WireNode, WirePod};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use serde_json::{Value, json};

use super::facts::{ContainerFacts, NodeFacts, PodFacts};
use crate::cluster::{Cluster, Node, Pod, PodKey, Uid};
use crate::query::history::whole;

/// Makes objects. What the engine does not have, such as labels, is that of the objects in memory.
pub(super) struct Objects<'a> {
    cluster: &'a Cluster,
    pools: Pools,
}

impl<'a> Objects<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            pools: Pools::default(),
        }
    }

    /// A pod; `None` if its name is none.
    pub(super) fn pod(
        &self,
        (namespace, name): &(String, String),
        facts: &PodFacts,
    ) -> Option<Pod> {
        let (kind, owner) = match facts.workload.0.is_empty() {
            true => &facts.owner,
            false => &facts.workload,
        };
        let owners = match kind.is_empty() || owner.is_empty() {
            true => json!([]),
            false => json!([{"kind": kind, "name": owner, "controller": true}]),
        };
        let specs = facts.containers.iter().map(|(name, facts)| {
            let resources = json!({
                "requests": amounts(&facts.requests),
                "limits": amounts(&facts.limits),
            });
            json!({"name": name, "resources": resources})
        });
        let used = facts.containers.values().any(|it| it.memory.is_some());
        let phase = match &*facts.phase {
            "" if used => "Running",
            phase => phase,
        };
        let condition = |kind: &str, holds: bool| json!({"type": kind, "status": if holds { "True" } else { "False" }});
        let pod = json!({
            "metadata": {
                "name": name,
                "namespace": namespace,
                "uid": facts.uid,
                "creationTimestamp": facts.created.map(time),
                "ownerReferences": owners,
            },
            "spec": {"nodeName": facts.node, "containers": specs.collect::<Value>()},
            "status": {
                "phase": phase,
                "conditions": [condition("Ready", facts.ready), condition("Initialized", true)],
                "containerStatuses": facts.containers.iter().map(status).collect::<Value>(),
            },
        });
        let pod: WirePod = serde_json::from_value(pod).ok()?;
        let pod = pod.convert(&self.pools)?;
        let labels = self.known(&pod).map(|known| known.labels.clone());
        Some(Pod {
            labels: labels.unwrap_or_default(),
            ..pod
        })
    }

    /// The pod in memory, if it is the same one.
    fn known(&self, pod: &Pod) -> Option<std::sync::Arc<Pod>> {
        if pod.uid == Uid::default() {
            return None;
        }
        let now = self.cluster.pods();
        let now = now.get(&PodKey::clone(&pod.key)).cloned();
        let gone = || {
            let gone = self.cluster.gone_pods();
            let gone = gone.get(&(pod.key.clone(), pod.uid))?;
            Some(gone.pod.clone())
        };
        now.filter(|known| known.uid == pod.uid).or_else(gone)
    }

    /// A node; `None` if its name is none.
    pub(super) fn node(&self, name: &str, facts: &NodeFacts) -> Option<Node> {
        let conditions = facts.conditions.iter().map(|(kind, status)| {
            let status = match &**status {
                "true" => "True",
                "false" => "False",
                _ => "Unknown",
            };
            json!({"type": kind, "status": status})
        });
        let amounts = amounts(&facts.allocatable);
        let node = json!({
            "metadata": {"name": name},
            "spec": {"unschedulable": facts.unschedulable},
            "status": {
                "capacity": amounts,
                "allocatable": amounts,
                "conditions": conditions.collect::<Value>(),
            },
        });
        let node: WireNode = serde_json::from_value(node).ok()?;
        let node = node.convert(&self.pools)?;
        let nodes = self.cluster.nodes();
        Some(match nodes.get(&*node.name) {
            Some(known) => Node {
                uid: known.uid,
                created_seconds: known.created_seconds,
                labels: known.labels.clone(),
                ..node
            },
            None => node,
        })
    }
}

/// The status of a container.
fn status((name, facts): (&String, &ContainerFacts)) -> Value {
    let state = match facts {
        _ if !facts.waiting.is_empty() => json!({"waiting": {"reason": facts.waiting}}),
        _ if !facts.terminated.is_empty() => json!({"terminated": {"reason": facts.terminated}}),
        _ if facts.running || facts.memory.is_some() => json!({"running": {}}),
        _ => json!({"waiting": {}}),
    };
    let last = facts.last.as_ref().map(|last| {
        let code: i64 = last.exit_code.parse().unwrap_or_default();
        json!({"terminated": {"reason": last.reason, "exitCode": code, "finishedAt": time(last.at)}})
    });
    json!({
        "name": name,
        "ready": facts.ready,
        "restartCount": whole(facts.restarts),
        "state": state,
        "lastState": last,
    })
}

/// Requests, limits or the amounts of a node.
fn amounts(resources: &BTreeMap<String, f64>) -> Value {
    let amount = |(resource, value): (&String, &f64)| {
        let quantity = match &**resource {
            "cpu" => Quantity::from_nanocores(Nanocores(whole(value * 1e9))),
            "memory" | "ephemeral_storage" => Quantity::from_bytes(Bytes(whole(*value))),
            "pods" => return Some(("pods".to_owned(), json!(whole(*value).to_string()))),
            _ => return None,
        };
        Some((resource.replace('_', "-"), json!(quantity.to_string())))
    };
    resources.iter().filter_map(amount).collect()
}

/// Seconds since the epoch as a time of an object.
fn time(seconds: f64) -> String {
    let seconds = i64::try_from(whole(seconds)).unwrap_or_default();
    Timestamp::from_secs(seconds).to_rfc3339_seconds()
}
