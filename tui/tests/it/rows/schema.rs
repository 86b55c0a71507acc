//! The schemas of the documents, and the table of columns: both follow from the fields.

use std::fmt::Write as _;

use kubevitals::export::data_name;
use kubevitals::model::row::{GroupRow, Row};
use kubevitals::model::{Field, Unit, View, World};
use serde_json::{Map, Value, json};

use crate::schemas::{compare, compare_file, docs};

/// The kinds of documents, each with the name of its schema.
pub(super) const SCHEMAS: [(&str, &str); 10] = [
    ("pods", "Pods"),
    ("nodes", "Nodes"),
    ("containers", "Containers"),
    ("workloads", "Workloads"),
    ("namespaces", "Namespaces"),
    ("hpas", "HPAs"),
    ("incidents", "Incidents"),
    ("volumes", "Volumes"),
    ("probes", "Probes"),
    ("groups", "PodGroups"),
];

/// The fields of the rows, without sparklines.
fn fields(title: &str) -> Vec<Field> {
    let mut fields = match View::named(title) {
        Some(view) => World::default().table(view).fields(),
        None => GroupRow::fields(),
    };
    fields.retain(|field| !matches!(field, Field::CpuTrend | Field::MemoryTrend));
    fields.sort_by_key(|field| data_name(*field));
    fields
}

/// The names of all columns.
pub(super) fn columns(title: &str) -> Vec<&'static str> {
    fields(title).into_iter().map(Field::name).collect()
}

/// The type of a field in JSON, and its unit.
fn kind(field: Field) -> (Value, &'static str) {
    match field.unit() {
        Unit::Text => (json!("string"), ""),
        Unit::Flag => (json!(["boolean", "null"]), ""),
        Unit::Count => (json!(["integer", "null"]), ""),
        Unit::Cores => (json!(["number", "null"]), "cores"),
        Unit::Bytes => (json!(["integer", "null"]), "bytes"),
        Unit::BytesPerSecond => (json!(["integer", "null"]), "bytes per second"),
        Unit::Percent => (json!(["number", "null"]), "percent"),
        Unit::Duration => (json!(["integer", "null"]), "seconds"),
        Unit::Seconds if field == Field::Age => (json!(["integer", "null"]), "seconds"),
        Unit::Seconds => (json!(["string", "null"]), "RFC 3339"),
    }
}

fn about(field: Field) -> String {
    let about = match (field.unit(), field) {
        (Unit::Seconds, Field::Age) => "Age".to_owned(),
        // In data the time itself stands for the time since then.
        (Unit::Seconds, _) => field
            .about()
            .replace("Time since", "Time of")
            .replace("Age of", "Time of"),
        _ => field.about().to_owned(),
    };
    match kind(field).1 {
        "" => about,
        unit => format!("{about}, in {unit}"),
    }
}

fn schema(name: &str, title: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(
        "at".to_owned(),
        json!({"type": "string", "format": "date-time", "description": "Time of the row"}),
    );
    let mut total = properties.clone();
    for field in fields(title) {
        let (kind, _) = kind(field);
        let property = json!({"type": kind, "description": about(field)});
        properties.insert(data_name(field).to_owned(), property);
        // A sum of texts or times is null.
        let mut kinds = vec![json!("null")];
        match kind {
            Value::Array(all) => kinds.extend(all.into_iter().filter(|kind| kind != "null")),
            kind => kinds.push(kind),
        }
        total.insert(data_name(field).to_owned(), json!({"type": kinds}));
    }
    let kinds = match name {
        "groups" => json!(["PodGroups", "ContainerGroups"]),
        _ => json!([title]),
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("vitals: {title}"),
        "type": "object",
        "required": ["kind", "at", "source", "items"],
        "additionalProperties": false,
        "properties": {
            "kind": {"enum": kinds},
            "at": {"type": "string", "format": "date-time", "description": "Time of the data"},
            "source": {"enum": ["vitals", "metrics", "none"]},
            "by": {"type": "string", "description": "Property by which rows are grouped"},
            "stat": {
                "enum": ["p50", "p90", "p95", "p99", "max"],
                "description": "Statistic that the usage is, with --span",
            },
            "span": {"type": "string", "description": "Span of the statistic or of the availability: 15m0s"},
            "missing": {
                "type": "array", "items": {"type": "string"},
                "description": "What could not be read, with the causes; its values are null",
            },
            "items": {
                "type": "array",
                "items": {
                    "type": "object", "additionalProperties": false,
                    "properties": properties,
                },
            },
            "total": {
                "type": "object", "description": "The sums, with --total",
                "additionalProperties": false, "properties": total,
            },
        },
    })
}

#[test]
fn the_schemas_are_those_of_the_fields() {
    for (name, title) in SCHEMAS {
        compare(name, &schema(name, title));
    }
}

#[test]
fn the_table_of_columns_is_that_of_the_fields() {
    let mut table = "| column | content | tables |\n|---|---|---|\n".to_owned();
    for field in Field::ALL {
        let of =
            |(name, title): &(&'static str, &str)| fields(title).contains(field).then_some(*name);
        let tables: Vec<&str> = SCHEMAS.iter().filter_map(of).collect();
        if tables.is_empty() {
            continue;
        }
        let name = data_name(*field);
        let name = if name == field.name() {
            format!("`{name}`")
        } else {
            format!("`{}`, in data `{name}`", field.name())
        };
        let _ = writeln!(
            table,
            "| {name} | {} | {} |",
            about(*field),
            tables.join(", ")
        );
    }
    let page = docs("commands.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- columns -->\n", "<!-- end of columns -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    compare_file(&page, &format!("{before}{begin}{table}{end}{after}"));
}
