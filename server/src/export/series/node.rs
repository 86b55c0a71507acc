//! Series of nodes, as kube-state-metrics has them.

use super::{Family, flag, float, nanos};
use crate::cluster::{ConditionStatus, Node, Resources};

/// The conditions that each kubelet reports besides Ready.
const PRESSURES: [&str; 3] = ["MemoryPressure", "DiskPressure", "PIDPressure"];

const STATUSES: [(ConditionStatus, &str); 3] = [
    (ConditionStatus::True, "true"),
    (ConditionStatus::False, "false"),
    (ConditionStatus::Unknown, "unknown"),
];

pub(crate) static NODES: &[Family<Node>] = &[
    Family::gauge(
        "kube_node_info",
        "Information about a node; the value is 1",
        |node, out| {
            let version = node.kubelet_version.as_deref().unwrap_or_default();
            out(&[("kubelet_version", version), ("node", &node.name)], 1.0);
        },
    ),
    Family::gauge(
        "kube_node_created",
        "Creation of the node, in seconds since the Unix epoch",
        |node, out| {
            if node.created_seconds > 0 {
                out(&[("node", &node.name)], f64::from(node.created_seconds));
            }
        },
    ),
    Family::gauge(
        "kube_node_spec_unschedulable",
        "Whether the node is cordoned",
        |node, out| out(&[("node", &node.name)], flag(node.unschedulable)),
    ),
    Family::gauge(
        "kube_node_status_condition",
        "The conditions of the node, 1 for the status that each has",
        |node, out| {
            let ready = if node.ready {
                ConditionStatus::True
            } else {
                let unready = node.unready.as_ref();
                unready.map_or(ConditionStatus::Unknown, |it| it.status)
            };
            let problem = |kind: &str| {
                let mut problems = node.conditions.iter();
                problems.find(|it| *it.kind == *kind).map(|it| it.status)
            };
            let pressures =
                PRESSURES.map(|kind| (kind, problem(kind).unwrap_or(ConditionStatus::False)));
            let others = node.conditions.iter();
            let others = others.filter(|it| !PRESSURES.contains(&&*it.kind));
            let all = [("Ready", ready)].into_iter().chain(pressures);
            for (condition, has) in all.chain(others.map(|it| (&*it.kind, it.status))) {
                for (status, word) in STATUSES {
                    let labels = [
                        ("condition", condition),
                        ("node", &*node.name),
                        ("status", word),
                    ];
                    out(&labels, flag(has == status));
                }
            }
        },
    ),
    Family::gauge(
        "kube_node_status_capacity",
        "The resources of the node",
        |node, out| resources(node, node.capacity, out),
    ),
    Family::gauge(
        "kube_node_status_allocatable",
        "The resources of the node that pods can request",
        |node, out| resources(node, node.allocatable, out),
    ),
];

fn resources(node: &Node, amounts: Resources, out: &mut super::Out<'_>) {
    for (resource, unit, value) in amounts_of(amounts) {
        let labels = [
            ("node", &*node.name),
            ("resource", resource),
            ("unit", unit),
        ];
        out(&labels, value);
    }
    if node.pod_capacity > 0 {
        let labels = [
            ("node", &*node.name),
            ("resource", "pods"),
            ("unit", "integer"),
        ];
        out(&labels, f64::from(node.pod_capacity));
    }
}

/// The amounts that are set, each with its resource and unit.
pub(super) fn amounts_of(
    amounts: Resources,
) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
    let cpu = amounts.cpu.map(|it| ("cpu", "core", nanos(it.0)));
    let memory = amounts.memory.map(|it| ("memory", "byte", float(it.0)));
    let ephemeral = amounts.ephemeral;
    let ephemeral = ephemeral.map(|it| ("ephemeral_storage", "byte", float(it.0)));
    [cpu, memory, ephemeral].into_iter().flatten()
}
