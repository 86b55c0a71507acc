//! The fields of a pod that `top` reads.

use kubevitals_proto::time::Timestamp;
use serde::Deserialize;

/// A pod that exists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodRef {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The creation time.
    pub creation_timestamp: Timestamp,
}

impl Default for PodRef {
    fn default() -> Self {
        // Go's zero time is older than any duration can express; the epoch is old enough for the same result.
        Self {
            namespace: String::new(),
            name: String::new(),
            creation_timestamp: Timestamp(0),
        }
    }
}

/// A `v1.Pod`, or its metadata only.
#[derive(Deserialize)]
pub(super) struct Pod {
    pub metadata: PodRef,
}

#[derive(Deserialize)]
pub(super) struct PodList {
    #[serde(default)]
    pub items: Vec<Pod>,
}
