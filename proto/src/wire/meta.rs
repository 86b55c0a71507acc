//! The metadata of objects and lists, with the fields that metrics have.

use crate::labels::Labels;
use crate::time::Timestamp;
use crate::wire::protobuf::{Fields, Malformed};
use serde::{Deserialize, Serialize};

/// The part of `metav1.ObjectMeta` that metrics have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// The object's name.
    pub name: String,
    /// Its namespace; empty for one that is in none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The creation time; of metrics, the time of the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Timestamp>,
    /// Its labels.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

/// `metav1.ListMeta`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// The version of the data the list shows; metrics have none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// The token of the next page, if this is not the last one.
    #[serde(rename = "continue", skip_serializing_if = "String::is_empty")]
    pub continue_token: String,
    /// The number of objects on later pages, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining_item_count: Option<i64>,
}

impl ListMeta {
    /// Decodes the metadata of a protobuf list.
    ///
    /// # Errors
    /// When the bytes are not a message, or a field is of another type.
    pub fn decode(message: &[u8]) -> Result<Self, Malformed> {
        let mut meta = Self::default();
        for field in Fields::new(message) {
            match field? {
                (2, value) => value.str()?.clone_into(&mut meta.resource_version),
                (3, value) => value.str()?.clone_into(&mut meta.continue_token),
                (4, value) => meta.remaining_item_count = Some(value.int()?),
                _ => {}
            }
        }
        Ok(meta)
    }
}

/// A version of `meta.k8s.io`, which has the types that show other objects: tables, metadata alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetaVersion {
    /// `meta.k8s.io/v1`.
    V1,
    /// `meta.k8s.io/v1beta1`, which old clients ask for.
    V1beta1,
}

impl MetaVersion {
    /// The group's name.
    pub const GROUP: &str = "meta.k8s.io";

    /// The version called `v1` or `v1beta1`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "v1" => Some(Self::V1),
            "v1beta1" => Some(Self::V1beta1),
            _ => None,
        }
    }

    /// With the group, as `apiVersion` has it.
    #[must_use]
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::V1 => "meta.k8s.io/v1",
            Self::V1beta1 => "meta.k8s.io/v1beta1",
        }
    }
}
