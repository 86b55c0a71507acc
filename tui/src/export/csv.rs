//! Comma-separated values, by RFC 4180.

use kubevitals_proto::time::Timestamp;

use super::{Value, value};
use crate::model::{Column, Fields};

const END: &str = "\r\n";

pub(super) fn write<'a, R: Fields + 'a>(
    columns: &[Column],
    rows: impl Iterator<Item = &'a R>,
    now: Timestamp,
) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.field.name()).collect();
    let mut text = names.join(",") + END;
    for row in rows {
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            match value(row, column.field, now) {
                Value::Text(cell) => cell_into(&mut text, &cell),
                Value::Number(number) => text.push_str(&number.to_string()),
                Value::Flag(flag) => text.push_str(if flag { "true" } else { "false" }),
                Value::Unknown => {}
            }
        }
        text.push_str(END);
    }
    text
}

/// In quotes, if it has what would end it.
fn cell_into(text: &mut String, cell: &str) {
    if cell.contains([',', '"', '\r', '\n']) {
        text.push('"');
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(cell);
    }
}
