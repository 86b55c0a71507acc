//! Every member of what is served is described, and nothing else is.

use kubevitals_proto::vitals::openapi::GROUP;
use kubevitals_proto::wire::openapi;
use serde::Serialize;
use serde_json::Value;

use super::whole;

/// The schemas of the group's document.
fn schemas() -> Value {
    let documents = openapi::v3("v1", &[&GROUP]);
    let document = documents
        .into_iter()
        .find(|document| document.path == "apis/kubevitals.io/v1alpha1");
    document.unwrap().json["components"]["schemas"].clone()
}

/// The schema that a member's description refers to, or itself.
fn resolved<'a>(schemas: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema["$ref"]
        .as_str()
        .or_else(|| schema["allOf"][0]["$ref"].as_str());
    match reference {
        Some(path) => &schemas[path.strip_prefix("#/components/schemas/").unwrap()],
        None => schema,
    }
}

/// Walks a value beside its schema.
fn compare(schemas: &Value, schema: &Value, value: &Value, place: &str) {
    if value.is_null() {
        return assert_eq!(schema["nullable"], true, "{place}");
    }
    let schema = resolved(schemas, schema);
    match value {
        Value::Object(members) if schema["additionalProperties"].is_object() => {
            for (key, value) in members {
                let of = &schema["additionalProperties"];
                compare(schemas, of, value, &format!("{place}.{key}"));
            }
        }
        Value::Object(members) => {
            let described = schema["properties"]
                .as_object()
                .unwrap_or_else(|| panic!("{place} is an object, and described as {schema}"));
            for (key, value) in members {
                let of = described
                    .get(key)
                    .unwrap_or_else(|| panic!("{place}.{key} is not described"));
                compare(schemas, of, value, &format!("{place}.{key}"));
            }
            // Metadata and what it holds are Kubernetes' own, and have more than is used here.
            let ours: Vec<&String> = described
                .keys()
                .filter(|key| !place.contains(".metadata") && !members.contains_key(*key))
                .collect();
            assert!(ours.is_empty(), "{place} never has {ours:?}");
        }
        Value::Array(items) => {
            assert_eq!(schema["type"], "array", "{place}");
            for item in items {
                compare(schemas, &schema["items"], item, &format!("{place}[]"));
            }
        }
        Value::Null => unreachable!("{place}"),
        Value::String(text) => {
            let is_text = schema["type"] == "string" || schema["oneOf"][0]["type"] == "string";
            assert!(is_text, "{place}");
            if let Some(words) = schema["enum"].as_array() {
                assert!(words.iter().any(|word| word == text), "{place}: {text}");
            }
        }
        Value::Number(number) => {
            let expected = if number.is_f64() { "number" } else { "integer" };
            assert_eq!(schema["type"], expected, "{place}");
        }
        Value::Bool(_) => assert_eq!(schema["type"], "boolean", "{place}"),
    }
}

#[track_caller]
fn is_described(value: &impl Serialize) {
    let value = serde_json::to_value(value).unwrap();
    let (schemas, kind) = (schemas(), value["kind"].as_str().unwrap().to_owned());
    let schema = &schemas[format!("io.kubevitals.v1alpha1.{kind}")];
    compare(&schemas, schema, &value, &kind);
}

#[test]
fn every_member_is_described_and_nothing_else() {
    is_described(&whole::pod());
    is_described(&whole::node());
    is_described(&whole::cluster());
    is_described(&whole::volume());
    is_described(&whole::incident());
    is_described(&whole::history());
    is_described(&whole::own_metrics());
}

#[test]
fn members_are_described_in_order_and_in_words() {
    for (name, schema) in schemas().as_object().unwrap() {
        let Some(properties) = schema["properties"].as_object() else {
            continue;
        };
        assert!(properties.keys().is_sorted(), "{name}");
        for (key, member) in properties {
            let said = member["description"].as_str().unwrap_or_default();
            assert!(
                said.ends_with('.') || said.ends_with('…'),
                "{name}.{key}: {said:?}"
            );
        }
    }
}
