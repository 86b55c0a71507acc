//! Lists as `kubectl get` wants them (`Table`), and objects cut down to their metadata.

use super::meta::{ListMeta, ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The group and version of the types here.
pub const API_VERSION: &str = "meta.k8s.io/v1";

/// `metav1.Table`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Table {
    /// `Table`.
    pub kind: String,
    /// [`API_VERSION`].
    pub api_version: String,
    /// About the list.
    pub metadata: ListMeta,
    /// What each cell of a row is; null if there is nothing to show.
    pub column_definitions: Option<Vec<Column>>,
    /// The objects; null if there are none.
    pub rows: Option<Vec<Row>>,
}

impl Table {
    /// A table of `rows`.
    #[must_use]
    pub fn new(columns: Option<Vec<Column>>, rows: Option<Vec<Row>>) -> Self {
        Self {
            kind: "Table".into(),
            api_version: API_VERSION.into(),
            metadata: ListMeta::default(),
            column_definitions: columns,
            rows,
        }
    }
}

/// What one cell of each row is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// The OpenAPI type: `string`, `integer`, …
    #[serde(rename = "type")]
    pub type_: String,
    /// More about the type: `name` marks the object's name.
    pub format: String,
    /// For a person.
    pub description: String,
    /// 0 for the columns shown always, more for those of `-o wide`.
    pub priority: i32,
}

impl Column {
    /// A column that is shown always.
    #[must_use]
    pub fn new(name: &str, type_: &str, format: &str, description: &str) -> Self {
        Self {
            name: name.into(),
            type_: type_.into(),
            format: format.into(),
            description: description.into(),
            priority: 0,
        }
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    /// As many as there are columns.
    pub cells: Vec<Value>,
    /// The object, or its metadata.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub object: Value,
}

/// An object's metadata alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartialObjectMetadata {
    /// `PartialObjectMetadata`.
    pub kind: String,
    /// [`API_VERSION`].
    pub api_version: String,
    /// The metadata.
    pub metadata: ObjectMeta,
}

impl PartialObjectMetadata {
    /// `metadata` alone.
    #[must_use]
    pub fn new(metadata: ObjectMeta) -> Self {
        Self {
            kind: "PartialObjectMetadata".into(),
            api_version: API_VERSION.into(),
            metadata,
        }
    }
}

/// The metadata of many objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PartialObjectMetadataList {
    /// `PartialObjectMetadataList`.
    pub kind: String,
    /// [`API_VERSION`].
    pub api_version: String,
    /// About the list.
    pub metadata: ListMeta,
    /// The objects.
    pub items: Vec<PartialObjectMetadata>,
}

impl PartialObjectMetadataList {
    /// A list of `items`.
    #[must_use]
    pub fn new(items: Vec<PartialObjectMetadata>) -> Self {
        Self {
            kind: "PartialObjectMetadataList".into(),
            api_version: API_VERSION.into(),
            metadata: ListMeta::default(),
            items,
        }
    }
}
