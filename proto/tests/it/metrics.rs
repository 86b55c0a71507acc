//! `metrics.k8s.io` bodies: read, written again, and written from borrowed data.

use crate::fixtures::{assert_same_body, bytes};
use kubevitals_proto::metrics::encode::{
    self, ContainerRef, Kind, MetaRef, NodeRef, PodRef, UsageRef,
};
use kubevitals_proto::metrics::{
    NodeMetrics, NodeMetricsList, ObjectMeta, PodMetrics, PodMetricsList, Usage, Version,
};
use kubevitals_proto::wire::{gojson, pretty};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn body(name: &str) -> Vec<u8> {
    bytes(&format!("metrics-api/{name}.body"))
}

fn json<T: DeserializeOwned + Serialize>(name: &str) -> T {
    let theirs = body(name);
    let value: T = serde_json::from_slice(&theirs).unwrap();
    let mut ours = Vec::new();
    gojson::write_value(&mut ours, &value).unwrap();
    assert_same_body(&pretty::indent(&ours), &theirs);
    value
}

fn meta(meta: &ObjectMeta) -> MetaRef<'_> {
    MetaRef {
        name: &meta.name,
        namespace: &meta.namespace,
        creation: meta.creation_timestamp.unwrap(),
        labels: &meta.labels,
    }
}

fn usage(usage: &Usage) -> UsageRef {
    UsageRef {
        cpu: usage.cpu().unwrap().to_nanocores(),
        memory: usage.memory().unwrap().to_bytes(),
    }
}

fn node(node: &NodeMetrics) -> NodeRef<'_> {
    NodeRef {
        meta: meta(&node.metadata),
        timestamp: node.timestamp,
        window: node.window,
        usage: usage(&node.usage),
    }
}

fn containers(pod: &PodMetrics) -> Vec<ContainerRef<'_>> {
    pod.containers
        .iter()
        .map(|c| ContainerRef {
            name: &c.name,
            usage: usage(&c.usage),
        })
        .collect()
}

fn pod<'a>(pod: &'a PodMetrics, containers: &'a [ContainerRef<'a>]) -> PodRef<'a> {
    PodRef {
        meta: meta(&pod.metadata),
        timestamp: pod.timestamp,
        window: pod.window,
        containers,
    }
}

fn write_json_list<T: encode::Item>(kind: Kind, items: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    encode::json::list_head(&mut out, kind, Version::V1beta1);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        encode::json::item(&mut out, item);
    }
    encode::json::list_tail(&mut out);
    pretty::indent(&out)
}

fn write_protobuf_list<T: encode::Item>(kind: Kind, items: &[T]) -> Vec<u8> {
    let items_len = items.iter().map(encode::protobuf::item_len).sum();
    let mut out = Vec::new();
    encode::protobuf::list_head(&mut out, kind, Version::V1beta1, items_len);
    for item in items {
        encode::protobuf::item(&mut out, item);
    }
    encode::protobuf::list_tail(&mut out);
    assert_eq!(
        out.len(),
        encode::protobuf::list_len(kind, Version::V1beta1, items_len)
    );
    out
}

#[test]
fn json_lists_are_written_as_the_peer_writes_them() {
    for name in ["nodes_json", "agg_nodes", "pretty"] {
        let list: NodeMetricsList = json(name);
        let items: Vec<_> = list.items.iter().map(node).collect();
        assert_same_body(&write_json_list(Kind::Node, &items), &body(name));
    }
    for name in [
        "pods_json",
        "pods_ns_json",
        "pods_label",
        "limit",
        "pods_field_ns",
    ] {
        let list: PodMetricsList = json(name);
        let all: Vec<_> = list.items.iter().map(containers).collect();
        let items: Vec<_> = list
            .items
            .iter()
            .zip(&all)
            .map(|(item, containers)| pod(item, containers))
            .collect();
        assert_same_body(&write_json_list(Kind::Pod, &items), &body(name));
    }
}

#[test]
fn single_objects_are_written_as_the_peer_writes_them() {
    let one: NodeMetrics = json("node_get");
    let mut out = Vec::new();
    encode::json::object(&mut out, Version::V1beta1, &node(&one));
    assert_same_body(&pretty::indent(&out), &body("node_get"));

    let one: PodMetrics = json("pod_get");
    let containers = containers(&one);
    let mut out = Vec::new();
    encode::json::object(&mut out, Version::V1beta1, &pod(&one, &containers));
    assert_same_body(&pretty::indent(&out), &body("pod_get"));

    let mut out = Vec::new();
    encode::protobuf::object(&mut out, Version::V1, &pod(&one, &containers));
    let back = PodMetrics::from_protobuf(&out).unwrap();
    assert_eq!(
        back,
        PodMetrics {
            api_version: Some(Version::V1),
            ..one
        }
    );
    assert_eq!(back.to_protobuf(), out);
}

#[test]
fn protobuf_lists_are_written_as_the_peer_writes_them() {
    let theirs = body("nodes_proto");
    let list = NodeMetricsList::from_protobuf(&theirs).unwrap();
    assert_eq!(list.to_protobuf(), theirs);
    let items: Vec<_> = list.items.iter().map(node).collect();
    assert_eq!(write_protobuf_list(Kind::Node, &items), theirs);

    let theirs = body("pods_proto");
    let list = PodMetricsList::from_protobuf(&theirs).unwrap();
    assert_eq!(list.to_protobuf(), theirs);
    let all: Vec<_> = list.items.iter().map(containers).collect();
    let items: Vec<_> = list
        .items
        .iter()
        .zip(&all)
        .map(|(item, containers)| pod(item, containers))
        .collect();
    assert_eq!(write_protobuf_list(Kind::Pod, &items), theirs);
}

#[test]
fn both_encodings_say_the_same() {
    let json: NodeMetricsList = json("nodes_json");
    assert_eq!(
        NodeMetricsList::from_protobuf(&body("nodes_proto")).unwrap(),
        json
    );
}

#[test]
fn an_envelope_with_another_type_is_refused() {
    let error = NodeMetricsList::from_protobuf(&body("pods_proto")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected NodeMetricsList in Kubernetes protobuf, found metrics.k8s.io/v1beta1 PodMetricsList"
    );
    let error = NodeMetricsList::from_protobuf(&body("nodes_json")).unwrap_err();
    assert!(
        error.to_string().starts_with("not Kubernetes protobuf"),
        "{error}"
    );
}
