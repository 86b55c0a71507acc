//! Nodes.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::ClusterResourceScope;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::quantity::Quantity;
use serde::Deserialize;

use super::{kind, metadata, seconds, told};
use crate::model::row::NodeRow;
use crate::model::{Amounts, Names};

/// A node.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::source) struct SlimNode {
    #[serde(deserialize_with = "metadata")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

kind!(SlimNode, "", "v1", "Node", "nodes", ClusterResourceScope);

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Status {
    capacity: Resources,
    allocatable: Resources,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Resources {
    cpu: Option<Quantity>,
    memory: Option<Quantity>,
    pods: Option<Quantity>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

impl From<&Resources> for Amounts {
    fn from(resources: &Resources) -> Self {
        Self {
            cpu: resources.cpu.into(),
            memory: resources.memory.into(),
        }
    }
}

impl SlimNode {
    /// The node's row; nothing when it has no name, which no API server sends.
    pub(in crate::source) fn row(self, names: &Names) -> Option<NodeRow> {
        let Self {
            metadata,
            spec,
            status,
        } = self;
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.r#type == "Ready");
        // `printNode` of kubectl's printers: a node without the condition is Unknown.
        let mut word = match ready.map(|condition| condition.status.as_str()) {
            Some("True") => "Ready".to_owned(),
            Some(_) => "NotReady".to_owned(),
            None => "Unknown".to_owned(),
        };
        if spec.unschedulable {
            word.push_str(",SchedulingDisabled");
        }
        let wrong =
            |condition: &&Condition| condition.r#type != "Ready" && condition.status == "True";
        let labels = metadata.labels.unwrap_or_default();
        let pods_most = status.allocatable.pods.map_or(0, |pods| pods.value());
        Some(NodeRow {
            name: names.intern(&metadata.name?),
            status: names.intern(&word),
            ready: ready.is_some_and(|condition| condition.status == "True"),
            lost: ready.is_some_and(|condition| condition.status == "Unknown"),
            conditions: status
                .conditions
                .iter()
                .filter(wrong)
                .map(|condition| names.intern(&condition.r#type))
                .collect(),
            labels: Labels::from_iter(
                labels
                    .iter()
                    .map(|(key, value)| (names.intern(key), names.intern(value))),
            ),
            created_seconds: seconds(told(metadata.creation_timestamp.as_ref())),
            capacity: (&status.capacity).into(),
            allocatable: (&status.allocatable).into(),
            pods_most: u32::try_from(pods_most).unwrap_or(0),
            ..NodeRow::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_read_into_its_row() {
        let json = r#"{"metadata":{"name":"n1","creationTimestamp":"2026-11-21T05:00:00Z"},"spec":{"unschedulable":true},
            "status":{"allocatable":{"cpu":"2","memory":"4Gi","pods":"110"},"conditions":[
                {"type":"MemoryPressure","status":"True"},{"type":"DiskPressure","status":"False"},{"type":"Ready","status":"True"}]}}"#;
        let row = serde_json::from_str::<SlimNode>(json)
            .unwrap()
            .row(&Names::default())
            .unwrap();
        assert_eq!(row.status_text(), "Ready,SchedulingDisabled MemoryPressure");
        assert_eq!((row.ready, row.pods_most), (true, 110));
        assert_eq!(
            row.allocatable.cpu.get().map(|cpu| cpu.0),
            Some(2_000_000_000)
        );
    }
}
