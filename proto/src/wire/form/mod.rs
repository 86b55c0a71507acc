//! The forms in which Kubernetes' clients take objects and lists: whole, their metadata alone, or as a table; in JSON
//! or YAML. What has protobuf too adds it by itself.
//!
//! Items are written from borrowed data into a buffer, and a [`List`] item by item, so that it can be sent while it is
//! encoded.

mod item;
mod list;
mod metadata;
mod table;

pub use item::{Beside, Column, Item, Kind, Shape, write_type};
pub use list::List;

use super::meta::MetaVersion;
use super::yaml;

pub(crate) use metadata::{LIST as METADATA_LIST, OBJECT as METADATA_OBJECT};

/// Appends an object that stands alone, as compact JSON. `list_meta` is the JSON of a table's own metadata.
pub fn object_json(
    out: &mut Vec<u8>,
    kind: Kind,
    shape: Shape,
    list_meta: &[u8],
    item: &impl Item,
) {
    match shape {
        Shape::Whole(version) => item.write_alone(out, version),
        Shape::Metadata(version) => metadata::item(out, version, item),
        Shape::Table(version, beside) => {
            table::head(out, version, list_meta, Some(kind.columns));
            table::row(out, version, beside, item);
            out.extend_from_slice(b"]}");
        }
    }
}

/// Appends a table of one object without its columns, which the first table has, as compact JSON: what a
/// watch sends from its second event on.
pub fn row_json(
    out: &mut Vec<u8>,
    version: MetaVersion,
    beside: Beside,
    list_meta: &[u8],
    item: &impl Item,
) {
    table::head(out, version, list_meta, None);
    table::row(out, version, beside, item);
    out.extend_from_slice(b"]}");
}

/// Appends an object that stands alone, as YAML.
pub fn object_yaml(
    out: &mut Vec<u8>,
    kind: Kind,
    shape: Shape,
    list_meta: &[u8],
    item: &impl Item,
) {
    let mut compact = Vec::with_capacity(512);
    object_json(&mut compact, kind, shape, list_meta, item);
    // What was just written is JSON.
    let _parsed = yaml::document(out, &compact);
}
