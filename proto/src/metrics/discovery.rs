//! The discovery of `metrics.k8s.io`.

use super::{GROUP, Version};
use crate::wire::discovery::{Resource, Served};

/// The group, v1 before v1beta1.
pub const SERVED: Served = Served {
    group: GROUP,
    versions: &[Version::V1.as_str(), Version::V1beta1.as_str()],
    resources: &[
        resource("nodes", "NodeMetrics", false),
        resource("pods", "PodMetrics", true),
    ],
};

/// Its singular name is empty, which lets `kubectl get podmetrics` find it by its kind.
const fn resource(name: &'static str, kind: &'static str, namespaced: bool) -> Resource {
    Resource {
        name,
        singular: "",
        kind,
        namespaced,
        verbs: &["get", "list"],
        short_names: &[],
        categories: &[],
        subresources: &[],
    }
}
