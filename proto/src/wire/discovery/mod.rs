//! The API groups, versions and resources of a server.
//!
//! The old form takes three requests: [`ApiGroupList`] at `/apis`, [`ApiGroup`] at `/apis/GROUP`,
//! [`ApiResourceList`] at `/apis/GROUP/VERSION`. The [`aggregated`] form has all of it at `/apis`.

pub mod aggregated;
mod protobuf;
mod served;

pub use served::{Resource, Served};

use serde::{Deserialize, Serialize};

/// The content type of the aggregated form, in requests and responses.
pub const AGGREGATED_CONTENT_TYPE: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/apis`: every group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiGroupList {
    /// `APIGroupList`.
    pub kind: String,
    /// `v1`, or nothing, as library servers such as metrics-server leave it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The groups.
    pub groups: Vec<ApiGroup>,
}

impl ApiGroupList {
    /// A list of `groups`, without a version of its own.
    #[must_use]
    pub fn new(groups: Vec<ApiGroup>) -> Self {
        Self {
            kind: "APIGroupList".into(),
            api_version: String::new(),
            groups,
        }
    }
}

/// A group: alone at `/apis/GROUP`, or inside of an [`ApiGroupList`], then without kind and version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiGroup {
    /// `APIGroup`; empty in a list.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// `v1`; empty in a list.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// The group's name.
    pub name: String,
    /// Its versions, the best first.
    pub versions: Vec<GroupVersion>,
    /// The version a client should take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_version: Option<GroupVersion>,
    /// The addresses of its server, by the client's network.
    #[serde(
        rename = "serverAddressByClientCIDRs",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub server_address_by_client_cidrs: Vec<ServerAddress>,
}

impl ApiGroup {
    /// The group `name` with `versions`, the preferred one first, as it stands in a list.
    #[must_use]
    pub fn new(name: &str, versions: &[&str]) -> Self {
        let versions: Vec<_> = versions
            .iter()
            .map(|version| GroupVersion::new(name, version))
            .collect();
        Self {
            name: name.to_owned(),
            preferred_version: versions.first().cloned(),
            versions,
            ..Self::default()
        }
    }

    /// The same as it stands alone, with kind and version.
    #[must_use]
    pub fn alone(self) -> Self {
        Self {
            kind: "APIGroup".into(),
            api_version: "v1".into(),
            ..self
        }
    }

    /// The same, reached at `address` from everywhere.
    #[must_use]
    pub fn reached_at(self, address: &str) -> Self {
        let everywhere = ServerAddress {
            client_cidr: "0.0.0.0/0".into(),
            server_address: address.to_owned(),
        };
        Self {
            server_address_by_client_cidrs: vec![everywhere],
            ..self
        }
    }
}

/// A version of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GroupVersion {
    /// `GROUP/VERSION`.
    pub group_version: String,
    /// `VERSION`.
    pub version: String,
}

impl GroupVersion {
    /// `version` of `group`.
    #[must_use]
    pub fn new(group: &str, version: &str) -> Self {
        Self {
            group_version: format!("{group}/{version}"),
            version: version.to_owned(),
        }
    }
}

/// The address of a group's server for the clients of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerAddress {
    /// The network.
    #[serde(rename = "clientCIDR")]
    pub client_cidr: String,
    /// Host and port; the host may be empty.
    #[serde(rename = "serverAddress")]
    pub server_address: String,
}

/// `/apis/GROUP/VERSION` (and `/api/v1`): every resource.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiResourceList {
    /// `APIResourceList`.
    pub kind: String,
    /// `v1`; the core group's own list leaves it out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// `GROUP/VERSION`.
    pub group_version: String,
    /// The resources, sorted by name.
    pub resources: Vec<ApiResource>,
}

impl ApiResourceList {
    /// The `resources` of `group_version`.
    #[must_use]
    pub fn new(group_version: &str, resources: Vec<ApiResource>) -> Self {
        Self {
            kind: "APIResourceList".into(),
            api_version: "v1".into(),
            group_version: group_version.to_owned(),
            resources,
        }
    }
}

/// One resource, or a subresource called `pods/status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiResource {
    /// Plural, as in a path.
    pub name: String,
    /// The singular name for `kubectl`; empty for the kind in lower case.
    pub singular_name: String,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// The group of the kind, if another.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The version of the kind, if another.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The kind of its objects.
    pub kind: String,
    /// The verbs.
    pub verbs: Vec<String>,
    /// Short names for `kubectl`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub short_names: Vec<String>,
    /// Groups it belongs to, such as `all`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}
