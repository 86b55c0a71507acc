//! Nodes, pods and their lists in every form: JSON, YAML, protobuf; whole, as tables, as metadata.

use crate::fixtures::assert_same_body;
use crate::metrics::{body, containers, json, node, pod};
use crate::owned::Protobuf as _;
use kubevitals_proto::metrics::encode::{self, Beside, Encoding, Form, List, Shape};
use kubevitals_proto::metrics::{NodeMetricsList, PodMetricsList, Version};
use kubevitals_proto::wire::meta::MetaVersion;
use kubevitals_proto::wire::object::Object;
use kubevitals_proto::wire::protobuf::{Fields, Value};
use kubevitals_proto::wire::status::Status;
use kubevitals_proto::wire::{envelope, pretty, yaml};

/// A list in `form`, item by item; indented, if it is JSON.
fn list_of<T: encode::Item>(form: Form, items: &[T]) -> Vec<u8> {
    let mut list = List::new(T::KIND, form);
    if list.needs_lengths() {
        items.iter().for_each(|item| list.measure(item));
    }
    let mut out = Vec::new();
    items.iter().for_each(|item| list.item(&mut out, item));
    list.end(&mut out);
    assert!(list.measured_len().is_none_or(|len| len == out.len()));
    match form.encoding() {
        Encoding::Json => pretty::indent(&out),
        Encoding::Yaml | Encoding::Protobuf => out,
    }
}

const METADATA: Shape = Shape::Metadata(MetaVersion::V1);
const TABLE: Shape = Shape::Table(MetaVersion::V1, Beside::Metadata);

fn form(shape: Shape, encoding: Encoding) -> Form {
    Form::new(shape, encoding).unwrap()
}

