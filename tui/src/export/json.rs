//! A list of objects, one a row.

use kubevitals_proto::time::Timestamp;
use serde_json::{Map, Number, Value as Json};

use super::{Value, value};
use crate::model::{Column, Fields};

pub(super) fn write<'a, R: Fields + 'a>(
    columns: &[Column],
    rows: impl Iterator<Item = &'a R>,
    now: Timestamp,
) -> String {
    let object = |row: &R| {
        let members = columns.iter().map(|column| {
            let field = column.field;
            (field.name().to_owned(), json(value(row, field, now)))
        });
        Json::Object(members.collect::<Map<_, _>>())
    };
    let rows = Json::Array(rows.map(object).collect());
    format!("{rows:#}\n")
}

fn json(value: Value<'_>) -> Json {
    match value {
        Value::Text(text) => Json::String(text.into_owned()),
        Value::Flag(flag) => Json::Bool(flag),
        Value::Number(number) => Number::from_f64(number).map_or(Json::Null, Json::Number),
        Value::Unknown => Json::Null,
    }
}
