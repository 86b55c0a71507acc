//! Protobuf, byte for byte as Kubernetes' encoder writes it: fields in order, empty ones too.

use super::{Container, Item, Kind, MetaRef, MetaTail, NodeRef, PodRef, Shape, UsageRef};
use crate::duration::GoDuration;
use crate::quantity::QuantityText;
use crate::time::Timestamp;
use crate::wire::envelope;
use crate::wire::form::{METADATA_LIST, METADATA_OBJECT};
use crate::wire::meta::MetaVersion;
use crate::wire::protobuf::{
    empty_list_meta, field_len, head, key, string, time_len, varint, varint_len, write_time,
};

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
        let meta = empty_list_meta(1);
        envelope::write_head(out, self.api_version, self.kind, meta.len() + items_len);
        if self.items_field() == 2 {
            out.extend_from_slice(&meta);
        }
    }

    /// The number of bytes that [`Frame::item`] appends.
    pub(super) fn item_len(self, item: &impl Item, tail: &mut MetaTail) -> usize {
        field_len(self.message_len(item, tail))
    }

    /// Appends one item of a list, without a kind.
    pub(super) fn item(self, out: &mut Vec<u8>, item: &impl Item, tail: &mut MetaTail) {
        head(out, self.items_field(), self.message_len(item, tail));
        self.write_message(out, item, tail);
    }

    /// Appends the end of a list. Fields are in order of their numbers, so metadata in field 2 comes here.
    pub(super) fn tail(self, out: &mut Vec<u8>) {
        if self.items_field() == 1 {
            out.extend_from_slice(&empty_list_meta(2));
        }
        out.extend_from_slice(&envelope::TAIL);
    }

    /// The number of bytes of a whole list whose items have `items_len` bytes: its Content-Length.
    pub(super) const fn list_len(self, items_len: usize) -> usize {
        let raw_len = empty_list_meta(1).len() + items_len;
        envelope::wrapped_len(self.api_version, self.kind, raw_len)
    }

    fn message_len(self, item: &impl Item, tail: &mut MetaTail) -> usize {
        match self.metadata {
            None => item.protobuf_len(tail),
            Some(_) => field_len(meta_len(item.meta(), tail)),
        }
    }

    fn write_message(self, out: &mut Vec<u8>, item: &impl Item, tail: &mut MetaTail) {
        match self.metadata {
            None => item.write_protobuf(out, tail),
            Some(_) => write_meta(out, item.meta(), tail),
        }
    }
}

/// Appends an object that stands alone, in its envelope.
pub(super) fn object<T: Item>(out: &mut Vec<u8>, shape: Shape, item: &T) {
    let frame = Frame::new(T::KIND.object(), METADATA_OBJECT, shape);
    let mut tail = MetaTail::default();
    let len = frame.message_len(item, &mut tail);
    envelope::write_head(out, frame.api_version, frame.kind, len);
    frame.write_message(out, item, &mut tail);
    out.extend_from_slice(&envelope::TAIL);
}

pub(super) fn node_len(node: &NodeRef<'_>, tail: &mut MetaTail) -> usize {
    head_len(&node.meta, tail, node.timestamp, node.window) + UsageText::of(node.usage).len()
}

pub(super) fn write_node(out: &mut Vec<u8>, node: &NodeRef<'_>, tail: &mut MetaTail) {
    write_head(out, &node.meta, tail, node.timestamp, node.window);
    UsageText::of(node.usage).write(out, 4);
}

pub(super) fn pod_len(pod: &PodRef<'_, impl Container>, tail: &mut MetaTail) -> usize {
    let containers = pod.containers_len;
    let containers = containers.unwrap_or_else(|| containers_len(pod.containers));
    head_len(&pod.meta, tail, pod.timestamp, pod.window) + containers
}

/// The length of a pod's containers in protobuf.
#[must_use]
pub fn containers_len(containers: &[impl Container]) -> usize {
    let texts = containers.iter().map(|it| (it, UsageText::of(it.usage())));
    texts
        .map(|(container, usage)| field_len(container_len(container, &usage)))
        .sum()
}

