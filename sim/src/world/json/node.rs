//! A node's JSON, and its lease.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use super::put;
use crate::world::hash::{hash, hex64, uid};
use crate::world::node::{Node, NodeReady, NodeState};

const SECOND: i64 = 1_000_000_000;

/// A node as the API server has it, heard of last at `heartbeat`.
pub(crate) fn node(node: &Node, state: &NodeState, port: u16, heartbeat: Timestamp) -> Value {
    let size = node.size;
    let memory_ki = size.memory / 1024;
    let amounts = |cpu: String, memory_ki: u64| {
        json!({
            "cpu": cpu, "ephemeral-storage": "264212084Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            "memory": format!("{memory_ki}Ki"), "pods": node.max_pods.to_string(),
        })
    };
    let unreachable = state.ready.0 == NodeReady::Unknown;
    let mut spec = json!({
        "podCIDR": format!("{}/24", node.pod_address(0).to_string().rsplit_once('.').map(|(net, _)| format!("{net}.0")).unwrap_or_default()),
        "providerID": format!("sim:///{}/{}", node.zone, node.name),
    });
    if unreachable {
        let since = state.ready.1.to_rfc3339_seconds();
        let taint = |effect: &str| json!({"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": since});
        put(
            &mut spec,
            "taints",
            json!([taint("NoSchedule"), taint("NoExecute")]),
        );
    } else if let Some(since) = state.memory_pressure {
        put(
            &mut spec,
            "taints",
            json!([{"key": "node.kubernetes.io/memory-pressure", "effect": "NoSchedule", "timeAdded": since.to_rfc3339_seconds()}]),
        );
    }
    json!({
        "metadata": {
            "name": node.name,
            "uid": node.uid,
            "creationTimestamp": node.booted.plus_nanos(15 * SECOND).to_rfc3339_seconds(),
            "labels": labels(node),
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": spec,
        "status": {
            "capacity": amounts(size.cores.to_string(), memory_ki),
            "allocatable": amounts(format!("{}m", size.cores * 1000 - 80), memory_ki - 460 * 1024),
            "conditions": conditions(state, heartbeat, node.booted),
            "addresses": [
                {"type": "InternalIP", "address": node.address.to_string()},
                {"type": "Hostname", "address": node.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "nodeInfo": info(node),
            "images": [],
        },
    })
}

fn labels(node: &Node) -> Value {
    json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": node.size.name,
        "topology.kubernetes.io/region": "eu-1",
        "topology.kubernetes.io/zone": node.zone,
    })
}

fn info(node: &Node) -> Value {
    let id = |stream: u64| uid(hash(node.seed, stream));
    json!({
        "machineID": hex64(hash(node.seed, 3)).get(..32).unwrap_or_default(),
        "systemUUID": id(4),
        "bootID": id(5),
        "kernelVersion": "6.12.48",
        "osImage": "Debian GNU/Linux 13 (trixie)",
        "containerRuntimeVersion": "containerd://2.2.0",
        "kubeletVersion": "v1.36.0",
        "kubeProxyVersion": "",
        "operatingSystem": "linux",
        "architecture": "amd64",
        "swap": {"capacity": 0},
    })
}

/// The kubelet's four conditions. A node that is not heard of keeps none of them known.
fn conditions(state: &NodeState, heartbeat: Timestamp, booted: Timestamp) -> Value {
    let lost = state.ready.0 == NodeReady::Unknown;
    let one = |kind: &str, status: &str, reason: &str, message: &str, since: Timestamp| {
        let (status, reason, message, since) = if lost {
            (
                "Unknown",
                "NodeStatusUnknown",
                "Kubelet stopped posting node status.",
                state.ready.1,
            )
        } else {
            (status, reason, message, since.max(booted))
        };
        json!({
            "type": kind, "status": status, "lastHeartbeatTime": heartbeat.to_rfc3339_seconds(),
            "lastTransitionTime": since.to_rfc3339_seconds(), "reason": reason, "message": message,
        })
    };
    let up = state.ready.1;
    let memory = match state.memory_pressure {
        Some(since) => one(
            "MemoryPressure",
            "True",
            "KubeletHasInsufficientMemory",
            "kubelet has insufficient memory available",
            since,
        ),
        None => one(
            "MemoryPressure",
            "False",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
            booted,
        ),
    };
    json!([
        memory,
        one(
            "DiskPressure",
            "False",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
            booted
        ),
        one(
            "PIDPressure",
            "False",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
            booted
        ),
        one(
            "Ready",
            "True",
            "KubeletReady",
            "kubelet is posting ready status",
            up
        ),
    ])
}

/// The lease by which a kubelet says that it lives.
pub(crate) fn lease(node: &Node, renewed: Timestamp) -> Value {
    json!({
        "metadata": {
            "name": node.name,
            "namespace": "kube-node-lease",
            "uid": uid(hash(node.seed, 6)),
            "creationTimestamp": node.booted.plus_nanos(15 * SECOND).to_rfc3339_seconds(),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": node.uid}],
        },
        "spec": {
            "holderIdentity": node.name,
            "leaseDurationSeconds": 40,
            "renewTime": renewed.to_rfc3339_micros(),
        },
    })
}
