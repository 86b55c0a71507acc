//! `apidiscovery.k8s.io/v2`: every group, version and resource in one answer.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ApiResource;

/// `/apis`, or `/api` for the core group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiGroupDiscoveryList {
    /// `APIGroupDiscoveryList`.
    pub kind: String,
    /// `apidiscovery.k8s.io/v2`.
    pub api_version: String,
    /// Nothing.
    pub metadata: Metadata,
    /// The groups, the most important first.
    pub items: Vec<ApiGroupDiscovery>,
}

impl ApiGroupDiscoveryList {
    /// A list of `items`.
    #[must_use]
    pub fn new(items: Vec<ApiGroupDiscovery>) -> Self {
        Self {
            kind: "APIGroupDiscoveryList".into(),
            api_version: "apidiscovery.k8s.io/v2".into(),
            metadata: Metadata::default(),
            items,
        }
    }
}

/// The name of a group, or nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Metadata {
    /// The group's name; empty for the core group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiGroupDiscovery {
    /// The name.
    pub metadata: Metadata,
    /// Its versions, the preferred one first.
    pub versions: Vec<ApiVersionDiscovery>,
}

impl ApiGroupDiscovery {
    /// The group `name` with `versions`.
    #[must_use]
    pub fn new(name: &str, versions: Vec<ApiVersionDiscovery>) -> Self {
        Self {
            metadata: Metadata {
                name: name.to_owned(),
            },
            versions,
        }
    }
}

/// A version of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ApiVersionDiscovery {
    /// Such as `v1`.
    pub version: String,
    /// Its resources, sorted by name.
    pub resources: Vec<ApiResourceDiscovery>,
    /// `Current`, or `Stale` if its server could not be reached.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub freshness: String,
}

impl ApiVersionDiscovery {
    /// `version` with `resources`, up to date.
    #[must_use]
    pub fn current(version: &str, resources: Vec<ApiResourceDiscovery>) -> Self {
        Self {
            version: version.to_owned(),
            resources,
            freshness: "Current".into(),
        }
    }
}

/// A resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiResourceDiscovery {
    /// Plural, as in a path.
    pub resource: String,
    /// The kind of its objects.
    pub response_kind: GroupVersionKind,
    /// `Cluster` or `Namespaced`.
    pub scope: String,
    /// The singular name for `kubectl`; empty for the kind in lower case.
    pub singular_resource: String,
    /// The verbs.
    pub verbs: Vec<String>,
    /// Short names for `kubectl`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub short_names: Vec<String>,
    /// Groups it belongs to, such as `all`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Its subresources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subresources: Vec<ApiSubresourceDiscovery>,
}

impl ApiResourceDiscovery {
    /// The resources of a list, each with its subresources. One of which only subresources are listed has neither a kind
    /// nor verbs of its own.
    #[must_use]
    pub fn of(listed: impl IntoIterator<Item = ApiResource>) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for resource in listed {
            let response_kind = GroupVersionKind {
                group: resource.group,
                version: resource.version,
                kind: resource.kind,
            };
            let scope = if resource.namespaced {
                "Namespaced"
            } else {
                "Cluster"
            };
            let own = |name: &str| Self {
                resource: name.to_owned(),
                scope: scope.to_owned(),
                ..Self::default()
            };
            let Some((parent, part)) = resource.name.split_once('/') else {
                places.insert(resource.name.clone(), all.len());
                all.push(Self {
                    response_kind,
                    singular_resource: resource.singular_name,
                    verbs: resource.verbs,
                    short_names: resource.short_names,
                    categories: resource.categories,
                    ..own(&resource.name)
                });
                continue;
            };
            let at = *places.entry(parent.to_owned()).or_insert_with(|| {
                all.push(own(parent));
                all.len() - 1
            });
            if let Some(parent) = all.get_mut(at) {
                parent.subresources.push(ApiSubresourceDiscovery {
                    subresource: part.to_owned(),
                    response_kind,
                    verbs: resource.verbs,
                });
            }
        }
        all
    }
}

/// A subresource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiSubresourceDiscovery {
    /// Its name, such as `status`.
    pub subresource: String,
    /// The kind of its response.
    pub response_kind: GroupVersionKind,
    /// The verbs.
    pub verbs: Vec<String>,
}

/// A kind of object.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupVersionKind {
    /// Its group; empty for the one of the resource.
    pub group: String,
    /// Its version; empty for the one of the resource.
    pub version: String,
    /// The name.
    pub kind: String,
}
