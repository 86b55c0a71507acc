//! `Table`: a row of cells an item, as compact JSON, for `kubectl get nodemetrics`.

use super::form::Beside;
use super::{Item, json, metadata};
use crate::duration::write_duration;
use crate::quantity::{write_bytes, write_cpu};
use crate::wire::gojson::write_str;
use crate::wire::meta::MetaVersion;

const COLUMNS: &str = concat!(
    r#"[{"name":"Name","type":"string","format":"name","description":"Name of the resource","priority":0},"#,
    r#"{"name":"cpu","type":"string","format":"quantity","description":"","priority":0},"#,
    r#"{"name":"memory","type":"string","format":"quantity","description":"","priority":0},"#,
    r#"{"name":"Window","type":"string","format":"duration","description":"","priority":0}]"#,
);

/// Appends a table up to its first row. It must have one: see [`empty`].
pub fn head(out: &mut Vec<u8>, version: MetaVersion) {
    begin(out, version);
    out.extend_from_slice(COLUMNS.as_bytes());
    out.extend_from_slice(br#","rows":["#);
}

/// Appends a row: name, CPU, memory, window, and what goes beside them. Rows are parted by commas.
pub fn row(out: &mut Vec<u8>, version: MetaVersion, beside: Beside, item: &impl Item) {
    let total = item.total();
    out.extend_from_slice(br#"{"cells":["#);
    write_str(out, item.meta().name);
    out.extend_from_slice(br#",""#);
    write_cpu(out, total.cpu);
    out.extend_from_slice(br#"",""#);
    write_bytes(out, total.memory);
    out.extend_from_slice(br#"",""#);
    write_duration(out, item.window());
    out.extend_from_slice(br#""],"object":"#);
    match beside {
        Beside::Nothing => out.extend_from_slice(b"null"),
        Beside::Metadata => metadata::write(out, version, item.meta()),
        Beside::Object(version) => json::object(out, version, item),
    }
    out.push(b'}');
}

/// Appends what follows the last row.
pub fn tail(out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}");
}

/// Appends a table of nothing, which has no columns either.
pub fn empty(out: &mut Vec<u8>, version: MetaVersion) {
    begin(out, version);
    out.extend_from_slice(br#"null,"rows":null}"#);
}

fn begin(out: &mut Vec<u8>, version: MetaVersion) {
    json::write_type(out, "Table", version.api_version());
    out.extend_from_slice(br#","metadata":{},"columnDefinitions":"#);
}
