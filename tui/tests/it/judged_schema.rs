//! The JSON Schemas of `check`, `diff` and `describe` in docs/schema are those of the types.

use std::path::PathBuf;

use kubevitals::batch::{check, describe, diff};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The schema of a document: the members of its head, and those of its content.
fn of_document<T: JsonSchema>(kinds: &[&str], title: &str) -> Value {
    let generator = SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = title.into();
    let head = json!({
        "kind": {"enum": kinds},
        "at": {"type": "string", "format": "date-time", "description": "The time of the content."},
        "source": {"enum": ["vitals", "metrics", "none"], "description": "The source of the data."},
    });
    let content = schema["properties"].as_object().unwrap().clone();
    let mut properties: Map<String, Value> = head.as_object().unwrap().clone();
    properties.extend(content);
    schema["properties"] = properties.into();
    let required = schema["required"].as_array().unwrap().iter().cloned();
    let head = ["kind", "at", "source"].map(Value::from);
    schema["required"] = head.into_iter().chain(required).collect();
    schema
}

/// Fails unless a document has exactly the members that the schema in this file of docs/schema requires or allows.
#[track_caller]
pub(crate) fn has_members_of(name: &str, document: &Value) {
    let text = std::fs::read_to_string(path(name)).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let members = document.as_object().unwrap();
    for member in members.keys() {
        assert!(
            schema["properties"].get(member).is_some(),
            "{name}: {member} is not described"
        );
    }
    for required in schema["required"].as_array().unwrap() {
        let required = required.as_str().unwrap();
        assert!(
            members.contains_key(required),
            "{name}: {required} is missing"
        );
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/schema/{name}.json"))
}

#[test]
fn the_schemas_of_check_diff_and_describe_are_those_of_the_types() {
    let descriptions = ["PodDescription", "NodeDescription", "WorkloadDescription"];
    for (name, schema) in [
        (
            "check",
            of_document::<check::Report>(&["Check"], "The output of vitals check -o json"),
        ),
        (
            "diff",
            of_document::<diff::DiffReport>(&["Diff"], "The output of vitals diff -o json"),
        ),
        (
            "describe",
            of_document::<describe::Description>(
                &descriptions,
                "The output of vitals describe -o json",
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