#[test]
fn lists_in_every_form_are_written_as_the_peer_writes_them() {
    let whole = Shape::Whole(Version::V1beta1.api_version());
    let nodes: NodeMetricsList = json("nodes_json");
    let items: Vec<_> = nodes.items.iter().map(node).collect();
    for (name, shape, encoding) in [
        ("nodes_json", whole, Encoding::Json),
        ("nodes_table", TABLE, Encoding::Json),
        ("nodes_yaml", whole, Encoding::Yaml),
        ("nodes_proto", whole, Encoding::Protobuf),
    ] {
        assert_same_body(&list_of(form(shape, encoding), &items), &body(name));
    }
    let mut one = Vec::new();
    form(whole, Encoding::Json).object(&mut one, &items[0]);
    assert_same_body(&pretty::indent(&one), &body("node_get"));

    let pods: PodMetricsList = json("pods_json");
    let all: Vec<_> = pods.items.iter().map(containers).collect();
    let pairs = pods.items.iter().zip(&all);
    let items: Vec<_> = pairs
        .map(|(item, containers)| pod(item, containers))
        .collect();
    for (name, shape) in [
        ("pods_json", whole),
        ("pods_table", TABLE),
        ("pods_partialmeta", METADATA),
    ] {
        assert_same_body(&list_of(form(shape, Encoding::Json), &items), &body(name));
    }
    let none: [encode::PodRef<'_>; 0] = [];
    assert_same_body(
        &list_of(form(TABLE, Encoding::Json), &none),
        &body("pods_empty_table"),
    );
    assert_eq!(Form::new(TABLE, Encoding::Protobuf), None);
}

#[test]
fn a_list_without_items_is_whole_in_every_form() {
    let none: [encode::PodRef<'_>; 0] = [];
    let text = |shape, encoding| String::from_utf8(list_of(form(shape, encoding), &none)).unwrap();
    assert_eq!(
        text(Shape::Whole(Version::V1.api_version()), Encoding::Yaml),
        "apiVersion: metrics.k8s.io/v1\nitems: []\nkind: PodMetricsList\nmetadata: {}\n"
    );
    assert_eq!(
        text(TABLE, Encoding::Yaml),
        "apiVersion: meta.k8s.io/v1\ncolumnDefinitions: null\nkind: Table\nmetadata: {}\nrows: null\n"
    );
    let protobuf = list_of(
        form(Shape::Whole(Version::V1.api_version()), Encoding::Protobuf),
        &none,
    );
    assert_eq!(PodMetricsList::from_protobuf(&protobuf).unwrap().items, []);
}

#[test]
fn yaml_and_json_decode_to_the_same_value() {
    let pods: PodMetricsList = json("pods_json");
    let all: Vec<_> = pods.items.iter().map(containers).collect();
    let pairs = pods.items.iter().zip(&all);
    let items: Vec<_> = pairs
        .map(|(item, containers)| pod(item, containers))
        .collect();
    for shape in [
        Shape::Whole(Version::V1beta1.api_version()),
        METADATA,
        TABLE,
    ] {
        let json = list_of(form(shape, Encoding::Json), &items);
        let mut whole = Vec::new();
        yaml::document(&mut whole, &json).unwrap();
        let chunks = list_of(form(shape, Encoding::Yaml), &items);
        assert_eq!(
            String::from_utf8(chunks).unwrap(),
            String::from_utf8(whole).unwrap()
        );
    }
}

#[test]
fn a_row_has_the_requested_object_beside_it() {
    let list: NodeMetricsList = json("nodes_json");
    let item = node(&list.items[0]);
    let row = |beside| {
        let mut out = Vec::new();
        form(Shape::Table(MetaVersion::V1beta1, beside), Encoding::Json).object(&mut out, &item);
        let table: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(table["apiVersion"], "meta.k8s.io/v1beta1");
        table["rows"][0]["object"].clone()
    };
    assert_eq!(row(Beside::Nothing), serde_json::Value::Null);
    let metadata = row(Beside::Metadata);
    assert_eq!(metadata["kind"], "PartialObjectMetadata");
    assert_eq!(metadata["apiVersion"], "meta.k8s.io/v1beta1");
    assert_eq!(metadata["metadata"]["name"], "lab");
    let object = row(Beside::Object(Version::V1.api_version()));
    assert_eq!(object["kind"], "NodeMetrics");
    assert_eq!(object["apiVersion"], "metrics.k8s.io/v1");
    assert_eq!(object["window"], "10.035s");
}

#[test]
fn metadata_has_its_fields_where_each_version_has_them() {
    let list: NodeMetricsList = json("nodes_json");
    let items: Vec<_> = list.items.iter().map(node).collect();
    for (version, meta_field, items_field) in
        [(MetaVersion::V1, 1, 2), (MetaVersion::V1beta1, 2, 1)]
    {
        let form = form(Shape::Metadata(version), Encoding::Protobuf);
        let body = list_of(form, &items);
        let unknown = envelope::unwrap(&body).unwrap();
        assert_eq!(unknown.api_version, version.api_version());
        assert_eq!(unknown.kind, "PartialObjectMetadataList");
        let fields: Vec<_> = Fields::new(unknown.raw).map(Result::unwrap).collect();
        assert_eq!(fields.len(), 2);
        assert!(fields.contains(&(meta_field, Value::Bytes(&[10, 0, 18, 0, 26, 0]))));
        let item = fields
            .iter()
            .find(|(field, _)| *field == items_field)
            .unwrap()
            .1;
        let mut one = Vec::new();
        form.object(&mut one, &items[0]);
        let alone = envelope::unwrap(&one).unwrap();
        assert_eq!(alone.kind, "PartialObjectMetadata");
        assert_eq!(item, Value::Bytes(alone.raw));
        let meta = Fields::new(alone.raw).next().unwrap().unwrap();
        assert_eq!(meta.0, 1);
        assert_eq!(
            meta.1.fields().unwrap().next().unwrap().unwrap(),
            (1, Value::Bytes(b"lab"))
        );
    }
}

#[test]
fn a_status_has_every_encoding() {
    let status = Status::not_found("", "node", "nope");
    let text = |encoding| String::from_utf8(status.encode(encoding).unwrap()).unwrap();
    assert_eq!(text(Encoding::Json).as_bytes(), status.to_json());
    assert_eq!(
        text(Encoding::Yaml),
        "apiVersion: v1\ncode: 404\ndetails:\n  kind: node\n  name: nope\nkind: Status\nmessage: node \"nope\" not found\nmetadata: {}\nreason: NotFound\nstatus: Failure\n"
    );
    let protobuf = status.encode(Encoding::Protobuf).unwrap();
    let unknown = envelope::unwrap(&protobuf).unwrap();
    assert_eq!((unknown.api_version, unknown.kind), ("v1", "Status"));
    let fields: Vec<_> = Fields::new(unknown.raw).map(Result::unwrap).collect();
    assert_eq!(
        fields,
        [
            (1, Value::Bytes(&[10, 0, 18, 0, 26, 0])),
            (2, Value::Bytes(b"Failure")),
            (3, Value::Bytes(b"node \"nope\" not found")),
            (4, Value::Bytes(b"NotFound")),
            (
                5,
                Value::Bytes(b"\x0a\x04nope\x12\0\x1a\x04node\x28\0\x32\0")
            ),
            (6, Value::Varint(404)),
        ]
    );
}
