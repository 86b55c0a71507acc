//! A condition of a pod or a node.

use serde::Deserialize;

use super::lenient::lenient;
use super::protobuf::message;
use super::text::SlimTime;

/// A condition, as the API server tells it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SlimCondition {
    #[serde(rename = "type", deserialize_with = "lenient")]
    pub(super) kind: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) status: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) reason: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) message: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) last_transition_time: SlimTime,
}

// A `PodCondition` and a `NodeCondition` have these fields under the same numbers.
message!(SlimCondition { 1 => kind, 2 => status, 4 => last_transition_time, 5 => reason, 6 => message });
