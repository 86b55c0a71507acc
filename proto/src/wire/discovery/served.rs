//! A group as its server describes it once, for both forms of discovery.

use super::aggregated::{ApiGroupDiscovery, ApiResourceDiscovery, ApiVersionDiscovery};
use super::{ApiGroup, ApiResource, ApiResourceList};

/// A group and its versions, which all have the same resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// The group's name.
    pub group: &'static str,
    /// Its versions, the preferred one first.
    pub versions: &'static [&'static str],
    /// Its resources, by name.
    pub resources: &'static [Resource],
}

/// A resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// Plural, as in a path.
    pub name: &'static str,
    /// The singular name for `kubectl`; empty for the kind in lower case.
    pub singular: &'static str,
    /// The kind of its objects.
    pub kind: &'static str,
    /// Whether they are in namespaces.
    pub namespaced: bool,
    /// The verbs.
    pub verbs: &'static [&'static str],
    /// Short names for `kubectl`.
    pub short_names: &'static [&'static str],
    /// Groups it belongs to, such as `all`.
    pub categories: &'static [&'static str],
    /// The subresources: names, and the kinds of their responses. Their only verb is get.
    pub subresources: &'static [(&'static str, &'static str)],
}

/// The verbs of a subresource.
const OF_SUBRESOURCES: [&str; 1] = ["get"];

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

impl Served {
    /// The group, as it stands in a list.
    #[must_use]
    pub fn group(&self) -> ApiGroup {
        ApiGroup::new(self.group, self.versions)
    }

    /// The resources of a version.
    #[must_use]
    pub fn resources(&self, version: &str) -> ApiResourceList {
        let resources = self.resources.iter().flat_map(Resource::listed);
        ApiResourceList::new(&format!("{}/{version}", self.group), resources.collect())
    }

    /// The group for aggregated discovery.
    #[must_use]
    pub fn aggregated(&self) -> ApiGroupDiscovery {
        let listed = self.resources.iter().flat_map(Resource::listed);
        let resources = ApiResourceDiscovery::of(listed);
        let versions = self
            .versions
            .iter()
            .map(|version| ApiVersionDiscovery::current(version, resources.clone()));
        ApiGroupDiscovery::new(self.group, versions.collect())
    }
}

impl Resource {
    /// The resource and its subresources, as they stand in the list of a version.
    pub fn listed(&self) -> impl Iterator<Item = ApiResource> {
        let own = ApiResource {
            name: self.name.to_owned(),
            singular_name: self.singular.to_owned(),
            kind: self.kind.to_owned(),
            namespaced: self.namespaced,
            verbs: owned(self.verbs),
            short_names: owned(self.short_names),
            categories: owned(self.categories),
            ..ApiResource::default()
        };
        let parts = self.subresources.iter().map(|(name, kind)| ApiResource {
            name: format!("{}/{name}", self.name),
            kind: (*kind).to_owned(),
            namespaced: self.namespaced,
            verbs: owned(&OF_SUBRESOURCES),
            ..ApiResource::default()
        });
        std::iter::once(own).chain(parts)
    }
}
