//! `Table`: a row of cells an item, as compact JSON, for `kubectl get`.

use super::item::{Beside, Column, Item, write_type};
use super::metadata;
use crate::wire::gojson::write_value;
use crate::wire::meta::MetaVersion;

/// Appends a table up to its first row. It must have one: see [`empty`].
pub(super) fn head(
    out: &mut Vec<u8>,
    version: MetaVersion,
    list_meta: &[u8],
    columns: Option<&[Column]>,
) {
    begin(out, version, list_meta);
    // Columns are texts and numbers: there is nothing that could fail.
    let _written = write_value(out, &columns);
    out.extend_from_slice(br#","rows":["#);
}

/// Appends a row: the cells, and what goes beside them. Rows are parted by commas.
pub(super) fn row(out: &mut Vec<u8>, version: MetaVersion, beside: Beside, item: &impl Item) {
    out.extend_from_slice(br#"{"cells":["#);
    item.write_cells(out);
    out.extend_from_slice(br#"],"object":"#);
    match beside {
        Beside::Nothing => out.extend_from_slice(b"null"),
        Beside::Metadata => metadata::item(out, version, item),
        Beside::Object(api_version) => item.write_alone(out, api_version),
    }
    out.push(b'}');
}

/// Appends a table of nothing, which has no columns either.
pub(super) fn empty(out: &mut Vec<u8>, version: MetaVersion, list_meta: &[u8]) {
    begin(out, version, list_meta);
    out.extend_from_slice(br#"null,"rows":null}"#);
}

fn begin(out: &mut Vec<u8>, version: MetaVersion, list_meta: &[u8]) {
    write_type(out, "Table", version.api_version());
    out.extend_from_slice(br#","metadata":"#);
    out.extend_from_slice(list_meta);
    out.extend_from_slice(br#","columnDefinitions":"#);
}