pub(super) fn write_pod(out: &mut Vec<u8>, pod: &PodRef<'_, impl Container>, tail: &mut MetaTail) {
    write_head(out, &pod.meta, tail, pod.timestamp, pod.window);
    for container in pod.containers {
        let usage = UsageText::of(container.usage());
        head(out, 4, container_len(container, &usage));
        string(out, 1, container.name());
        usage.write(out, 2);
    }
}

fn container_len(container: &impl Container, usage: &UsageText) -> usize {
    field_len(container.name().len()) + usage.len()
}

/// Fields 1 to 3, which nodes and pods have in common.
fn head_len(
    meta: &MetaRef<'_>,
    tail: &mut MetaTail,
    timestamp: Timestamp,
    window: GoDuration,
) -> usize {
    field_len(meta_len(meta, tail))
        + field_len(time_len(timestamp))
        + field_len(1 + varint_len(window.0 as u64))
}

fn write_head(
    out: &mut Vec<u8>,
    meta: &MetaRef<'_>,
    tail: &mut MetaTail,
    timestamp: Timestamp,
    window: GoDuration,
) {
    write_meta(out, meta, tail);
    write_time(out, 2, timestamp);
    head(out, 3, 1 + varint_len(window.0 as u64));
    out.push(0x08);
    varint(out, window.0 as u64);
}

/// The empty field 2: generateName.
const NO_GENERATE_NAME: [u8; 2] = [key(2), 0];

/// The empty fields 4 to 7: selfLink, uid, resourceVersion and generation.
const NO_LINK_TO_GENERATION: [u8; 8] = [key(4), 0, key(5), 0, key(6), 0, 7 << 3, 0];

fn meta_len(meta: &MetaRef<'_>, tail: &mut MetaTail) -> usize {
    field_len(meta.name.len())
        + NO_GENERATE_NAME.len()
        + field_len(meta.namespace.len())
        + NO_LINK_TO_GENERATION.len()
        + tail.of(meta.creation, meta.labels).len()
}

/// Appends the metadata, which is field 1 everywhere.
fn write_meta(out: &mut Vec<u8>, meta: &MetaRef<'_>, tail: &mut MetaTail) {
    head(out, 1, meta_len(meta, tail));
    string(out, 1, meta.name);
    out.extend_from_slice(&NO_GENERATE_NAME);
    string(out, 3, meta.namespace);
    out.extend_from_slice(&NO_LINK_TO_GENERATION);
    out.extend_from_slice(tail.of(meta.creation, meta.labels));
}

/// CPU and memory as the texts of two entries of a map. All lengths take one byte: a text has at most 22.
struct UsageText {
    cpu: QuantityText,
    memory: QuantityText,
}

impl UsageText {
    fn of(usage: UsageRef) -> Self {
        Self {
            cpu: QuantityText::cpu(usage.cpu),
            memory: QuantityText::memory(usage.memory),
        }
    }

    /// The length of both entries.
    fn len(&self) -> usize {
        let texts = usize::from(self.cpu.len()) + usize::from(self.memory.len());
        cpu_head(0, 0).len() + memory_head(0, 0).len() + texts
    }

    /// Appends both entries as `field`, which is under 16.
    fn write(&self, out: &mut Vec<u8>, field: u8) {
        out.extend_from_slice(&cpu_head(field, self.cpu.len()));
        self.cpu.write(out);
        out.extend_from_slice(&memory_head(field, self.memory.len()));
        self.memory.write(out);
    }
}

/// What comes before the text of an entry's quantity: the lengths of the entry, the key, the quantity and its text.
#[rustfmt::skip]
const fn cpu_head(field: u8, len: u8) -> [u8; 11] {
    [key(field), len + 9, key(1), 3, b'c', b'p', b'u', key(2), len + 2, key(1), len]
}

/// The same of the entry of memory.
#[rustfmt::skip]
const fn memory_head(field: u8, len: u8) -> [u8; 14] {
    [
        key(field), len + 12, key(1), 6, b'm', b'e', b'm', b'o', b'r', b'y', key(2), len + 2, key(1), len,
    ]
}
