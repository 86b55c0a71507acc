//! The owned types in protobuf.

use super::types::{
    ContainerMetrics, NodeMetrics, NodeMetricsList, PodMetrics, PodMetricsList, Usage,
};
use super::view::{self, Body, MetaView, NodeView, PodView, UsageView};
use super::{Version, encode::Kind};
use crate::duration::GoDuration;
use crate::labels::Labels;
use crate::time::Timestamp;
use crate::wire::envelope::{self, EnvelopeError};
use crate::wire::meta::{ListMeta, ObjectMeta};
use crate::wire::protobuf::{Fields, Malformed, int, message, string};

impl TryFrom<MetaView<'_>> for ObjectMeta {
    type Error = Malformed;

    fn try_from(meta: MetaView<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            name: meta.name.to_owned(),
            namespace: meta.namespace.to_owned(),
            creation_timestamp: meta.creation,
            labels: meta.labels().collect::<Result<Labels, _>>()?,
        })
    }
}

impl TryFrom<UsageView<'_>> for Usage {
    type Error = EnvelopeError;

    fn try_from(usage: UsageView<'_>) -> Result<Self, EnvelopeError> {
        usage.quantities().collect()
    }
}

impl TryFrom<NodeView<'_>> for NodeMetrics {
    type Error = EnvelopeError;

    fn try_from(node: NodeView<'_>) -> Result<Self, EnvelopeError> {
        Ok(Self {
            metadata: node.meta.try_into()?,
            timestamp: node.timestamp,
            window: node.window,
            usage: node.usage.try_into()?,
            ..Self::default()
        })
    }
}

impl TryFrom<PodView<'_>> for PodMetrics {
    type Error = EnvelopeError;

    fn try_from(pod: PodView<'_>) -> Result<Self, EnvelopeError> {
        let mut containers = Vec::new();
        for container in pod.containers() {
            let container = container?;
            containers.push(ContainerMetrics {
                name: container.name.to_owned(),
                usage: container.usage.try_into()?,
            });
        }
        Ok(Self {
            metadata: pod.meta.try_into()?,
            timestamp: pod.timestamp,
            window: pod.window,
            containers,
            ..Self::default()
        })
    }
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
    for (name, quantity) in usage.iter() {
        message(out, field, |out| {
            string(out, 1, name);
            message(out, 2, |out| string(out, 1, &quantity.to_string()));
        });
    }
}

macro_rules! object {
    ($type:ident, $view:ident, $kind:expr, $write:ident) => {
        impl $type {
            /// Decodes a protobuf body, envelope and all.
            ///
            /// # Errors
            /// When the body has no envelope, has another type, or is malformed.
            pub fn from_protobuf(body: &[u8]) -> Result<Self, EnvelopeError> {
                let body = Body::open(body)?.of_kind($kind.object())?;
                let object = Self::try_from($view::read(body.raw)?)?;
                Ok(Self {
                    kind: $kind.object().into(),
                    api_version: Some(body.version),
                    ..object
                })
            }

            /// Encodes as a protobuf body with its envelope; as v1beta1 if it has no version.
            #[must_use]
            pub fn to_protobuf(&self) -> Vec<u8> {
                let mut raw = Vec::new();
                $write(&mut raw, self);
                let version = self.api_version.unwrap_or(Version::V1beta1);
                envelope::wrap(version.api_version(), $kind.object(), &raw)
            }
        }
    };
}

macro_rules! list {
    ($type:ident, $item:ident, $view:ident, $kind:expr, $write:ident) => {
        impl $type {
            /// Decodes a protobuf body, envelope and all. [`Body`](super::view::Body) does it without
            /// copying.
            ///
            /// # Errors
            /// When the body has no envelope, has another type, or is malformed.
            pub fn from_protobuf(body: &[u8]) -> Result<Self, EnvelopeError> {
                let body = Body::open(body)?.of_kind($kind.list())?;
                let mut items = Vec::new();
                for item in view::items(body.raw) {
                    items.push($item::try_from($view::read(item?)?)?);
                }
                Ok(Self {
                    kind: $kind.list().into(),
                    api_version: Some(body.version),
                    metadata: list_meta(body.raw)?,
                    items,
                })
            }

            /// Encodes as a protobuf body with its envelope; as v1beta1 if it has no version.
            #[must_use]
            pub fn to_protobuf(&self) -> Vec<u8> {
                let mut raw = Vec::new();
                write_list(&mut raw, &self.metadata, &self.items, $write);
                let version = self.api_version.unwrap_or(Version::V1beta1);
                envelope::wrap(version.api_version(), $kind.list(), &raw)
            }
        }
    };
}

object!(NodeMetrics, NodeView, Kind::Node, write_node);
object!(PodMetrics, PodView, Kind::Pod, write_pod);
list!(
    NodeMetricsList,
    NodeMetrics,
    NodeView,
    Kind::Node,
    write_node
);
list!(PodMetricsList, PodMetrics, PodView, Kind::Pod, write_pod);
