//! Renders rows as a JSON list, with one object for each row.

use kubevitals_proto::time::Timestamp;
use serde_json::Value;

use super::value::{TIME_COLUMN, name, time, value};
use crate::model::{AnyTable, Field};

pub(super) fn write(
    fields: &[Field],
    table: &dyn AnyTable,
    rows: &[u32],
    now: Timestamp,
) -> String {
    let object = |row: &u32| {
        let at = (TIME_COLUMN.to_owned(), time(now).into());
        let members = fields
            .iter()
            .map(|field| (name(*field).to_owned(), value(table, *row, *field, now)));
        std::iter::once(at).chain(members).collect::<Value>()
    };
    let objects = rows.iter().map(object).collect::<Value>();
    format!("{objects:#}\n")
}
