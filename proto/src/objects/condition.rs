//! A condition of a pod or a node.

use serde::Deserialize;

use super::lenient::lenient;
use super::protobuf::message;
use super::text::WireTime;
use crate::time::Timestamp;

/// A condition on the wire.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WireCondition {
    /// `Ready`, `PodScheduled`, …
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    #[serde(deserialize_with = "lenient")]
    pub status: String,
    /// One word.
    #[serde(deserialize_with = "lenient")]
    pub reason: String,
    /// A sentence.
    #[serde(deserialize_with = "lenient")]
    pub message: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) last_transition_time: WireTime,
}

impl WireCondition {
    /// Since when its status is what it is, where that is given.
    pub fn since(&self) -> Option<Timestamp> {
        self.last_transition_time.0
    }
}

// A `PodCondition` and a `NodeCondition` have these fields under the same numbers.
message!(WireCondition { 1 => kind, 2 => status, 4 => last_transition_time, 5 => reason, 6 => message });
