//! The JSON of a node and of its lease.

use std::collections::BTreeSet;

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use crate::members::Members;
use crate::world::epoch::SECOND;
use crate::world::hash::{hash, hex64, stream, uid};
use crate::world::node::{Node, NodeState};

/// A node with the time of its last heartbeat.
pub(crate) fn node(node: &Node, state: &NodeState, port: u16, heartbeat: Timestamp) -> Value {
    let size = node.size;
    let memory_ki = size.memory / 1024;
    let id = |stream: u64| uid(hash(node.seed, stream));
    let amounts = |cpu: String, memory_ki: u64| {
        let amounts = json!({
            "cpu": cpu, "ephemeral-storage": "264212084Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
            "memory": format!("{memory_ki}Ki"), "pods": node.max_pods.to_string(),
            "nvidia.com/gpu": (node.gpus > 0).then(|| node.gpus.to_string()),
        });
        amounts.without_nulls()
    };
    let [a, b, c, _] = node.pod_address(0).octets();
    let spec = json!({
        "podCIDR": format!("{a}.{b}.{c}.0/24"),
        "providerID": format!("sim:///{}/{}", node.zone, node.name),
        "taints": taints(node, state),
        "unschedulable": state.cordoned.then_some(true),
    });
    json!({
        "metadata": {
            "name": &*node.name,
            "uid": node.uid,
            "creationTimestamp": node.booted.plus_nanos(15 * SECOND),
            "labels": {
                "beta.kubernetes.io/arch": "amd64",
                "beta.kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": &*node.name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": size.name,
                "topology.kubernetes.io/region": "eu-1",
                "topology.kubernetes.io/zone": node.zone,
            },
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": spec.without_nulls(),
        "status": {
            "capacity": amounts(size.cores.to_string(), memory_ki),
            "allocatable": amounts(format!("{}m", size.cores * 1000 - 80), memory_ki - 460 * 1024),
            "conditions": conditions(node, state, heartbeat),
            "addresses": [
                {"type": "InternalIP", "address": node.address},
                {"type": "Hostname", "address": &*node.name},
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
            "nodeInfo": {
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
            },
            "images": images(node, state),
        },
    })
}

/// The images of the pods on a node, and their sizes.
fn images(node: &Node, state: &NodeState) -> Value {
    let mut images = BTreeSet::new();
    for pod in state.pods() {
        let containers = pod.revision.app.containers.iter();
        images.extend(containers.map(|c| pod.revision.image(c)));
    }
    let images = images.into_iter().take(50).map(|image| {
        let size = 40_000_000 + hash(node.seed, stream(&image)) % 400_000_000;
        json!({"names": [image], "sizeBytes": size})
    });
    images.collect()
}

/// The taint of every eighth node: its administrator prefers batch work there.
fn own_taint(node: &Node) -> Option<Value> {
    let has = node.index % 8 == 7;
    has.then(|| json!({"key": "dedicated", "value": "batch", "effect": "PreferNoSchedule"}))
}

/// The taints of a node: its own, and those that the node controller sets.
fn taints(node: &Node, state: &NodeState) -> Option<Value> {
    let all = own_taint(node).into_iter().chain(controller_taints(state));
    let all: Vec<Value> = all.collect();
    (!all.is_empty()).then(|| json!(all))
}

fn controller_taints(state: &NodeState) -> Vec<Value> {
    let taint = |condition: &str, effect: &str, since: Timestamp| json!({"key": format!("node.kubernetes.io/{condition}"), "effect": effect, "timeAdded": since});
    if !state.ready.0 {
        let effects = ["NoSchedule", "NoExecute"];
        return effects
            .map(|effect| taint("unreachable", effect, state.ready.1))
            .into();
    }
    let pressure = state.memory_pressure.iter();
    pressure
        .map(|since| taint("memory-pressure", "NoSchedule", *since))
        .collect()
}

/// The kubelet's four conditions, and those of node-problem-detector, which reports a problem on every eighth node. The
/// kubelet's are unknown while the node is lost.
fn conditions(node: &Node, state: &NodeState, heartbeat: Timestamp) -> Value {
    let booted = node.booted;
    let lost = !state.ready.0;
    let (short, memory, memory_reason) = match state.memory_pressure {
        Some(_) => ("True", "insufficient", "KubeletHasInsufficientMemory"),
        None => ("False", "sufficient", "KubeletHasSufficientMemory"),
    };
    #[rustfmt::skip] // one condition a line: a table
    let conditions = [
        ("MemoryPressure", short, memory_reason, format!("kubelet has {memory} memory available"), state.memory_pressure.unwrap_or(booted)),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure".to_owned(), booted),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available".to_owned(), booted),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status".to_owned(), state.ready.1),
    ];
    let conditions = conditions.map(|(kind, status, reason, message, since)| {
        let (status, reason, message, since) = match lost {
            true => (
                "Unknown",
                "NodeStatusUnknown",
                "Kubelet stopped posting node status.",
                state.ready.1,
            ),
            false => (status, reason, message.as_str(), since.max(booted)),
        };
        json!({
            "type": kind, "status": status, "lastHeartbeatTime": heartbeat,
            "lastTransitionTime": since, "reason": reason, "message": message,
        })
    });
    json!(
        conditions
            .into_iter()
            .chain(detected(node, heartbeat))
            .collect::<Vec<_>>()
    )
}

/// The conditions of node-problem-detector.
fn detected(node: &Node, heartbeat: Timestamp) -> [Value; 2] {
    let (status, reason, message, after) = match node.index % 8 == 5 {
        true => (
            "True",
            "FrequentContainerdRestart",
            "Found 6 matching logs, which meets the threshold of 5",
            7_200,
        ),
        false => (
            "False",
            "NoFrequentContainerdRestart",
            "containerd is functioning properly",
            60,
        ),
    };
    let since = node.booted.plus_nanos(after * SECOND);
    [
        json!({"type": "KernelDeadlock", "status": "False", "lastHeartbeatTime": heartbeat,
            "lastTransitionTime": node.booted, "reason": "KernelHasNoDeadlock", "message": "kernel has no deadlock"}),
        json!({"type": "FrequentContainerdRestart", "status": status, "lastHeartbeatTime": heartbeat,
            "lastTransitionTime": since, "reason": reason, "message": message}),
    ]
}

/// The lease that a kubelet renews.
pub(crate) fn lease(node: &Node, renewed: Timestamp) -> Value {
    json!({
        "metadata": {
            "name": &*node.name,
            "namespace": "kube-node-lease",
            "uid": uid(hash(node.seed, 6)),
            "creationTimestamp": node.booted.plus_nanos(15 * SECOND),
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": &*node.name, "uid": node.uid}],
        },
        "spec": {
            "holderIdentity": &*node.name,
            "leaseDurationSeconds": 40,
            "renewTime": renewed.to_rfc3339_micros(),
        },
    })
}
