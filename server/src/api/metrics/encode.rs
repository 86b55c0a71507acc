//! Answers of the query face in the words of proto's encoders.

use kubevitals_proto::metrics::Version;
use kubevitals_proto::metrics::encode::{
    ContainerRef, Kind, MetaRef, NodeRef, PodRef, UsageRef, json,
};
use kubevitals_proto::time::Timestamp;

use crate::query::{NodeAnswer, PodAnswer};

fn node_ref(answer: &NodeAnswer, created: Timestamp) -> NodeRef<'_> {
    let usage = &answer.latest.usage;
    NodeRef {
        meta: MetaRef {
            name: &answer.node.name,
            namespace: "",
            creation: created,
            labels: &answer.node.labels,
        },
        timestamp: usage.at,
        window: usage.window,
        usage: UsageRef {
            cpu: usage.cpu,
            memory: usage.memory,
        },
    }
}

/// Makes `use_it` of the pod as proto's encoders take it.
fn with_pod<T>(
    answer: &PodAnswer<'_>,
    created: Timestamp,
    use_it: impl FnOnce(&PodRef<'_>) -> T,
) -> T {
    let containers: Vec<ContainerRef<'_>> = answer
        .containers
        .iter()
        .map(|container| ContainerRef {
            name: &container.name,
            usage: UsageRef {
                cpu: container.cpu,
                memory: container.memory,
            },
        })
        .collect();
    let key = &answer.pod.key;
    use_it(&PodRef {
        meta: MetaRef {
            name: &key.name,
            namespace: &key.namespace,
            creation: created,
            labels: &answer.pod.labels,
        },
        timestamp: answer.rates.at,
        window: answer.rates.window,
        containers: &containers,
    })
}

/// One node by itself, as JSON.
pub(super) fn node(version: Version, answer: &NodeAnswer, created: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    json::object(&mut out, version, &node_ref(answer, created));
    out
}

/// A list of nodes, as JSON.
pub(super) fn nodes(version: Version, answers: &[NodeAnswer], created: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    json::list_head(&mut out, Kind::Node, version);
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        json::item(&mut out, &node_ref(answer, created));
    }
    json::list_tail(&mut out);
    out
}

/// One pod by itself, as JSON.
pub(super) fn pod(version: Version, answer: &PodAnswer<'_>, created: Timestamp) -> Vec<u8> {
    let mut out = Vec::new();
    with_pod(answer, created, |pod| json::object(&mut out, version, pod));
    out
}

/// The beginning of a list of pods.
pub(super) fn pods_head(out: &mut Vec<u8>, version: Version) {
    json::list_head(out, Kind::Pod, version);
}

/// One pod of a list.
pub(super) fn pods_item(out: &mut Vec<u8>, answer: &PodAnswer<'_>, created: Timestamp) {
    with_pod(answer, created, |pod| json::item(out, pod));
}

/// The end of a list of pods.
pub(super) fn pods_tail(out: &mut Vec<u8>) {
    json::list_tail(out);
}
