//! The values of CSV and JSON, and their names.

use std::borrow::Cow;

use kubevitals_proto::time::Timestamp;

use crate::model::{AnyTable, Column, Field, Unit};

/// The name of the first column in CSV and JSON: the time of the row.
pub(super) const TIME_COLUMN: &str = "at";

/// Returns the fields of CSV and JSON for these columns.
pub(super) fn fields(columns: &[Column], table: &dyn AnyTable) -> Vec<Field> {
    let with = |column: &Column| {
        let field = column.field;
        std::iter::once(field).chain(table.exported_with(field).iter().copied())
    };
    let is_measured = |column: &Column| column.field == Field::Measured;
    let measured = table.columns().into_iter().find(is_measured);
    let mut fields: Vec<Field> = Vec::new();
    for field in columns
        .iter()
        .flat_map(with)
        .chain(measured.map(|column| column.field))
    {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    fields
}

/// Returns the name of a field in CSV and JSON.
pub(super) const fn name(field: Field) -> &'static str {
    match field {
        Field::LastRestartAge => "last-restart-time",
        field => field.name(),
    }
}

/// The value of a field in CSV and JSON.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Text(Cow<'a, str>),
    Number(f64),
    Integer(u64),
    Time(Timestamp),
    Flag(bool),
    Unknown,
}

/// Returns the value of a field of a row.
pub(super) fn value(table: &dyn AnyTable, at: u32, field: Field, now: Timestamp) -> Value<'_> {
    let Some(value) = table.value(at, field) else {
        return Value::Unknown;
    };
    let number = value.number(now).filter(|number| number.is_finite());
    let from_number = |value: fn(f64) -> Value<'static>| number.map_or(Value::Unknown, value);
    match field.unit() {
        Unit::Text => Value::Text(value.text(now)),
        Unit::Flag => from_number(|flag| Value::Flag(flag != 0.0)),
        Unit::Cores => from_number(|nanocores| Value::Number(nanocores / 1e9)),
        Unit::Percent => from_number(Value::Number),
        Unit::Seconds if field != Field::Age => value.time().map_or(Value::Unknown, Value::Time),
        Unit::Count | Unit::Bytes | Unit::BytesPerSecond | Unit::Seconds => from_number(whole),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float is clamped when it is cast, and none of these is negative"
)]
fn whole(number: f64) -> Value<'static> {
    Value::Integer(number as u64)
}

/// Renders a time in RFC 3339, to the second.
pub(super) fn time(time: Timestamp) -> String {
    time.to_rfc3339_seconds()
}
