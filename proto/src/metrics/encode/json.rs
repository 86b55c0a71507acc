//! Compact JSON, member for member as Go writes it.

use super::{Item, Kind, MetaRef, NodeRef, PodRef, UsageRef};
use crate::duration::{GoDuration, write_duration};
use crate::metrics::Version;
use crate::quantity::{write_bytes, write_cpu};
use crate::time::{Timestamp, write_rfc3339_seconds};
use crate::wire::gojson::write_str;

/// Appends a list up to its first item.
pub fn list_head(out: &mut Vec<u8>, kind: Kind, version: Version) {
    write_type(out, kind.list(), version.api_version());
    out.extend_from_slice(br#","metadata":{},"items":["#);
}

/// Appends one item of a list. Between items there must be a comma.
pub fn item(out: &mut Vec<u8>, item: &impl Item) {
    out.push(b'{');
    item.write_json_members(out);
    out.push(b'}');
}

/// Appends what follows the last item of a list, of any kind.
pub fn list_tail(out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}");
}

/// Appends an object that stands alone, with its kind and version.
pub fn object<T: Item>(out: &mut Vec<u8>, version: Version, item: &T) {
    write_type(out, T::KIND.object(), version.api_version());
    out.push(b',');
    item.write_json_members(out);
    out.push(b'}');
}

/// Appends the opening brace, kind and version.
pub(super) fn write_type(out: &mut Vec<u8>, kind: &str, api_version: &str) {
    out.extend_from_slice(br#"{"kind":""#);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(br#"","apiVersion":""#);
    out.extend_from_slice(api_version.as_bytes());
    out.push(b'"');
}

pub(super) fn write_node(out: &mut Vec<u8>, node: &NodeRef<'_>) {
    write_head(out, &node.meta, node.timestamp, node.window);
    write_usage(out, node.usage);
}

pub(super) fn write_pod(out: &mut Vec<u8>, pod: &PodRef<'_>) {
    write_head(out, &pod.meta, pod.timestamp, pod.window);
    out.extend_from_slice(br#","containers":["#);
    for (at, container) in pod.containers.iter().enumerate() {
        out.extend_from_slice(if at == 0 {
            br#"{"name":"#
        } else {
            br#",{"name":"#
        });
        write_str(out, container.name);
        write_usage(out, container.usage);
        out.push(b'}');
    }
    out.push(b']');
}

fn write_head(out: &mut Vec<u8>, meta: &MetaRef<'_>, timestamp: Timestamp, window: GoDuration) {
    out.extend_from_slice(br#""metadata":"#);
    write_meta(out, meta);
    out.extend_from_slice(br#","timestamp":""#);
    write_rfc3339_seconds(out, timestamp);
    out.extend_from_slice(br#"","window":""#);
    write_duration(out, window);
    out.push(b'"');
}

/// Appends `metadata`'s object.
pub fn write_meta(out: &mut Vec<u8>, meta: &MetaRef<'_>) {
    out.extend_from_slice(br#"{"name":"#);
    write_str(out, meta.name);
    if !meta.namespace.is_empty() {
        out.extend_from_slice(br#","namespace":"#);
        write_str(out, meta.namespace);
    }
    out.extend_from_slice(br#","creationTimestamp":""#);
    write_rfc3339_seconds(out, meta.creation);
    out.push(b'"');
    let mut before: &[u8] = br#","labels":{"#;
    for (key, value) in meta.labels.iter() {
        out.extend_from_slice(before);
        write_str(out, key);
        out.push(b':');
        write_str(out, value);
        before = b",";
    }
    out.extend_from_slice(if meta.labels.is_empty() { b"}" } else { b"}}" });
}

fn write_usage(out: &mut Vec<u8>, usage: UsageRef) {
    out.extend_from_slice(br#","usage":{"cpu":""#);
    write_cpu(out, usage.cpu);
    out.extend_from_slice(br#"","memory":""#);
    write_bytes(out, usage.memory);
    out.extend_from_slice(br#""}"#);
}
