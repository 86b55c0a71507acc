//! The `metrics.k8s.io` API, versions v1 and v1beta1, which are alike.
//!
//! - [`encode`]: encodes from borrowed data, for the server.
//! - [`view`]: decodes a protobuf body in place, for clients.
//! - [`discovery`] and [`openapi`]: the group's description. Its schemas follow from the owned types here.

pub mod discovery;
pub mod encode;
pub mod openapi;
mod types;
pub mod view;

pub use crate::wire::meta::{ListMeta, ObjectMeta};
pub use types::{
    ContainerMetrics, NodeMetrics, NodeMetricsList, PodMetrics, PodMetricsList, Usage,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The API group's name.
pub const GROUP: &str = "metrics.k8s.io";

/// A version of the group.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[schemars(inline, with = "String")]
pub enum Version {
    /// v1, of Kubernetes 1.37.
    #[serde(rename = "metrics.k8s.io/v1")]
    V1,
    /// v1beta1, which every client supports.
    #[serde(rename = "metrics.k8s.io/v1beta1")]
    V1beta1,
}

impl Version {
    /// Both, in the order discovery lists them.
    pub const ALL: [Self; 2] = [Self::V1, Self::V1beta1];

    /// `v1` or `v1beta1`, as in a path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1beta1 => "v1beta1",
        }
    }

    /// With the group, as `apiVersion` has it.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "metrics.k8s.io/v1",
            Self::V1beta1 => "metrics.k8s.io/v1beta1",
        }
    }

    /// The version that a path calls `v1` or `v1beta1`.
    #[must_use]
    pub fn from_path(segment: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == segment)
    }

    /// The version that `apiVersion` calls so.
    #[must_use]
    pub fn from_api_version(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| version.api_version() == text)
    }
}
