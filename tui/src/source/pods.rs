//! What `top` needs of a pod: that it is, and since when.

use kubevitals_proto::time::Timestamp;
use serde::Deserialize;

/// A pod that exists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub creation_timestamp: Timestamp,
}

impl Default for PodRef {
    fn default() -> Self {
        // What Go takes a missing time for is so long ago that its age is out of range; the
        // beginning of the epoch is long enough ago to be called old.
        Self {
            namespace: String::new(),
            name: String::new(),
            creation_timestamp: Timestamp(0),
        }
    }
}

/// Reads a `v1.Pod` or only its metadata.
#[derive(Deserialize)]
pub(super) struct Pod {
    pub metadata: PodRef,
}

#[derive(Deserialize)]
pub(super) struct PodList {
    #[serde(default)]
    pub items: Vec<Pod>,
}
