//! What discovery says of `metrics.k8s.io`.

use super::{GROUP, Version};
use crate::wire::discovery::aggregated::{
    ApiGroupDiscovery, ApiResourceDiscovery, ApiVersionDiscovery, GroupVersionKind,
};
use crate::wire::discovery::{ApiGroup, ApiResource, ApiResourceList};

/// Resource, kind, and whether it is namespaced.
const RESOURCES: [(&str, &str, bool); 2] = [
    ("nodes", "NodeMetrics", false),
    ("pods", "PodMetrics", true),
];
const VERBS: [&str; 2] = ["get", "list"];

fn verbs() -> Vec<String> {
    VERBS.map(str::to_owned).to_vec()
}

/// The group with `versions`, the preferred one first.
#[must_use]
pub fn group(versions: &[Version]) -> ApiGroup {
    let versions: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
    ApiGroup::new(GROUP, &versions)
}

/// The resources of a version.
///
/// Their singular names are empty, which lets `kubectl get podmetrics` find them by their kind.
#[must_use]
pub fn resources(version: Version) -> ApiResourceList {
    let resource = |(name, kind, namespaced): (&str, &str, bool)| ApiResource {
        name: name.to_owned(),
        kind: kind.to_owned(),
        namespaced,
        verbs: verbs(),
        ..ApiResource::default()
    };
    ApiResourceList::new(version.api_version(), RESOURCES.map(resource).to_vec())
}

/// The group with `versions`, the preferred one first, for aggregated discovery.
#[must_use]
pub fn aggregated(versions: &[Version]) -> ApiGroupDiscovery {
    let resource = |(name, kind, namespaced): (&str, &str, bool)| ApiResourceDiscovery {
        resource: name.to_owned(),
        response_kind: GroupVersionKind {
            kind: kind.to_owned(),
            ..GroupVersionKind::default()
        },
        scope: if namespaced { "Namespaced" } else { "Cluster" }.to_owned(),
        verbs: verbs(),
        ..ApiResourceDiscovery::default()
    };
    let version = |version: &Version| {
        ApiVersionDiscovery::current(version.as_str(), RESOURCES.map(resource).to_vec())
    };
    ApiGroupDiscovery::new(GROUP, versions.iter().map(version).collect())
}
