//! A condition of a pod or a node.

use serde::Deserialize;

use super::loose::loose;

/// A condition, as the API server tells it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SlimCondition {
    #[serde(rename = "type", deserialize_with = "loose")]
    pub(super) kind: String,
    #[serde(deserialize_with = "loose")]
    pub(super) status: String,
    #[serde(deserialize_with = "loose")]
    pub(super) reason: String,
    #[serde(deserialize_with = "loose")]
    pub(super) message: String,
    #[serde(deserialize_with = "loose")]
    pub(super) last_transition_time: String,
}
