//! The world's objects as the API server has them.

pub(crate) mod node;
pub(crate) mod pod;
pub(crate) mod workload;

use kubevitals_proto::time::{Timestamp, write_rfc3339_seconds};
use serde_json::Value;

/// Sets a member of an object.
pub(crate) fn put(object: &mut Value, key: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value.into());
    }
}

/// Appends a JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // A Vec takes every byte and a str is always a JSON string, so this cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends a time as a JSON string.
pub(crate) fn time(out: &mut Vec<u8>, at: Timestamp) {
    out.push(b'"');
    write_rfc3339_seconds(out, at);
    out.push(b'"');
}
