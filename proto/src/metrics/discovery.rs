//! What discovery says of `metrics.k8s.io`.

use super::{GROUP, Version};
use crate::wire::discovery::aggregated::{
    APIGroupDiscovery, APIResourceDiscovery, APIVersionDiscovery, GroupVersionKind,
};
use crate::wire::discovery::{APIGroup, APIResource, APIResourceList};

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
pub fn group(versions: &[Version]) -> APIGroup {
    let versions: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
    APIGroup::new(GROUP, &versions)
}

/// The resources of a version.
///
/// Their singular names are empty, which lets `kubectl get podmetrics` find them by their kind.
#[must_use]
pub fn resources(version: Version) -> APIResourceList {
    let resource = |(name, kind, namespaced): (&str, &str, bool)| APIResource {
        name: name.to_owned(),
        kind: kind.to_owned(),
        namespaced,
        verbs: verbs(),
        ..APIResource::default()
    };
    APIResourceList::new(version.api_version(), RESOURCES.map(resource).to_vec())
}

/// The group with `versions`, the preferred one first, for aggregated discovery.
#[must_use]
pub fn aggregated(versions: &[Version]) -> APIGroupDiscovery {
    let resource = |(name, kind, namespaced): (&str, &str, bool)| APIResourceDiscovery {
        resource: name.to_owned(),
        response_kind: GroupVersionKind {
            kind: kind.to_owned(),
            ..GroupVersionKind::default()
        },
        scope: if namespaced { "Namespaced" } else { "Cluster" }.to_owned(),
        verbs: verbs(),
        ..APIResourceDiscovery::default()
    };
    let version = |version: &Version| {
        APIVersionDiscovery::current(version.as_str(), RESOURCES.map(resource).to_vec())
    };
    APIGroupDiscovery::new(GROUP, versions.iter().map(version).collect())
}
