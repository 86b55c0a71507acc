//! The owned types of `metrics.k8s.io` in protobuf. The programs do not need them: the server encodes borrowed data, and
//! the client decodes in place. Tests compare both with this.

#![allow(dead_code, reason = "each crate's tests use a part")]

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::labels::Labels;
use kubevitals_proto::metrics::encode::Kind;
use kubevitals_proto::metrics::view::{Body, MetaView, NodeView, PodView, UsageView};
use kubevitals_proto::metrics::{
    ContainerMetrics, ListMeta, NodeMetrics, NodeMetricsList, ObjectMeta, PodMetrics,
    PodMetricsList, Usage, Version,
};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::envelope::{self, EnvelopeError};
use kubevitals_proto::wire::protobuf::{Fields, Malformed, int, message, string};

/// An object or list with its envelope.
pub(crate) trait Protobuf: Sized {
    /// Decodes a body.
    fn from_protobuf(body: &[u8]) -> Result<Self, EnvelopeError>;

    /// Encodes a body; as v1beta1 if the object has no version.
    fn to_protobuf(&self) -> Vec<u8>;
}

fn read_meta(meta: MetaView<'_>) -> Result<ObjectMeta, Malformed> {
    Ok(ObjectMeta {
        name: meta.name.to_owned(),
        namespace: meta.namespace.to_owned(),
        creation_timestamp: meta.creation,
        labels: meta.labels().collect::<Result<Labels, _>>()?,
    })
}

fn read_usage(usage: UsageView<'_>) -> Result<Usage, EnvelopeError> {
    let quantities = usage.quantities();
    let owned = quantities.map(|entry| entry.map(|(name, quantity)| (name.to_owned(), quantity)));
    owned.collect()
}

fn read_node(node: NodeView<'_>) -> Result<NodeMetrics, EnvelopeError> {
    Ok(NodeMetrics {
        metadata: read_meta(node.meta)?,
        timestamp: node.timestamp,
        window: node.window,
        usage: read_usage(node.usage)?,
        ..NodeMetrics::default()
    })
}

fn read_pod(pod: PodView<'_>) -> Result<PodMetrics, EnvelopeError> {
    let containers = pod.containers().map(|container| {
        let container = container?;
        Ok::<_, EnvelopeError>(ContainerMetrics {
            name: container.name.to_owned(),
            usage: read_usage(container.usage)?,
        })
    });
    Ok(PodMetrics {
        containers: containers.collect::<Result<_, _>>()?,
        metadata: read_meta(pod.meta)?,
        timestamp: pod.timestamp,
        window: pod.window,
        ..PodMetrics::default()
    })
}

/// The metadata of a list, its field 1.
fn list_meta(raw: &[u8]) -> Result<ListMeta, Malformed> {
    let mut meta = ListMeta::default();
    for field in Fields::new(raw) {
        let (1, value) = field? else { continue };
        for field in value.fields()? {
            match field? {
                (2, value) => meta.resource_version = value.str()?.to_owned(),
                (3, value) => meta.continue_token = value.str()?.to_owned(),
                (4, value) => meta.remaining_item_count = Some(value.int()?),
                _ => {}
            }
        }
    }
    Ok(meta)
}

fn write_list<T>(
    out: &mut Vec<u8>,
    meta: &ListMeta,
    items: &[T],
    write: impl Fn(&mut Vec<u8>, &T),
) {
    message(out, 1, |out| {
        string(out, 1, "");
        string(out, 2, &meta.resource_version);
        string(out, 3, &meta.continue_token);
        if let Some(count) = meta.remaining_item_count {
            int(out, 4, count);
        }
    });
    for item in items {
        message(out, 2, |out| write(out, item));
    }
}

fn write_node(out: &mut Vec<u8>, node: &NodeMetrics) {
    write_head(out, &node.metadata, node.timestamp, node.window);
    write_usage(out, 4, &node.usage);
}

fn write_pod(out: &mut Vec<u8>, pod: &PodMetrics) {
    write_head(out, &pod.metadata, pod.timestamp, pod.window);
    for container in &pod.containers {
        message(out, 4, |out| {
            string(out, 1, &container.name);
            write_usage(out, 2, &container.usage);
        });
    }
}

fn write_head(out: &mut Vec<u8>, meta: &ObjectMeta, timestamp: Timestamp, window: GoDuration) {
    message(out, 1, |out| {
        string(out, 1, &meta.name);
        string(out, 2, ""); // generateName
        string(out, 3, &meta.namespace);
        string(out, 4, ""); // selfLink
        string(out, 5, ""); // uid
        string(out, 6, ""); // resourceVersion
        int(out, 7, 0); // generation
        write_time(out, 8, meta.creation_timestamp);
        for (key, value) in meta.labels.iter() {
            message(out, 11, |out| {
                string(out, 1, key);
                string(out, 2, value);
            });
        }
    });
    write_time(out, 2, Some(timestamp));
    message(out, 3, |out| int(out, 1, window.0));
}

fn write_time(out: &mut Vec<u8>, field: u8, time: Option<Timestamp>) {
    message(out, field, |out| {
        if let Some(time) = time {
            int(out, 1, time.as_secs());
            // Go drops what is below a second here too, so that both encodings say the same.
            int(out, 2, 0);
        }
    });
}

fn write_usage(out: &mut Vec<u8>, field: u8, usage: &Usage) {
    for (name, quantity) in usage {
        message(out, field, |out| {
            string(out, 1, name);
            message(out, 2, |out| string(out, 1, &quantity.to_string()));
        });
    }
}

macro_rules! protobuf {
    ($type:ident, $list:ident, $kind:expr, $one:ident, $all:ident, $read:ident, $write:ident) => {
        impl Protobuf for $type {
            fn from_protobuf(body: &[u8]) -> Result<Self, EnvelopeError> {
                let body = Body::open(body)?;
                Ok(Self {
                    kind: $kind.object().into(),
                    api_version: Some(body.version),
                    ..$read(body.$one()?)?
                })
            }

            fn to_protobuf(&self) -> Vec<u8> {
                let mut raw = Vec::new();
                $write(&mut raw, self);
                wrap(self.api_version, $kind.object(), &raw)
            }
        }

        impl Protobuf for $list {
            fn from_protobuf(bytes: &[u8]) -> Result<Self, EnvelopeError> {
                let body = Body::open(bytes)?;
                Ok(Self {
                    kind: $kind.list().into(),
                    api_version: Some(body.version),
                    items: body
                        .$all()?
                        .map(|item| $read(item?))
                        .collect::<Result<_, _>>()?,
                    metadata: list_meta(envelope::unwrap(bytes)?.raw)?,
                })
            }

            fn to_protobuf(&self) -> Vec<u8> {
                let mut raw = Vec::new();
                write_list(&mut raw, &self.metadata, &self.items, $write);
                wrap(self.api_version, $kind.list(), &raw)
            }
        }
    };
}

fn wrap(version: Option<Version>, kind: &str, raw: &[u8]) -> Vec<u8> {
    let version = version.unwrap_or(Version::V1beta1);
    envelope::wrap(version.api_version(), kind, raw)
}

protobuf!(
    NodeMetrics,
    NodeMetricsList,
    Kind::Node,
    node,
    nodes,
    read_node,
    write_node
);
protobuf!(
    PodMetrics,
    PodMetricsList,
    Kind::Pod,
    pod,
    pods,
    read_pod,
    write_pod
);
