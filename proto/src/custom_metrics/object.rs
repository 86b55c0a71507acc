//! The object that a metric describes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::protobuf::string;

/// `core/v1.ObjectReference`, with the members that metrics have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectReference {
    /// The object's kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its namespace; empty for one that is in none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its group and version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
}

impl ObjectReference {
    /// Appends the message, with `uid`, `resourceVersion` and `fieldPath` empty.
    pub(super) fn write_protobuf(&self, out: &mut Vec<u8>) {
        string(out, 1, &self.kind);
        string(out, 2, &self.namespace);
        string(out, 3, &self.name);
        string(out, 4, "");
        string(out, 5, &self.api_version);
        string(out, 6, "");
        string(out, 7, "");
    }
}
