//! `Table`: a row of cells an item, as compact JSON, for `kubectl get`.

use super::{Beside, Column, Item, metadata, write_type};
use crate::wire::gojson::write_str;
use crate::wire::meta::MetaVersion;

/// Appends a table up to its first row. It must have one: see [`empty`].
pub(super) fn head(
    out: &mut Vec<u8>,
    version: MetaVersion,
    list_meta: &[u8],
    columns: Option<&[Column]>,
) {
    begin(out, version, list_meta);
    match columns {
        Some(columns) => write_columns(out, columns),
        None => out.extend_from_slice(b"null"),
    }
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

fn write_columns(out: &mut Vec<u8>, columns: &[Column]) {
    for (at, column) in columns.iter().enumerate() {
        out.extend_from_slice(if at == 0 {
            br#"[{"name":"#
        } else {
            br#",{"name":"#
        });
        write_str(out, column.name);
        out.extend_from_slice(br#","type":"#);
        write_str(out, column.kind);
        out.extend_from_slice(br#","format":"#);
        write_str(out, column.format);
        out.extend_from_slice(br#","description":"#);
        write_str(out, column.description);
        out.extend_from_slice(br#","priority":"#);
        out.extend_from_slice(column.priority.to_string().as_bytes());
        out.push(b'}');
    }
    out.push(b']');
}
