//! Objects in protobuf, as Kubernetes' generated code writes them from the same JSON.
//!
//! `fields.txt` has a line for each message that pods, nodes, events and their metadata are made of, with the number of
//! each field as k8s.io/api v1.37 and k8s.io/apimachinery have it: `name=1` is a scalar, `spec=2:PodSpec` a message,
//! `labels=11{}` a map to strings, `limits=1{Quantity}` a map to messages, and `handler=1+ProbeHandler` a message whose
//! fields JSON has in line. The JSON shows what is a list, a number or a boolean.
//!
//! A real API server also writes scalars that are empty and not optional: a few bytes more, which no reader notices.

use std::collections::HashMap;
use std::sync::LazyLock;

use kubevitals_proto::time::Timestamp;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Scalar,
    Message(&'static str),
    /// A map from strings to strings, or to messages.
    Map(Option<&'static str>),
    /// A message whose fields are in line in JSON.
    Inline(&'static str),
}

type Fields = HashMap<&'static str, (u32, Type)>;

static MESSAGES: LazyLock<HashMap<&'static str, Fields>> = LazyLock::new(|| {
    let lines = include_str!("fields.txt").lines();
    lines
        .filter_map(|line| {
            let (name, fields) = line.split_once(' ')?;
            Some((name, fields.split(' ').filter_map(field).collect()))
        })
        .collect()
});

/// `name=1`, and what follows it.
fn field(text: &'static str) -> Option<(&'static str, (u32, Type))> {
    let (name, rest) = text.split_once('=')?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (number, kind) = rest.split_at(end.unwrap_or(rest.len()));
    let kind = match kind.split_at_checked(1) {
        Some((":", message)) => Type::Message(message),
        Some(("+", message)) => Type::Inline(message),
        Some(("{", to)) => {
            let to = to.trim_end_matches('}');
            Type::Map((!to.is_empty()).then_some(to))
        }
        _ => Type::Scalar,
    };
    Some((name, (number.parse().ok()?, kind)))
}

/// Encodes an object in JSON as the message of this name (`Pod`). Members that the message does not have are dropped.
pub fn encode(message: &str, object: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match message {
        "Time" | "MicroTime" => time(&mut out, message, object),
        "Quantity" => scalar(&mut out, 1, &Value::String(text(object))),
        "IntOrString" => match object {
            Value::Number(_) => {
                scalar(&mut out, 1, &Value::from(0));
                scalar(&mut out, 2, object);
                scalar(&mut out, 3, &Value::from(""));
            }
            other => {
                scalar(&mut out, 1, &Value::from(1));
                scalar(&mut out, 2, &Value::from(0));
                scalar(&mut out, 3, other);
            }
        },
        "FieldsV1" => bytes(&mut out, 1, object.to_string().as_bytes()),
        _ => {
            if let (Some(fields), Value::Object(members)) = (MESSAGES.get(message), object) {
                members_of(&mut out, fields, members);
            }
        }
    }
    out
}

fn members_of(out: &mut Vec<u8>, fields: &Fields, members: &Map<String, Value>) {
    for (name, value) in members {
        if let Some((number, kind)) = fields.get(name.as_str()) {
            member(out, *number, *kind, value);
        }
    }
    for (number, kind) in fields.values() {
        if let Type::Inline(message) = kind
            && let Some(inner) = MESSAGES.get(message)
        {
            let mut inline = Vec::new();
            members_of(&mut inline, inner, members);
            bytes(out, *number, &inline);
        }
    }
}

fn member(out: &mut Vec<u8>, number: u32, kind: Type, value: &Value) {
    match (kind, value) {
        (_, Value::Null) | (Type::Inline(_), _) => {}
        (_, Value::Array(elements)) => {
            for element in elements {
                member(out, number, kind, element);
            }
        }
        (Type::Message(message), value) => bytes(out, number, &encode(message, value)),
        (Type::Map(to), Value::Object(entries)) => {
            for (key, value) in entries {
                let mut entry = Vec::new();
                bytes(&mut entry, 1, key.as_bytes());
                match to {
                    Some(message) => bytes(&mut entry, 2, &encode(message, value)),
                    None => scalar(&mut entry, 2, value),
                }
                bytes(out, number, &entry);
            }
        }
        (Type::Scalar | Type::Map(_), value) => scalar(out, number, value),
    }
}

/// A `Timestamp`: seconds, and for `MicroTime` what is left of the second.
fn time(out: &mut Vec<u8>, message: &str, value: &Value) {
    let time: Option<Timestamp> = value.as_str().and_then(|text| text.parse().ok());
    let Some(time) = time else { return };
    let nanos = match message {
        "MicroTime" => time.subsec_nanos(),
        _ => 0,
    };
    scalar(out, 1, &Value::from(time.as_secs()));
    scalar(out, 2, &Value::from(nanos));
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn scalar(out: &mut Vec<u8>, number: u32, value: &Value) {
    let varint = match value {
        Value::Bool(flag) => u64::from(*flag),
        // Negative numbers are written in their two's complement.
        Value::Number(n) => n.as_i64().unwrap_or_default().cast_unsigned(),
        Value::String(text) => return bytes(out, number, text.as_bytes()),
        _ => return,
    };
    encode_key(number, WireType::Varint, out);
    encode_varint(varint, out);
}

fn bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_message_that_is_named_is_there() {
        let special = ["Time", "MicroTime", "Quantity", "IntOrString", "FieldsV1"];
        for (message, fields) in MESSAGES.iter() {
            for (_, kind) in fields.values() {
                let named = match kind {
                    Type::Scalar | Type::Map(None) => continue,
                    Type::Message(name) | Type::Inline(name) | Type::Map(Some(name)) => name,
                };
                assert!(
                    MESSAGES.contains_key(named) || special.contains(named),
                    "{message}: {named}"
                );
            }
        }
    }

    #[test]
    fn fields_are_written_under_their_numbers() {
        #[rustfmt::skip] // one message a line: a table
        let cases: [(&str, Value, &[u8]); 8] = [
            ("ExecAction", json!({"command": ["a", "b"]}), b"\x0a\x01a\x0a\x01b"),
            ("ContainerStatus", json!({"ready": true, "restartCount": 3}), b"\x20\x01\x28\x03"),
            ("ContainerStateRunning", json!({"startedAt": "1970-01-01T00:00:05Z"}), b"\x0a\x04\x08\x05\x10\x00"),
            ("Probe", json!({"periodSeconds": 1, "exec": {}}), b"\x20\x01\x0a\x02\x0a\x00"),
            ("ResourceRequirements", json!({"limits": {"cpu": "1"}}), b"\x0a\x0a\x0a\x03cpu\x12\x03\x0a\x011"),
            ("TCPSocketAction", json!({"port": 80}), b"\x0a\x06\x08\x00\x10\x50\x1a\x00"),
            ("TCPSocketAction", json!({"port": "x"}), b"\x0a\x07\x08\x01\x10\x00\x1a\x01x"),
            ("ObjectMeta", json!({"unknown": 1, "name": null}), b""),
        ];
        for (message, object, expected) in cases {
            assert_eq!(encode(message, &object), expected, "{object}");
        }
    }
}
