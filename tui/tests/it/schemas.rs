//! The JSON Schemas in docs/schema: those of `history`, `rightsize`, `check`, `diff` and `describe` follow from types, and
//! documents fit them. Those of tables are in `rows/schema.rs`.

use std::path::{Path, PathBuf};

use kubevitals::batch::{check, describe, diff, history, rightsize};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Set this variable to write the files.
const UPDATE: &str = "UPDATE_SCHEMAS";

/// A file of the documentation.
pub(crate) fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(file)
}

fn path(name: &str) -> PathBuf {
    docs(&format!("schema/{name}.json"))
}

/// Compares a text with a file, or writes the file.
#[track_caller]
pub(crate) fn compare_file(path: &Path, text: &str) {
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, text).unwrap();
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        there == text,
        "{} is not up to date: run this test with {UPDATE}=1",
        path.display()
    );
}

/// Compares a schema with its file.
#[track_caller]
pub(crate) fn compare(name: &str, schema: &Value) {
    compare_file(&path(name), &format!("{schema:#}\n"));
}

/// Fails unless a document fits the schema of this name.
#[track_caller]
pub(crate) fn fits(name: &str, document: &Value) {
    let schema: Value = serde_json::from_slice(&std::fs::read(path(name)).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
}

/// The schema of a document: the members of its head, and those of its content.
fn of_document<T: JsonSchema>(kinds: &[&str], sources: &[&str], title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.to_value();
    schema["title"] = title.into();
    let head = json!({
        "kind": {"enum": kinds},
        "at": {"type": "string", "format": "date-time", "description": "The time of the content."},
        "source": {"enum": sources, "description": "The source of the data."},
    });
    let mut properties: Map<String, Value> = head.as_object().unwrap().clone();
    properties.extend(schema["properties"].as_object().unwrap().clone());
    schema["properties"] = properties.into();
    let required = schema["required"].as_array().unwrap().iter().cloned();
    let head = ["kind", "at", "source"].map(Value::from);
    schema["required"] = head.into_iter().chain(required).collect();
    close(&mut schema);
    schema
}

/// Allows no members of objects except those that are described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object)
                && members.contains_key("type")
            {
                members.insert("additionalProperties".to_owned(), false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[test]
fn the_schemas_are_those_of_the_types() {
    let (vitals, all): (&[&str], &[&str]) = (&["vitals"], &["vitals", "metrics", "none"]);
    let descriptions = ["PodDescription", "NodeDescription", "WorkloadDescription"];
    for (name, schema) in [
        (
            "history",
            of_document::<history::Content>(
                &["History"],
                vitals,
                "The output of vitals history -o json",
            ),
        ),
        (
            "rightsize",
            of_document::<rightsize::report::Content>(
                &["Rightsize"],
                vitals,
                "The output of vitals rightsize -o json",
            ),
        ),
        (
            "check",
            of_document::<check::Report>(&["Check"], all, "The output of vitals check -o json"),
        ),
        (
            "diff",
            of_document::<diff::DiffReport>(&["Diff"], all, "The output of vitals diff -o json"),
        ),
        (
            "describe",
            of_document::<describe::Description>(
                &descriptions,
                all,
                "The output of vitals describe -o json",
            ),
        ),
    ] {
        compare(name, &schema);
    }
}
