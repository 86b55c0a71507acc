//! A view as text for others: a table for people, CSV and JSON for programs, and a name on the clipboard.
//!
//! What programs read is not rounded: CPU in cores, memory and disk in bytes, rates in bytes a second, parts in
//! percent, ages in seconds; what is not known is empty, or null.

mod clipboard;
mod csv;
mod file;
mod json;
mod table;

pub use clipboard::osc52;
pub use file::{file_name, save};

use kubevitals_proto::time::Timestamp;

use crate::model::{Column, ExportAs, Field, Fields, Unit};

/// A view in one of the forms: these columns of these rows, as they were at `now`.
pub fn export<'a, R: Fields + 'a>(
    form: ExportAs,
    columns: &[Column],
    rows: impl Iterator<Item = &'a R>,
    now: Timestamp,
) -> String {
    // What is drawn over time says no more in letters than its last point, which has a column of its own.
    let drawn = |column: &&Column| matches!(column.field, Field::CpuTrend | Field::MemoryTrend);
    let columns: Vec<Column> = columns
        .iter()
        .filter(|column| !drawn(column))
        .copied()
        .collect();
    match form {
        ExportAs::Table => table::write(&columns, rows, now),
        ExportAs::Csv => csv::write(&columns, rows, now),
        ExportAs::Json => json::write(&columns, rows, now),
    }
}

/// What a program is told of a field.
#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Text(std::borrow::Cow<'a, str>),
    Number(f64),
    Flag(bool),
    Unknown,
}

fn value<R: Fields>(row: &R, field: Field, now: Timestamp) -> Value<'_> {
    let number = || row.number(field, now).filter(|number| number.is_finite());
    match field.unit() {
        Unit::Text => row.text(field, now).map_or(Value::Unknown, Value::Text),
        Unit::Flag => number().map_or(Value::Unknown, |flag| Value::Flag(flag != 0.0)),
        Unit::Cores => number().map_or(Value::Unknown, |nanocores| Value::Number(nanocores / 1e9)),
        _ => number().map_or(Value::Unknown, Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Align, Width};
    use std::borrow::Cow;

    struct Pod(&'static str, Option<f64>, bool);

    impl Fields for Pod {
        fn text(&self, field: Field, _: Timestamp) -> Option<Cow<'_, str>> {
            Some(match field {
                Field::Name => self.0.into(),
                Field::Cpu => self
                    .1
                    .map_or("–".into(), |cpu| format!("{}m", cpu / 1e6).into()),
                Field::Ready => if self.2 { "1/1" } else { "0/1" }.into(),
                _ => return None,
            })
        }

        fn number(&self, field: Field, _: Timestamp) -> Option<f64> {
            match field {
                Field::Cpu => self.1,
                Field::Ready => Some(f64::from(u8::from(self.2))),
                _ => None,
            }
        }

        fn words(&self) -> &'static [Field] {
            &[Field::Name]
        }
    }

    fn exported(form: ExportAs) -> String {
        let column = |field, title, align| Column {
            field,
            title,
            width: Width { least: 1, most: 20 },
            priority: 0,
            align,
        };
        let columns = [
            column(Field::Name, "NAME", Align::Left),
            column(Field::Ready, "READY", Align::Left),
            column(Field::Cpu, "CPU", Align::Right),
            column(Field::Node, "NODE", Align::Left),
            column(Field::CpuTrend, "CPU OVER TIME", Align::Left),
        ];
        let rows = [
            Pod("web-1", Some(250e6), true),
            Pod("日本, \"x\"", None, false),
        ];
        export(form, &columns, rows.iter(), Timestamp::default())
    }

    #[test]
    fn a_table_is_as_it_is_shown() {
        assert_eq!(
            exported(ExportAs::Table),
            "NAME        READY    CPU   NODE\n\
             web-1       1/1     250m\n\
             日本, \"x\"   0/1        –\n"
        );
    }

    #[test]
    fn csv_is_quoted_where_it_must_be() {
        assert_eq!(
            exported(ExportAs::Csv),
            "name,ready,cpu,node\r\nweb-1,true,0.25,\r\n\"日本, \"\"x\"\"\",false,,\r\n"
        );
    }

    #[test]
    fn json_has_numbers_and_nulls() {
        let text = exported(ExportAs::Json);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read,
            serde_json::json!([
                {"name": "web-1", "ready": true, "cpu": 0.25, "node": null},
                {"name": "日本, \"x\"", "ready": false, "cpu": null, "node": null},
            ])
        );
    }
}
