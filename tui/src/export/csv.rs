//! Renders rows as comma-separated values (RFC 4180).

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::value::{TIME_COLUMN, name, time, value};
use crate::model::{AnyTable, Field};

const END: &str = "\r\n";

pub(super) fn write(
    fields: &[Field],
    table: &dyn AnyTable,
    rows: &[u32],
    now: Timestamp,
) -> String {
    let names = std::iter::once(TIME_COLUMN).chain(fields.iter().map(|field| name(*field)));
    let mut text = names.collect::<Vec<_>>().join(",") + END;
    for row in rows {
        text.push_str(&time(now));
        for field in fields {
            text.push(',');
            match value(table, *row, *field, now) {
                Value::Null => {}
                Value::String(cell) => write_cell(&mut text, &cell),
                // As a float, so that a whole number has no fraction.
                Value::Number(number) => {
                    text.push_str(&number.as_f64().unwrap_or_default().to_string());
                }
                other => text.push_str(&other.to_string()),
            }
        }
        text.push_str(END);
    }
    text
}

/// Writes a cell, in quotes if it contains a separator or a quote.
fn write_cell(text: &mut String, cell: &str) {
    if cell.contains([',', '"', '\r', '\n']) {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}
