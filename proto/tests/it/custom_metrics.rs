//! Lists of custom and external metrics, to the byte as k8s.io/metrics writes them.

use kubevitals_proto::custom_metrics::external::ExternalMetricValue;
use kubevitals_proto::custom_metrics::{
    Item, List, MetricSelector, ObjectReference, Version, v1beta1, v1beta2,
};
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::object::Encoding;

/// 2026-06-01T12:00:00Z.
const AT: i64 = 1_780_315_200;

fn selected() -> v1beta2::MetricValue {
    let selector = "verb=GET,code in (200,204)".parse().unwrap();
    v1beta2::MetricValue {
        described_object: ObjectReference {
            kind: "Pod".into(),
            namespace: "shop".into(),
            name: "web-1".into(),
            api_version: "v1".into(),
        },
        metric: v1beta2::MetricIdentifier {
            name: "http_requests_per_second".into(),
            selector: MetricSelector::of(&selector).unwrap(),
        },
        timestamp: Timestamp::from_secs(AT),
        window_seconds: Some(60),
        value: Quantity::from_f64(12.5).unwrap(),
    }
}

/// Without a namespace, a window and a selector.
fn bare() -> v1beta2::MetricValue {
    v1beta2::MetricValue {
        described_object: ObjectReference {
            kind: "Node".into(),
            name: "a".into(),
            api_version: "v1".into(),
            ..ObjectReference::default()
        },
        metric: v1beta2::MetricIdentifier {
            name: "queue".into(),
            selector: None,
        },
        window_seconds: None,
        value: Quantity::from_f64(-3.0).unwrap(),
        ..selected()
    }
}

fn external() -> [ExternalMetricValue; 2] {
    let value = ExternalMetricValue {
        metric_name: "queue_length".into(),
        metric_labels: [("queue", "mail"), ("env", "<a>")].into_iter().collect(),
        timestamp: Timestamp::from_secs(AT),
        window: Some(60),
        value: Quantity::from_f64(2_000.0).unwrap(),
    };
    let bare = ExternalMetricValue {
        metric_labels: std::iter::empty::<(String, String)>().collect(),
        window: None,
        ..value.clone()
    };
    [value, bare]
}

fn encode<I: Item>(mut list: List, items: &[I]) -> Vec<u8> {
    if list.needs_lengths() {
        items.iter().for_each(|item| list.measure(item));
    }
    let (len, mut out) = (list.measured_len(), Vec::new());
    items.iter().for_each(|item| list.item(&mut out, item));
    list.end(&mut out);
    assert!(len.is_none_or(|len| len == out.len()));
    out
}

fn custom(version: Version, encoding: Encoding, items: &[v1beta2::MetricValue]) -> Vec<u8> {
    let list = List::custom(version, encoding);
    match version {
        Version::V1beta2 => encode(list, items),
        Version::V1beta1 => {
            let items: Vec<v1beta1::MetricValue> = items.iter().cloned().map(Into::into).collect();
            encode(list, &items)
        }
    }
}

#[test]
fn json_is_that_of_go() {
    let text = |version| {
        let body = custom(version, Encoding::Json, &[selected(), bare()]);
        String::from_utf8(body).unwrap()
    };
    assert_eq!(
        text(Version::V1beta2),
        concat!(
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":["#,
            r#"{"describedObject":{"kind":"Pod","namespace":"shop","name":"web-1","apiVersion":"v1"},"#,
            r#""metric":{"name":"http_requests_per_second","selector":{"matchLabels":{"verb":"GET"},"#,
            r#""matchExpressions":[{"key":"code","operator":"In","values":["200","204"]}]}},"#,
            r#""timestamp":"2026-06-01T12:00:00Z","windowSeconds":60,"value":"12500m"},"#,
            r#"{"describedObject":{"kind":"Node","name":"a","apiVersion":"v1"},"#,
            r#""metric":{"name":"queue","selector":null},"timestamp":"2026-06-01T12:00:00Z","value":"-3"}]}"#,
        )
    );
    assert_eq!(
        text(Version::V1beta1),
        concat!(
            r#"{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta1","metadata":{},"items":["#,
            r#"{"describedObject":{"kind":"Pod","namespace":"shop","name":"web-1","apiVersion":"v1"},"#,
            r#""metricName":"http_requests_per_second","timestamp":"2026-06-01T12:00:00Z","window":60,"#,
            r#""value":"12500m","selector":{"matchLabels":{"verb":"GET"},"#,
            r#""matchExpressions":[{"key":"code","operator":"In","values":["200","204"]}]}},"#,
            r#"{"describedObject":{"kind":"Node","name":"a","apiVersion":"v1"},"#,
            r#""metricName":"queue","timestamp":"2026-06-01T12:00:00Z","value":"-3","selector":null}]}"#,
        )
    );
    let body = encode(List::external(Encoding::Json), &external());
    assert_eq!(
        String::from_utf8(body).unwrap(),
        concat!(
            r#"{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":["#,
            r#"{"metricName":"queue_length","metricLabels":{"env":"\u003ca\u003e","queue":"mail"},"#,
            r#""timestamp":"2026-06-01T12:00:00Z","window":60,"value":"2k"},"#,
            r#"{"metricName":"queue_length","metricLabels":{},"timestamp":"2026-06-01T12:00:00Z","value":"2k"}]}"#,
        )
    );
}

