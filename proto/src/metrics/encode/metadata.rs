//! `PartialObjectMetadata`: the items' metadata alone, as compact JSON.

use super::{Item, MetaRef, json};

/// Appends a list up to its first item. Items are parted by commas, and [`json::list_tail`] ends
/// it.
pub fn list_head(out: &mut Vec<u8>) {
    out.extend_from_slice(
        br#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{},"items":["#,
    );
}

/// Appends an item's metadata, alone or as one of a list.
pub fn item(out: &mut Vec<u8>, item: &impl Item) {
    write(out, item.meta());
}

pub(super) fn write(out: &mut Vec<u8>, meta: &MetaRef<'_>) {
    out.extend_from_slice(
        br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#,
    );
    json::write_meta(out, meta);
    out.push(b'}');
}
