//! Renders rows as a JSON list, with one object for each row.

use kubevitals_proto::time::Timestamp;
use serde_json::{Map, Number, Value as Json};

use super::value::{TIME_COLUMN, Value, name, time, value};
use crate::model::{AnyTable, Field};

pub(super) fn write(
    fields: &[Field],
    table: &dyn AnyTable,
    rows: &[u32],
    now: Timestamp,
) -> String {
    let object = |row: &u32| {
        let at = (TIME_COLUMN.to_owned(), Json::String(time(now)));
        let members = fields.iter().map(|field| {
            (
                name(*field).to_owned(),
                json(value(table, *row, *field, now)),
            )
        });
        Json::Object(std::iter::once(at).chain(members).collect::<Map<_, _>>())
    };
    let objects = Json::Array(rows.iter().map(object).collect());
    format!("{objects:#}\n")
}

fn json(value: Value<'_>) -> Json {
    match value {
        Value::Text(text) => Json::String(text.into_owned()),
        Value::Flag(flag) => Json::Bool(flag),
        Value::Number(number) => Number::from_f64(number).map_or(Json::Null, Json::Number),
        Value::Integer(number) => Json::Number(number.into()),
        Value::Time(at) => Json::String(time(at)),
        Value::Unknown => Json::Null,
    }
}
