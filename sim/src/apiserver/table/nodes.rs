//! Nodes.

use std::collections::BTreeSet;

use kubevitals_proto::objects::{Pools, WireNode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::{Members, joined};

pub(super) fn cells(node: &Value, ages: Ages) -> Vec<Value> {
    let address = |kind: &str| {
        let found = node
            .list("/status/addresses")
            .iter()
            .find(|a| a.text("/type") == kind);
        json!(found.map_or("<none>", |a| a.text("/address")))
    };
    let info =
        |member: &str| json!(node.text_or(&format!("/status/nodeInfo/{member}"), "<unknown>"));
    vec![
        node.name(),
        json!(status(node)),
        json!(joined(roles(node).into_iter())),
        ages.of(node),
        json!(node.text("/status/nodeInfo/kubeletVersion")),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

fn status(node: &Value) -> &'static str {
    let read = WireNode::deserialize(node).ok();
    let read = read.and_then(|node| node.convert(&Pools::default()));
    read.map_or("Unknown", |node| node.status(node.ready))
}

/// Roles by labels: `node-role.kubernetes.io/ROLE`, and `kubernetes.io/role=ROLE`.
fn roles(node: &Value) -> BTreeSet<&str> {
    let labels = node
        .at("/metadata/labels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    labels
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None if key == "kubernetes.io/role" => value.as_str(),
                None => None,
            },
        )
        .filter(|role| !role.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_roles() {
        let node = json!({
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "db"}},
            "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
        });
        let cells = cells(&node, Ages::at(jiff::Timestamp::UNIX_EPOCH));
        assert_eq!(cells[1], "NotReady,SchedulingDisabled");
        assert_eq!(cells[2], "db,worker");
    }
}
