//! Protobuf, byte for byte as Kubernetes' encoder writes it: fields in order, empty ones too.

use super::{ContainerRef, Item, Kind, MetaRef, NodeRef, PodRef, UsageRef};
use crate::duration::GoDuration;
use crate::quantity::Canonical;
use crate::time::Timestamp;
use crate::wire::envelope::MAGIC;
use crate::wire::protobuf::{field_len, head, string, varint, varint_len};

/// `ListMeta` with its three empty strings, as `field` of a list.
pub(super) const fn list_meta(field: u8) -> [u8; 8] {
    [field << 3 | 2, 6, 0x0a, 0, 0x12, 0, 0x1a, 0]
}

const EMPTY_LIST_META: [u8; 8] = list_meta(1);

/// The empty `contentEncoding` and `contentType` at the envelope's end.
const ENVELOPE_TAIL: [u8; 4] = [0x1a, 0, 0x22, 0];

/// Appends a list up to its first item. `items_len` is the sum of [`item_len`] of all its items.
pub fn list_head(out: &mut Vec<u8>, kind: Kind, api_version: &str, items_len: usize) {
    let raw_len = EMPTY_LIST_META.len() + items_len;
    envelope_head(out, kind.list(), api_version, raw_len);
    out.extend_from_slice(&EMPTY_LIST_META);
}

/// How many bytes [`item`] appends.
#[must_use]
pub fn item_len(item: &impl Item) -> usize {
    field_len(item.protobuf_len())
}

/// Appends one item of a list.
pub fn item(out: &mut Vec<u8>, item: &impl Item) {
    head(out, 2, item.protobuf_len());
    item.write_protobuf(out);
}

/// Appends what follows the last item of a list.
pub fn list_tail(out: &mut Vec<u8>) {
    out.extend_from_slice(&ENVELOPE_TAIL);
}

/// How many bytes a whole list has whose items have `items_len` bytes: its Content-Length.
#[must_use]
pub fn list_len(kind: Kind, api_version: &str, items_len: usize) -> usize {
    let raw_len = EMPTY_LIST_META.len() + items_len;
    envelope_len(kind.list(), api_version, raw_len)
}

/// Appends an object that stands alone, in its envelope.
pub fn object<T: Item>(out: &mut Vec<u8>, api_version: &str, item: &T) {
    let raw_len = item.protobuf_len();
    envelope_head(out, T::KIND.object(), api_version, raw_len);
    item.write_protobuf(out);
    out.extend_from_slice(&ENVELOPE_TAIL);
}

pub(super) fn envelope_head(out: &mut Vec<u8>, kind: &str, api_version: &str, raw_len: usize) {
    out.extend_from_slice(&MAGIC);
    head(out, 1, type_len(kind, api_version));
    string(out, 1, api_version);
    string(out, 2, kind);
    head(out, 2, raw_len);
}

/// How many bytes an envelope has with `raw_len` bytes in it.
pub(super) const fn envelope_len(kind: &str, api_version: &str, raw_len: usize) -> usize {
    MAGIC.len() + field_len(type_len(kind, api_version)) + field_len(raw_len) + ENVELOPE_TAIL.len()
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

pub(super) fn pod_len(pod: &PodRef<'_>) -> usize {
    let containers: usize = pod
        .containers
        .iter()
        .map(|container| field_len(container_len(container)))
        .sum();
    head_len(&pod.meta, pod.timestamp, pod.window) + containers
}

pub(super) fn write_pod(out: &mut Vec<u8>, pod: &PodRef<'_>) {
    write_head(out, &pod.meta, pod.timestamp, pod.window);
    for container in pod.containers {
        head(out, 4, container_len(container));
        string(out, 1, container.name);
        write_usage(out, 2, container.usage);
    }
}

fn container_len(container: &ContainerRef<'_>) -> usize {
    field_len(container.name.len()) + usage_len(container.usage)
}

/// Fields 1 to 3, which nodes and pods have in common.
fn head_len(meta: &MetaRef<'_>, timestamp: Timestamp, window: GoDuration) -> usize {
    field_len(meta_len(meta))
        + field_len(time_len(timestamp))
        + field_len(1 + varint_len(window.0 as u64))
}

fn write_head(out: &mut Vec<u8>, meta: &MetaRef<'_>, timestamp: Timestamp, window: GoDuration) {
    head(out, 1, meta_len(meta));
    write_meta(out, meta);
    write_time(out, 2, timestamp);
    head(out, 3, 1 + varint_len(window.0 as u64));
    out.push(0x08);
    varint(out, window.0 as u64);
}

/// generateName; selfLink, uid, resourceVersion and generation: all empty, two bytes each.
const EMPTY_META_FIELDS: usize = 5 * 2;

pub(super) fn meta_len(meta: &MetaRef<'_>) -> usize {
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

pub(super) fn write_meta(out: &mut Vec<u8>, meta: &MetaRef<'_>) {
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
    head(out, field, quantity_len(key, quantity));
    string(out, 1, key);
    head(out, 2, field_len(quantity.len()));
    head(out, 1, quantity.len());
    quantity.write(out);
}
