//! Protobuf, byte for byte as Kubernetes' encoder writes it: fields in order, empty ones too.

use super::{Container, Item, Kind, MetaRef, NodeRef, PodRef, Shape, UsageRef};
use crate::duration::GoDuration;
use crate::quantity::Canonical;
use crate::time::Timestamp;
use crate::wire::envelope::MAGIC;
use crate::wire::form::{METADATA_LIST, METADATA_OBJECT};
use crate::wire::meta::MetaVersion;
use crate::wire::protobuf::{field_len, head, message, sized_message, string, varint, varint_len};

/// `ListMeta` with its three empty strings, as `field` of a list.
const fn list_meta(field: u8) -> [u8; 8] {
    [field << 3 | 2, 6, 0x0a, 0, 0x12, 0, 0x1a, 0]
}

/// The empty `contentEncoding` and `contentType` at the envelope's end.
const ENVELOPE_TAIL: [u8; 4] = [0x1a, 0, 0x22, 0];

/// The envelope of a list or an object, and the message of each item: the whole object, or `PartialObjectMetadata`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    kind: &'static str,
    api_version: &'static str,
    /// The version of `PartialObjectMetadata`; none for whole objects.
    metadata: Option<MetaVersion>,
}

impl Frame {
    /// The frame of a list. The length of a list comes before its items: add up [`Frame::item_len`] of every item, then
    /// append [`Frame::head`], each [`Frame::item`], and [`Frame::tail`].
    pub(super) const fn list(kind: Kind, shape: Shape) -> Self {
        Self::new(kind.list(), METADATA_LIST, shape)
    }

    const fn new(whole: &'static str, metadata: &'static str, shape: Shape) -> Self {
        match shape {
            Shape::Whole(api_version) => Self {
                kind: whole,
                api_version,
                metadata: None,
            },
            Shape::Metadata(version) | Shape::Table(version, _) => Self {
                kind: metadata,
                api_version: version.api_version(),
                metadata: Some(version),
            },
        }
    }

    /// The field of a list in which its items are; the other one of 1 and 2 has the list's metadata.
    const fn items_field(self) -> u8 {
        match self.metadata {
            Some(MetaVersion::V1beta1) => 1,
            Some(MetaVersion::V1) | None => 2,
        }
    }

    /// Appends a list up to its first item. `items_len` is the sum of [`Frame::item_len`] of all its items.
    pub(super) fn head(self, out: &mut Vec<u8>, items_len: usize) {
        let meta = list_meta(1);
        envelope_head(out, self.kind, self.api_version, meta.len() + items_len);
        if self.items_field() == 2 {
            out.extend_from_slice(&meta);
        }
    }

    /// The number of bytes that [`Frame::item`] appends.
    pub(super) fn item_len(self, item: &impl Item) -> usize {
        field_len(self.message_len(item))
    }

    /// Appends one item of a list, without a kind.
    pub(super) fn item(self, out: &mut Vec<u8>, item: &impl Item) {
        sized_message(out, self.items_field(), 2, |out| {
            self.write_message(out, item);
        });
    }

    /// Appends the end of a list. Fields are in order of their numbers, so metadata in field 2 comes here.
    pub(super) fn tail(self, out: &mut Vec<u8>) {
        if self.items_field() == 1 {
            out.extend_from_slice(&list_meta(2));
        }
        out.extend_from_slice(&ENVELOPE_TAIL);
    }

    /// The number of bytes of a whole list whose items have `items_len` bytes: its Content-Length.
    pub(super) const fn list_len(self, items_len: usize) -> usize {
        let raw_len = list_meta(1).len() + items_len;
        MAGIC.len()
            + field_len(type_len(self.kind, self.api_version))
            + field_len(raw_len)
            + ENVELOPE_TAIL.len()
    }

    fn message_len(self, item: &impl Item) -> usize {
        match self.metadata {
            None => item.protobuf_len(),
            Some(_) => field_len(meta_len(item.meta())),
        }
    }

    fn write_message(self, out: &mut Vec<u8>, item: &impl Item) {
        if self.metadata.is_none() {
            return item.write_protobuf(out);
        }
        write_meta(out, 1, item.meta());
    }
}

/// Appends an object that stands alone, in its envelope.
pub(super) fn object<T: Item>(out: &mut Vec<u8>, shape: Shape, item: &T) {
    let frame = Frame::new(T::KIND.object(), METADATA_OBJECT, shape);
    let len = frame.message_len(item);
    envelope_head(out, frame.kind, frame.api_version, len);
    frame.write_message(out, item);
    out.extend_from_slice(&ENVELOPE_TAIL);
}

fn envelope_head(out: &mut Vec<u8>, kind: &str, api_version: &str, raw_len: usize) {
    out.extend_from_slice(&MAGIC);
    head(out, 1, type_len(kind, api_version));
    string(out, 1, api_version);
    string(out, 2, kind);
    head(out, 2, raw_len);
}

