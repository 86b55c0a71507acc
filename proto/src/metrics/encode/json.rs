//! Compact JSON, member for member as Go writes it.

use super::{Container, MetaRef, NodeRef, PodRef, UsageRef};
use crate::duration::{GoDuration, write_duration};
use crate::quantity::{write_bytes, write_cpu};
use crate::time::{Timestamp, write_rfc3339_seconds};
use crate::wire::gojson::write_str;

pub(super) fn write_node(out: &mut Vec<u8>, node: &NodeRef<'_>) {
    write_head(out, &node.meta, node.timestamp, node.window);
    write_usage(out, node.usage);
}

pub(super) fn write_pod(out: &mut Vec<u8>, pod: &PodRef<'_, impl Container>) {
    write_head(out, &pod.meta, pod.timestamp, pod.window);
    out.extend_from_slice(br#","containers":["#);
    for (at, container) in pod.containers.iter().enumerate() {
        out.extend_from_slice(if at == 0 {
            br#"{"name":"#
        } else {
            br#",{"name":"#
        });
        write_str(out, container.name());
        write_usage(out, container.usage());
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
pub(super) fn write_meta(out: &mut Vec<u8>, meta: &MetaRef<'_>) {
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

/// Appends the cells of a table: name, CPU, memory, window.
pub(super) fn write_cells(out: &mut Vec<u8>, name: &str, total: UsageRef, window: GoDuration) {
    write_str(out, name);
    out.extend_from_slice(br#",""#);
    write_cpu(out, total.cpu);
    out.extend_from_slice(br#"",""#);
    write_bytes(out, total.memory);
    out.extend_from_slice(br#"",""#);
    write_duration(out, window);
    out.push(b'"');
}
