//! `PartialObjectMetadata`: the items' metadata alone, as compact JSON.

use super::item::{Item, write_type};
use crate::wire::meta::MetaVersion;

/// The kind of one.
pub(crate) const OBJECT: &str = "PartialObjectMetadata";
/// The kind of many.
pub(crate) const LIST: &str = "PartialObjectMetadataList";

/// Appends an item's metadata, alone or as one of a list.
pub(super) fn item(out: &mut Vec<u8>, version: MetaVersion, item: &impl Item) {
    write_type(out, OBJECT, version.api_version());
    out.extend_from_slice(br#","metadata":"#);
    item.write_meta(out);
    out.push(b'}');
}
