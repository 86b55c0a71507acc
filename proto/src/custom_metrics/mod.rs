//! The APIs from which HorizontalPodAutoscalers read metrics other than CPU and memory: `custom.metrics.k8s.io`,
//! versions v1beta1 and v1beta2, whose values describe objects, and `external.metrics.k8s.io` v1beta1, whose values do
//! not.
//!
//! The types are those of k8s.io/metrics, with JSON in Go's field order and protobuf byte for byte. Each path serves a
//! list; a [`List`] encodes it item by item.

pub mod discovery;
pub mod external;
mod item;
mod list;
mod not_found;
mod object;
pub mod openapi;
mod selector;
pub mod v1beta1;
pub mod v1beta2;

pub use item::Item;
pub use list::List;
pub use not_found::not_found;
pub use object::ObjectReference;
pub use selector::{MetricSelector, SelectorOperator, SelectorRequirement, UnsupportedOperator};

/// The group of metrics that describe objects.
pub const GROUP: &str = "custom.metrics.k8s.io";

/// The name that stands for all objects.
pub const ALL_OBJECTS: &str = "*";

/// The resource in the path of a namespace's own metrics: `namespaces/NAMESPACE/metrics/METRIC`.
pub const OF_NAMESPACE: &str = "metrics";

/// A version of [`GROUP`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// v1beta2, in which the metric has a selector beside its name.
    V1beta2,
    /// v1beta1.
    V1beta1,
}

impl Version {
    /// Both, the preferred one first.
    pub const ALL: [Self; 2] = [Self::V1beta2, Self::V1beta1];

    /// `v1beta1` or `v1beta2`, as in a path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1beta2 => "v1beta2",
            Self::V1beta1 => "v1beta1",
        }
    }

    /// With the group, as `apiVersion` has it.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::V1beta2 => "custom.metrics.k8s.io/v1beta2",
            Self::V1beta1 => "custom.metrics.k8s.io/v1beta1",
        }
    }
}
