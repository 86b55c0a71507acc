//! `metrics.k8s.io` bodies: read, written again, and written from borrowed data.

use crate::fixtures::{assert_same_body, bytes};
use crate::owned::Protobuf as _;
use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::metrics::encode::{
    self, ContainerRef, Encoding, Form, Kind, List, MetaRef, NodeRef, PodRef, Shape, UsageRef,
};
use kubevitals_proto::metrics::{
    ContainerMetrics, NodeMetrics, NodeMetricsList, ObjectMeta, PodMetrics, PodMetricsList, Usage,
    Version,
};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::wire::form::Item as _;
use kubevitals_proto::wire::{gojson, pretty};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) fn body(name: &str) -> Vec<u8> {
    bytes(&format!("metrics-api/{name}.body"))
}

pub(crate) fn json<T: DeserializeOwned + Serialize>(name: &str) -> T {
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
        cpu: usage["cpu"].to_nanocores(),
        memory: usage["memory"].to_bytes(),
    }
}

pub(crate) fn node(node: &NodeMetrics) -> NodeRef<'_> {
    NodeRef {
        meta: meta(&node.metadata),
        timestamp: node.timestamp,
        window: node.window,
        usage: usage(&node.usage),
    }
}

pub(crate) fn containers(pod: &PodMetrics) -> Vec<ContainerRef<'_>> {
    pod.containers
        .iter()
        .map(|c| ContainerRef {
            name: &c.name,
            usage: usage(&c.usage),
        })
        .collect()
}

pub(crate) fn pod<'a>(pod: &'a PodMetrics, containers: &'a [ContainerRef<'a>]) -> PodRef<'a> {
    PodRef {
        meta: meta(&pod.metadata),
        timestamp: pod.timestamp,
        window: pod.window,
        containers,
        containers_len: None,
    }
}

const VERSION: &str = Version::V1beta1.api_version();

fn write_json_list<T: encode::Item>(kind: Kind, items: &[T]) -> Vec<u8> {
    let shape = Shape::Whole(VERSION);
    let mut list = List::new(kind, Form::new(shape, Encoding::Json).unwrap());
    let mut out = Vec::new();
    items.iter().for_each(|item| list.item(&mut out, item));
    list.end(&mut out);
    pretty::indent(&out)
}

fn write_protobuf_list<T: encode::Item>(kind: Kind, items: &[T]) -> Vec<u8> {
    let shape = Shape::Whole(VERSION);
    let mut list = List::new(kind, Form::new(shape, Encoding::Protobuf).unwrap());
    items.iter().for_each(|item| list.measure(item));
    let mut out = Vec::new();
    items.iter().for_each(|item| list.item(&mut out, item));
    list.end(&mut out);
    assert_eq!(list.measured_len(), Some(out.len()));
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
    node(&one).write_alone(&mut out, VERSION);
    assert_same_body(&pretty::indent(&out), &body("node_get"));

    let one: PodMetrics = json("pod_get");
    let containers = containers(&one);
    let mut out = Vec::new();
    pod(&one, &containers).write_alone(&mut out, VERSION);
    assert_same_body(&pretty::indent(&out), &body("pod_get"));

    let mut out = Vec::new();
    let shape = Shape::Whole(Version::V1.api_version());
    let form = Form::new(shape, Encoding::Protobuf).unwrap();
    form.object(&mut out, &pod(&one, &containers));
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
fn json_and_protobuf_decode_to_the_same_value() {
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

/// Text that Go would escape or that is empty, in every place that takes text.
fn odd_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z<&\"\\\\\u{2028}é]{1,8}",
        "[a-z]{100,140}"
    ]
}

prop_compose! {
    fn odd_pod()(
        name in odd_text(),
        namespace in odd_text(),
        labels in prop::collection::vec((odd_text(), odd_text()), 0..4),
        seconds in 0_i64..9_000_000_000,
        window in any::<i64>(),
        containers in prop::collection::vec((odd_text(), any::<u64>(), 0..i64::MAX as u64), 0..4),
    ) -> PodMetrics {
        PodMetrics {
            metadata: ObjectMeta {
                name,
                namespace,
                creation_timestamp: Some(Timestamp::from_secs(seconds)),
                labels: labels.into_iter().collect(),
            },
            timestamp: Timestamp::from_secs(seconds / 2),
            window: GoDuration(window),
            containers: containers
                .into_iter()
                .map(|(name, cpu, memory)| ContainerMetrics {
                    name,
                    usage: Usage::from([
                        ("cpu".to_owned(), Quantity::from_nanocores(Nanocores(cpu))),
                        ("memory".to_owned(), Quantity::from_bytes(Bytes(memory))),
                    ]),
                })
                .collect(),
            ..PodMetrics::default()
        }
    }
}

proptest! {
    #[test]
    fn borrowed_and_owned_values_encode_to_the_same_bytes(pods in prop::collection::vec(odd_pod(), 0..4)) {
        let list = PodMetricsList {
            kind: "PodMetricsList".into(),
            api_version: Some(Version::V1beta1),
            items: pods,
            ..PodMetricsList::default()
        };
        let all: Vec<_> = list.items.iter().map(containers).collect();
        let items: Vec<_> = list.items.iter().zip(&all).map(|(item, containers)| pod(item, containers)).collect();
        let protobuf = write_protobuf_list(Kind::Pod, &items);
        prop_assert_eq!(&protobuf, &list.to_protobuf());
        prop_assert_eq!(&PodMetricsList::from_protobuf(&protobuf).unwrap(), &list);
        let mut json = Vec::new();
        gojson::write_value(&mut json, &list).unwrap();
        prop_assert_eq!(write_json_list(Kind::Pod, &items), pretty::indent(&json));
        prop_assert_eq!(&serde_json::from_slice::<PodMetricsList>(&json).unwrap(), &list);
    }

    #[test]
    fn no_damage_makes_the_decoders_panic(at in 0_usize..1335, byte: u8, cut in 0_usize..1335) {
        let mut bytes = body("pods_proto");
        bytes[at] = byte;
        let _ = PodMetricsList::from_protobuf(&bytes);
        let _ = PodMetricsList::from_protobuf(&bytes[..cut]);
        let mut bytes = body("pods_json");
        bytes[at] = byte;
        let _ = serde_json::from_slice::<PodMetricsList>(&bytes);
    }
}
