//! The JSON Schemas of `history` and `rightsize` in docs/schema: they are those of the types, and documents match them.

use std::path::PathBuf;

use kubevitals::batch::{history, rightsize};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a document: the members of its head, and those of its content.
fn of_document<T: JsonSchema>(kind: &str, title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    let content = schema["properties"].as_object().unwrap();
    let mut properties = Map::new();
    properties.insert("kind".to_owned(), json!({"const": kind}));
    properties.insert(
        "at".to_owned(),
        json!({"type": "string", "format": "date-time", "description": "The time of the content."}),
    );
    properties.insert(
        "source".to_owned(),
        json!({"type": "string", "description": "The source of the data: vitals."}),
    );
    properties.extend(content.clone());
    schema["properties"] = properties.into();
    let required = schema["required"].as_array().unwrap().iter();
    let required = ["kind", "at", "source"]
        .map(Value::from)
        .into_iter()
        .chain(required.cloned());
    schema["required"] = required.collect();
    schema
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schema/{name}.json"))
}

/// Fails unless a document matches the schema in this file of docs/schema.
#[track_caller]
pub(crate) fn check(name: &str, document: &Value) {
    let text = std::fs::read_to_string(path(name)).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    matches(&schema, &schema, document, name)
        .unwrap_or_else(|wrong| panic!("{wrong}\n{document:#}"));
}

/// Checks a value against the part of JSON Schema that these schemas use.
fn matches(root: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let part = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        return matches(root, part, value, place);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let all: Vec<_> = any
            .iter()
            .map(|part| matches(root, part, value, place))
            .collect();
        return all
            .iter()
            .find(|it| it.is_ok())
            .or(all.first())
            .cloned()
            .unwrap();
    }
    if let Some(constant) = schema.get("const") {
        return (constant == value)
            .then_some(())
            .ok_or(format!("{place} is not {constant}"));
    }
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let is = |kind: &Value| kind == name || (kind == "number" && name == "integer");
    let kinds = &schema["type"];
    if !kinds
        .as_array()
        .map_or(is(kinds), |kinds| kinds.iter().any(is))
    {
        return Err(format!("{place} is {name}, not {kinds}"));
    }
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        matches(root, &schema["items"], item, &format!("{place}[{at}]"))?;
    }
    if let Some(members) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten() {
            if !members.contains_key(required.as_str().unwrap()) {
                return Err(format!("{place} lacks {required}"));
            }
        }
        for (key, member) in members {
            let place = format!("{place}.{key}");
            let part = schema["properties"]
                .get(key)
                .ok_or(format!("{place} is not described"))?;
            matches(root, part, member, &place)?;
        }
    }
    Ok(())
}

#[test]
fn the_schemas_are_those_of_the_types() {
    for (name, schema) in [
        (
            "history",
            of_document::<history::Content>("History", "The output of vitals history -o json"),
        ),
        (
            "rightsize",
            of_document::<rightsize::report::Content>(
                "Rightsize",
                "The output of vitals rightsize -o json",
            ),
        ),
    ] {
        let text = format!("{schema:#}\n");
        if std::env::var_os("SCHEMA_UPDATE").is_some() {
            std::fs::write(path(name), &text).unwrap();
        }
        let written = std::fs::read_to_string(path(name)).unwrap_or_default();
        assert!(
            written == text,
            "docs/schema/{name}.json is not the schema of the type: run this test with SCHEMA_UPDATE=1"
        );
    }
}

#[test]
fn a_document_that_does_not_match_is_found() {
    let schema = json!({"type": "object", "required": ["a"], "properties": {
        "a": {"type": ["number", "null"]}, "b": {"type": "array", "items": {"anyOf": [{"const": 1}, {"type": "null"}]}}}});
    for (value, is_valid) in [
        (json!({"a": 1}), true),
        (json!({"a": null, "b": [1, null]}), true),
        (json!({}), false),
        (json!({"a": "1"}), false),
        (json!({"a": 1, "b": [2]}), false),
        (json!({"a": 1, "c": 1}), false),
    ] {
        assert_eq!(
            matches(&schema, &schema, &value, "it").is_ok(),
            is_valid,
            "{value}"
        );
    }
}
