//! The values of fields for programs, and their names.

use kubevitals_proto::time::Timestamp;

use super::records::Datum;
use crate::model::row::Value;
use crate::model::{AnyTable, Column, Field, Unit};

/// The name of the first column in CSV and JSON: the time of the row.
pub(super) const TIME_COLUMN: &str = "at";

/// Returns the fields of CSV and JSON for these columns.
pub(super) fn fields(columns: &[Column], table: &dyn AnyTable) -> Vec<Field> {
    let with = |column: &Column| {
        let field = column.field;
        std::iter::once(field).chain(table.exported_with(field).iter().copied())
    };
    let is_time = |column: &Column| column.field == Field::Measured;
    let time_column = table.columns().into_iter().find(is_time);
    let mut fields: Vec<Field> = Vec::new();
    let with = columns.iter().flat_map(with);
    for field in with.chain(time_column.map(|column| column.field)) {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

/// Returns the name of a field in CSV, TSV, JSON and YAML.
pub const fn name(field: Field) -> &'static str {
    match field {
        Field::LastRestartAge => "last-restart-time",
        field => field.name(),
    }
}

/// Converts the value of a field; null if it is unknown.
pub(super) fn datum(value: Value<'_>, field: Field, now: Timestamp) -> Datum<'_> {
    let number = value.number(now).filter(|number| number.is_finite());
    match field.unit() {
        Unit::Text => value.text(now).into(),
        Unit::Flag => number.map(|flag| flag != 0.0).into(),
        Unit::Cores => number.map(|nanocores| nanocores / 1e9).into(),
        Unit::Percent => number.into(),
        Unit::Seconds if field != Field::Age => value.time().map(time).into(),
        Unit::Count | Unit::Bytes | Unit::BytesPerSecond | Unit::Seconds | Unit::Duration => {
            number.map(whole).into()
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float is clamped when it is cast"
)]
fn whole(number: f64) -> i64 {
    number as i64
}

/// Renders a time in RFC 3339, to the second.
pub(super) fn time(time: Timestamp) -> String {
    time.to_rfc3339_seconds()
}
