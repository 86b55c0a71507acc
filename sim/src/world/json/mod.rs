//! The world's objects as the API server has them.

pub(crate) mod node;
pub(crate) mod pod;
pub(crate) mod spec;
pub(crate) mod workload;

use kubevitals_proto::time::{Timestamp, write_rfc3339_seconds};

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