/// A field of a message, written here a second time and from the definition: the key, the length, the content.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let len = content.len();
    if len < 128 {
        out.push(u8::try_from(len).unwrap());
    } else {
        out.push((len % 128 + 128).try_into().unwrap());
        out.push((len / 128).try_into().unwrap());
    }
    out.extend(content);
    out
}

fn text(number: u8, content: &str) -> Vec<u8> {
    field(number, content.as_bytes())
}

/// The time `AT`: seconds as a varint, and no nanoseconds.
const TIME: &[u8] = b"\x08\xc0\xe8\xf5\xd0\x06\x10\x00";

/// The metadata of a list: selfLink, resourceVersion and continue are empty.
const NO_META: &[u8] = b"\x0a\x00\x12\x00\x1a\x00";

fn wrapped(api_version: &str, kind: &str, raw: &[Vec<u8>]) -> Vec<u8> {
    let type_meta = [text(1, api_version), text(2, kind)].concat();
    let raw = field(2, &raw.concat());
    [
        b"k8s\0".to_vec(),
        field(1, &type_meta),
        raw,
        b"\x1a\x00\x22\x00".to_vec(),
    ]
    .concat()
}

/// An ObjectReference with all its fields: kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath.
fn reference(kind: &str, namespace: &str, name: &str) -> Vec<u8> {
    let fields = [kind, namespace, name, "", "v1", "", ""];
    let numbered = (1u8..).zip(fields);
    field(
        1,
        &numbered
            .flat_map(|(number, it)| text(number, it))
            .collect::<Vec<_>>(),
    )
}

fn selector(number: u8) -> Vec<u8> {
    let label = field(1, &[text(1, "verb"), text(2, "GET")].concat());
    let values = [
        text(1, "code"),
        text(2, "In"),
        text(3, "200"),
        text(3, "204"),
    ];
    field(number, &[label, field(2, &values.concat())].concat())
}

fn quantity(value: &str) -> Vec<u8> {
    field(5, &text(1, value))
}

#[test]
fn protobuf_is_that_of_gogo() {
    const WINDOW: &[u8] = b"\x20\x3c";
    let (time, window) = (field(3, TIME), WINDOW.to_vec());
    let (pod, node) = (
        reference("Pod", "shop", "web-1"),
        reference("Node", "", "a"),
    );
    let name = "http_requests_per_second";
    let metric = field(2, &[text(1, name), selector(2)].concat());
    let first = [&*pod, &metric, &time, &window, &quantity("12500m")].concat();
    let second = [&*node, &field(2, &text(1, "queue")), &time, &quantity("-3")].concat();
    let items = [field(1, NO_META), field(2, &first), field(2, &second)];
    assert_eq!(
        custom(Version::V1beta2, Encoding::Protobuf, &[selected(), bare()]),
        wrapped("custom.metrics.k8s.io/v1beta2", "MetricValueList", &items)
    );
    let first = [
        &*pod,
        &text(2, name),
        &time,
        &window,
        &quantity("12500m"),
        &selector(6),
    ]
    .concat();
    let second = [&*node, &text(2, "queue"), &time, &quantity("-3")].concat();
    let items = [field(1, NO_META), field(2, &first), field(2, &second)];
    assert_eq!(
        custom(Version::V1beta1, Encoding::Protobuf, &[selected(), bare()]),
        wrapped("custom.metrics.k8s.io/v1beta1", "MetricValueList", &items)
    );
    let name = text(1, "queue_length");
    let label = |key, value| field(2, &[text(1, key), text(2, value)].concat());
    let (env, queue) = (label("env", "<a>"), label("queue", "mail"));
    let first = [&*name, &env, &queue, &time, &window, &quantity("2k")].concat();
    let second = [&*name, &time, &quantity("2k")].concat();
    let items = [field(1, NO_META), field(2, &first), field(2, &second)];
    assert_eq!(
        encode(List::external(Encoding::Protobuf), &external()),
        wrapped(
            "external.metrics.k8s.io/v1beta1",
            "ExternalMetricValueList",
            &items
        )
    );
}

#[test]
fn yaml_and_empty_lists() {
    let yaml = custom(Version::V1beta2, Encoding::Yaml, &[bare()]);
    assert_eq!(
        String::from_utf8(yaml).unwrap(),
        concat!(
            "apiVersion: custom.metrics.k8s.io/v1beta2\nitems:\n- describedObject:\n    apiVersion: v1\n    kind: Node\n",
            "    name: a\n  metric:\n    name: queue\n    selector: null\n  timestamp: \"2026-06-01T12:00:00Z\"\n",
            "  value: \"-3\"\nkind: MetricValueList\nmetadata: {}\n",
        )
    );
    assert_eq!(
        custom(Version::V1beta2, Encoding::Protobuf, &[]),
        wrapped(
            "custom.metrics.k8s.io/v1beta2",
            "MetricValueList",
            &[field(1, NO_META)]
        )
    );
}

#[test]
fn what_is_written_is_read() {
    let body = custom(Version::V1beta2, Encoding::Json, &[selected(), bare()]);
    let list: v1beta2::MetricValueList = serde_json::from_slice(&body).unwrap();
    assert_eq!(list.items, [selected(), bare()]);
}
