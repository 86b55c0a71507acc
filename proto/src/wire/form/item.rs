//! The types that describe objects and their forms.

use crate::wire::meta::MetaVersion;

/// A type of objects: its names, and its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The kind of one: `PodMetrics`.
    pub object: &'static str,
    /// The kind of a list: `PodMetricsList`.
    pub list: &'static str,
    /// The columns of its table.
    pub columns: &'static [Column],
}

/// A column of a table.
#[derive(serde::Serialize, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// The heading, which kubectl shows in upper case.
    pub name: &'static str,
    /// Its type, as OpenAPI calls it.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// More about the type: `name` marks the object's name.
    pub format: &'static str,
    /// For a person.
    pub description: &'static str,
    /// 0 for a column that kubectl always shows, 1 for a column of `-o wide`.
    pub priority: u8,
}

impl Column {
    /// A column of texts that kubectl always shows.
    #[must_use]
    pub const fn text(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            kind: "string",
            format: "",
            description,
            priority: 0,
        }
    }

    /// A column of whole numbers that kubectl always shows.
    #[must_use]
    pub const fn integer(name: &'static str, description: &'static str) -> Self {
        Self {
            kind: "integer",
            ..Self::text(name, description)
        }
    }

    /// The same in a format.
    #[must_use]
    pub const fn format(self, format: &'static str) -> Self {
        Self { format, ..self }
    }

    /// The same column, only for `-o wide`.
    #[must_use]
    pub const fn wide(self) -> Self {
        Self {
            priority: 1,
            ..self
        }
    }
}

/// An object in compact JSON.
pub trait Item {
    /// Appends it as it stands alone, as an object of this group and version.
    fn write_alone(&self, out: &mut Vec<u8>, api_version: &str);

    /// Appends it as it stands in a list.
    fn write_listed(&self, out: &mut Vec<u8>);

    /// Appends its metadata's object.
    fn write_meta(&self, out: &mut Vec<u8>);

    /// Appends a cell for each of its kind's columns, parted by commas.
    fn write_cells(&self, out: &mut Vec<u8>);
}

/// The part of an object that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All of it, as of this group and version.
    Whole(&'static str),
    /// Its metadata.
    Metadata(MetaVersion),
    /// A row of a table.
    Table(MetaVersion, Beside),
}

/// The object beside the cells of a table's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// The object's metadata.
    Metadata,
    /// The whole object, as of this group and version.
    Object(&'static str),
}

/// Appends the opening brace, kind and version.
pub fn write_type(out: &mut Vec<u8>, kind: &str, api_version: &str) {
    out.extend_from_slice(br#"{"kind":""#);
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(br#"","apiVersion":""#);
    out.extend_from_slice(api_version.as_bytes());
    out.push(b'"');
}