const fn type_len(kind: &str, api_version: &str) -> usize {
    field_len(api_version.len()) + field_len(kind.len())
}

pub(super) fn node_len(node: &NodeRef<'_>) -> usize {
    head_len(&node.meta, node.timestamp, node.window) + usage_len(node.usage)
}

pub(super) fn write_node(out: &mut Vec<u8>, node: &NodeRef<'_>) {
    write_head(out, &node.meta, node.timestamp, node.window);
    write_usage(out, 4, node.usage);
}

pub(super) fn pod_len(pod: &PodRef<'_, impl Container>) -> usize {
    let containers = pod.containers_len;
    let containers = containers.unwrap_or_else(|| containers_len(pod.containers));
    head_len(&pod.meta, pod.timestamp, pod.window) + containers
}

/// The length of a pod's containers in protobuf.
#[must_use]
pub fn containers_len(containers: &[impl Container]) -> usize {
    let lens = containers.iter().map(container_len).map(field_len);
    lens.sum()
}

pub(super) fn write_pod(out: &mut Vec<u8>, pod: &PodRef<'_, impl Container>) {
    write_head(out, &pod.meta, pod.timestamp, pod.window);
    for container in pod.containers {
        message(out, 4, |out| {
            string(out, 1, container.name());
            write_usage(out, 2, container.usage());
        });
    }
}

fn container_len(container: &impl Container) -> usize {
    field_len(container.name().len()) + usage_len(container.usage())
}

/// Fields 1 to 3, which nodes and pods have in common.
fn head_len(meta: &MetaRef<'_>, timestamp: Timestamp, window: GoDuration) -> usize {
    field_len(meta_len(meta))
        + field_len(time_len(timestamp))
        + field_len(1 + varint_len(window.0 as u64))
}

fn write_head(out: &mut Vec<u8>, meta: &MetaRef<'_>, timestamp: Timestamp, window: GoDuration) {
    write_meta(out, 1, meta);
    write_time(out, 2, timestamp);
    head(out, 3, 1 + varint_len(window.0 as u64));
    out.push(0x08);
    varint(out, window.0 as u64);
}

/// generateName; selfLink, uid, resourceVersion and generation: all empty, two bytes each.
const EMPTY_META_FIELDS: usize = 5 * 2;

fn meta_len(meta: &MetaRef<'_>) -> usize {
    let labels: usize = meta
        .labels
        .iter()
        .map(|(key, value)| field_len(entry_len(key, value)))
        .sum();
    field_len(meta.name.len())
        + field_len(meta.namespace.len())
        + EMPTY_META_FIELDS
        + field_len(time_len(meta.creation))
        + labels
}

fn write_meta(out: &mut Vec<u8>, field: u8, meta: &MetaRef<'_>) {
    sized_message(out, field, 2, |out| {
        string(out, 1, meta.name);
        out.extend_from_slice(&[0x12, 0]);
        string(out, 3, meta.namespace);
        out.extend_from_slice(&[0x22, 0, 0x2a, 0, 0x32, 0, 0x38, 0]);
        write_time(out, 8, meta.creation);
        for (key, value) in meta.labels.iter() {
            head(out, 11, entry_len(key, value));
            string(out, 1, key);
            string(out, 2, value);
        }
    });
}

const fn entry_len(key: &str, value: &str) -> usize {
    field_len(key.len()) + field_len(value.len())
}

/// Seconds, and nanos that are always zero: Go drops what is below a second.
fn time_len(time: Timestamp) -> usize {
    1 + varint_len(time.as_secs() as u64) + 2
}

fn write_time(out: &mut Vec<u8>, field: u8, time: Timestamp) {
    head(out, field, time_len(time));
    out.push(0x08);
    varint(out, time.as_secs() as u64);
    out.extend_from_slice(&[0x10, 0]);
}

/// The entries `cpu` and `memory` with field numbers under 16, heads included.
fn usage_len(usage: UsageRef) -> usize {
    let entry = |key: &str, quantity: Canonical| field_len(quantity_len(key, quantity));
    entry("cpu", Canonical::cpu(usage.cpu)) + entry("memory", Canonical::bytes(usage.memory))
}

fn write_usage(out: &mut Vec<u8>, field: u8, usage: UsageRef) {
    write_quantity(out, field, "cpu", Canonical::cpu(usage.cpu));
    write_quantity(out, field, "memory", Canonical::bytes(usage.memory));
}

fn quantity_len(key: &str, quantity: Canonical) -> usize {
    field_len(key.len()) + field_len(field_len(quantity.len()))
}

fn write_quantity(out: &mut Vec<u8>, field: u8, key: &str, quantity: Canonical) {
    let len = quantity.len();
    head(out, field, quantity_len(key, quantity));
    string(out, 1, key);
    head(out, 2, field_len(len));
    head(out, 1, len);
    quantity.write(out);
}
