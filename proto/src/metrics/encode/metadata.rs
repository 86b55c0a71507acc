//! `PartialObjectMetadata` in protobuf: the items' metadata alone.

use super::{Item, protobuf};
use crate::wire::form::{METADATA_LIST as LIST, METADATA_OBJECT as OBJECT};
use crate::wire::meta::MetaVersion;
use crate::wire::protobuf::{field_len, head};

/// The field of a list in which its items are; the other one of 1 and 2 has the list's metadata.
const fn items_field(version: MetaVersion) -> u8 {
    match version {
        MetaVersion::V1 => 2,
        MetaVersion::V1beta1 => 1,
    }
}

/// Appends a list in protobuf up to its first item.
pub(super) fn list_head_protobuf(out: &mut Vec<u8>, version: MetaVersion, items_len: usize) {
    let meta = protobuf::list_meta(1);
    protobuf::envelope_head(out, LIST, version.api_version(), meta.len() + items_len);
    if version == MetaVersion::V1 {
        out.extend_from_slice(&meta);
    }
}

/// How many bytes [`item_protobuf`] appends.
pub(super) fn item_len_protobuf(item: &impl Item) -> usize {
    field_len(field_len(protobuf::meta_len(item.meta())))
}

/// Appends an item of a list in protobuf, without a kind.
pub(super) fn item_protobuf(out: &mut Vec<u8>, version: MetaVersion, item: &impl Item) {
    let len = protobuf::meta_len(item.meta());
    head(out, items_field(version), field_len(len));
    head(out, 1, len);
    protobuf::write_meta(out, item.meta());
}

/// Appends what follows the last item of a list in protobuf.
pub(super) fn list_tail_protobuf(out: &mut Vec<u8>, version: MetaVersion) {
    // Fields go by their numbers, so what v1 begins with v1beta1 ends with.
    if version == MetaVersion::V1beta1 {
        out.extend_from_slice(&protobuf::list_meta(2));
    }
    protobuf::list_tail(out);
}

/// How many bytes a whole list in protobuf has.
pub(super) fn list_len_protobuf(version: MetaVersion, items_len: usize) -> usize {
    let raw = protobuf::list_meta(1).len() + items_len;
    protobuf::envelope_len(LIST, version.api_version(), raw)
}

/// Appends an item's metadata in protobuf, in its envelope.
pub(super) fn object_protobuf(out: &mut Vec<u8>, version: MetaVersion, item: &impl Item) {
    let len = protobuf::meta_len(item.meta());
    protobuf::envelope_head(out, OBJECT, version.api_version(), field_len(len));
    head(out, 1, len);
    protobuf::write_meta(out, item.meta());
    protobuf::list_tail(out);
}
