//! YAML as Kubernetes writes it: what go-yaml (v2) makes of an object's JSON, keys sorted, strings quoted where a
//! YAML 1.1 parser would take them for something else.
//!
//! An object is turned whole; a list is a [`Frame`] around items that are turned one by one, so that it can be sent
//! while it is made.

mod order;
mod resolve;
mod scalar;

use serde_json::{Map, Value};
use std::cmp::Ordering;

/// The media type.
pub const CONTENT_TYPE: &str = "application/yaml";

/// Appends the JSON object `json` as YAML.
///
/// # Errors
/// When it is not JSON.
pub fn document(out: &mut Vec<u8>, json: &[u8]) -> serde_json::Result<()> {
    let value: Value = serde_json::from_slice(json)?;
    match &value {
        Value::Object(members) if !members.is_empty() => mapping(out, members, 0),
        Value::Array(items) if !items.is_empty() => sequence(out, items, 0),
        small => inline(out, small, 0, 0),
    }
    end_line(out);
    Ok(())
}

/// Appends the JSON value `json` as an item of the list of a [`Frame`].
///
/// # Errors
/// When it is not JSON.
pub fn item(out: &mut Vec<u8>, json: &[u8]) -> serde_json::Result<()> {
    item_at(out, &serde_json::from_slice(json)?, 0);
    end_line(out);
    Ok(())
}

/// What stands before and after the items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Before the first item.
    pub head: Vec<u8>,
    /// After the last.
    pub tail: Vec<u8>,
}

impl Frame {
    /// The frame of the JSON object `list`, whose member `items` is an empty array: the place of the items. If
    /// there are none, the list as it is makes the [`document`].
    ///
    /// # Errors
    /// When it is not a JSON object.
    pub fn of(list: &[u8], items: &str) -> serde_json::Result<Self> {
        let list: Map<String, Value> = serde_json::from_slice(list)?;
        let (mut head, mut tail) = (Vec::new(), Vec::new());
        for (key, value) in sorted(&list) {
            match order::compare(key, items) {
                Ordering::Less => member(&mut head, key, value, 0),
                Ordering::Equal => head.extend_from_slice(format!("{items}:\n").as_bytes()),
                Ordering::Greater => member(&mut tail, key, value, 0),
            }
            end_line(&mut head);
            end_line(&mut tail);
        }
        Ok(Self { head, tail })
    }
}

/// Ends the line, if one has begun.
fn end_line(out: &mut Vec<u8>) {
    if out.last().is_some_and(|byte| *byte != b'\n') {
        out.push(b'\n');
    }
}

fn begin_line(out: &mut Vec<u8>, indent: usize) {
    end_line(out);
    out.resize(out.len() + indent, b' ');
}

/// How many characters the last line has.
fn column(out: &[u8]) -> usize {
    let line = memchr::memrchr(b'\n', out).map_or(0, |end| end + 1);
    let line = out.get(line..).unwrap_or_default();
    // Bytes that go on a character begin none.
    line.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Members by key. A sort may panic over an order that is not total; finding each one's place does not.
fn sorted(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = Vec::with_capacity(members.len());
    for (key, value) in members {
        let place = sorted.partition_point(|(before, _)| order::compare(before, key).is_lt());
        sorted.insert(place, (key, value));
    }
    sorted
}

fn mapping(out: &mut Vec<u8>, members: &Map<String, Value>, indent: usize) {
    for (at, (key, value)) in sorted(members).into_iter().enumerate() {
        // The first member may stand behind the dash of its item.
        if at > 0 {
            begin_line(out, indent);
        }
        member(out, key, value, indent);
    }
}

fn member(out: &mut Vec<u8>, key: &str, value: &Value, indent: usize) {
    if scalar::is_long_key(key) {
        out.extend_from_slice(b"? ");
        scalar::write(out, key, column(out), indent + 2, false);
        begin_line(out, indent);
    } else {
        scalar::write(out, key, column(out), indent + 2, true);
    }
    out.push(b':');
    match value {
        Value::Object(members) if !members.is_empty() => {
            begin_line(out, indent + 2);
            mapping(out, members, indent + 2);
        }
        Value::Array(items) if !items.is_empty() => {
            begin_line(out, indent);
            sequence(out, items, indent);
        }
        small => {
            out.push(b' ');
            inline(out, small, column(out), indent + 2);
        }
    }
}

fn sequence(out: &mut Vec<u8>, items: &[Value], indent: usize) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            begin_line(out, indent);
        }
        item_at(out, item, indent);
    }
}

fn item_at(out: &mut Vec<u8>, item: &Value, indent: usize) {
    out.extend_from_slice(b"- ");
    match item {
        Value::Object(members) if !members.is_empty() => mapping(out, members, indent + 2),
        Value::Array(items) if !items.is_empty() => sequence(out, items, indent + 2),
        small => inline(out, small, column(out), indent + 2),
    }
}

/// What has a line of its own at most.
fn inline(out: &mut Vec<u8>, value: &Value, column: usize, indent: usize) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => out.extend_from_slice(truth.to_string().as_bytes()),
        Value::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Value::String(text) => scalar::write(out, text, column, indent, false),
        Value::Array(_) => out.extend_from_slice(b"[]"),
        Value::Object(_) => out.extend_from_slice(b"{}"),
    }
}

#[cfg(test)]
mod tests;
