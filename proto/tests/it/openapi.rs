//! OpenAPI: the peer's paths, operations, types and fields, and words of our own.

use crate::metrics::body;
use kubevitals_proto::wire::openapi::{self, Document, Group};
use kubevitals_proto::{custom_metrics, metrics, vitals};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What the peer serves too.
const PEERS: [&Group; 1] = [&metrics::openapi::GROUP];
const ALL: [&Group; 4] = [
    &metrics::openapi::GROUP,
    &vitals::openapi::GROUP,
    &custom_metrics::openapi::CUSTOM,
    &custom_metrics::openapi::EXTERNAL,
];

fn captured(name: &str) -> Value {
    serde_json::from_slice(&body(name)).unwrap()
}

/// Without what is said for people, with parameters where they are referred to, and with v1beta1 alone.
fn structure(document: &Value) -> Value {
    let mut document = document.clone();
    let parameters = document["parameters"].take();
    let members = document.as_object_mut().unwrap();
    members.remove("parameters");
    members.remove("info");
    normal(&document, &parameters)
}

fn normal(value: &Value, parameters: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|path| path.strip_prefix("#/parameters/")) {
                return normal(&parameters[name], parameters);
            }
            let is_schema = |key: &str| key == "metrics.v1" || key.contains("metrics.v1.");
            members
                .iter()
                // A property may be called description too, but then it is no text.
                .filter(|(key, value)| !(*key == "description" && value.is_string()))
                .filter(|(key, _)| !is_schema(key) && !key.starts_with("/apis/metrics.k8s.io/v1/"))
                .map(|(key, value)| (key.clone(), normal(value, parameters)))
                .collect::<Map<_, _>>()
                .into()
        }
        // The order of what is required means nothing.
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let texts: BTreeSet<_> = items.iter().filter_map(Value::as_str).collect();
            texts.into_iter().collect()
        }
        Value::Array(items) => items.iter().map(|item| normal(item, parameters)).collect(),
        other => other.clone(),
    }
}

#[test]
fn both_versions_have_the_peers_structure() {
    let ours = structure(&openapi::v2("v1", &PEERS));
    let theirs = structure(&captured("openapi_v2"));
    for part in ["paths", "definitions"] {
        for (name, theirs) in theirs[part].as_object().unwrap() {
            assert_eq!(ours[part][name], *theirs, "{part} {name}");
        }
    }
    assert_eq!(ours, theirs);

    let documents = openapi::v3("v1", &PEERS);
    let ours = documents
        .iter()
        .find(|document| document.path == "apis/metrics.k8s.io/v1beta1");
    let (ours, theirs) = (
        structure(&ours.unwrap().json),
        structure(&captured("openapi_v3_group")),
    );
    let (schemas, peers) = (
        &ours["components"]["schemas"],
        &theirs["components"]["schemas"],
    );
    for (name, theirs) in peers.as_object().unwrap() {
        assert_eq!(schemas[name], *theirs, "{name}");
    }
    assert_eq!(ours, theirs);
}

#[test]
fn v1_is_v1beta1_under_another_name() {
    let documents = openapi::v3("v1", &ALL);
    let of = |path: &str| {
        let document = documents
            .iter()
            .find(|document| document.path == path)
            .unwrap();
        document.json.to_string()
    };
    let renamed = of("apis/metrics.k8s.io/v1beta1")
        .replace("metrics.v1beta1", "metrics.v1")
        .replace("metrics.k8s.io/v1beta1", "metrics.k8s.io/v1")
        .replace("metrics_v1beta1", "metrics_v1")
        .replace("MetricsV1beta1", "MetricsV1")
        .replace("\"version\":\"v1beta1\"", "\"version\":\"v1\"");
    assert_eq!(of("apis/metrics.k8s.io/v1"), renamed);
}

/// All that is referred to.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.insert(reference.clone());
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_document_has_all_types_that_it_speaks_of_and_no_other() {
    let mut documents = openapi::v3("v1", &ALL);
    assert_eq!(
        documents
            .iter()
            .map(|document| &*document.path)
            .collect::<Vec<_>>(),
        [
            "apis",
            "apis/custom.metrics.k8s.io",
            "apis/custom.metrics.k8s.io/v1beta1",
            "apis/custom.metrics.k8s.io/v1beta2",
            "apis/external.metrics.k8s.io",
            "apis/external.metrics.k8s.io/v1beta1",
            "apis/kubevitals.io",
            "apis/kubevitals.io/v1alpha1",
            "apis/metrics.k8s.io",
            "apis/metrics.k8s.io/v1",
            "apis/metrics.k8s.io/v1beta1",
            "version"
        ]
    );
    let v2 = openapi::v2("v1", &ALL);
    documents.push(Document {
        path: "v2".to_owned(),
        json: v2,
    });
    for document in documents {
        let mut referred = BTreeSet::new();
        references(&document.json, &mut referred);
        let (place, types) = match document.json.pointer("/components/schemas") {
            Some(types) => ("components/schemas", types),
            None => ("definitions", &document.json["definitions"]),
        };
        let types = types.as_object().unwrap();
        let known: BTreeSet<_> = types
            .keys()
            .map(|name| format!("#/{place}/{name}"))
            .collect();
        assert_eq!(referred, known, "{}", document.path);
        for (name, described) in types {
            assert!(
                !described["description"].as_str().unwrap().is_empty(),
                "{name}"
            );
        }
    }
}

/// The paths of metrics whose names are not known beforehand, with their parameters.
#[test]
fn a_metric_is_a_parameter() {
    let documents = openapi::v3("v1", &ALL);
    let paths = |path: &str| {
        let document = documents.iter().find(|document| document.path == path);
        let paths = document.unwrap().json["paths"].as_object().unwrap();
        let names = |path: &Value| {
            let parameters = path["parameters"].as_array().into_iter().flatten();
            let names = parameters.map(|it| it["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        };
        let said = paths
            .iter()
            .map(|(path, said)| format!("{path}: {}", names(said)));
        said.skip(1).collect::<Vec<_>>()
    };
    assert_eq!(
        paths("apis/custom.metrics.k8s.io/v1beta2"),
        [
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/metrics/{metric}: metric metricLabelSelector namespace pretty",
            "/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}/{resource}/{name}/{metric}: labelSelector metric metricLabelSelector name namespace pretty resource",
            "/apis/custom.metrics.k8s.io/v1beta2/{resource}/{name}/{metric}: labelSelector metric metricLabelSelector name pretty resource",
        ]
    );
    assert_eq!(
        paths("apis/external.metrics.k8s.io/v1beta1"),
        [
            "/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{metric}: labelSelector metric namespace pretty"
        ]
    );
}

/// Every schema of all groups with its descriptions: a change of a type or of a doc comment shows here.
#[test]
fn the_schemas_are_as_recorded() {
    let documents = openapi::v3("v1", &ALL);
    for (path, name) in [
        ("apis/kubevitals.io/v1alpha1", "openapi_kubevitals"),
        ("apis/metrics.k8s.io/v1", "openapi_metrics"),
        (
            "apis/custom.metrics.k8s.io/v1beta1",
            "openapi_custom_v1beta1",
        ),
        (
            "apis/custom.metrics.k8s.io/v1beta2",
            "openapi_custom_v1beta2",
        ),
        ("apis/external.metrics.k8s.io/v1beta1", "openapi_external"),
    ] {
        let document = documents.iter().find(|document| document.path == path);
        let mut schemas = document.unwrap().json["components"]["schemas"].clone();
        schemas.sort_all_objects();
        insta::assert_snapshot!(name, serde_json::to_string_pretty(&schemas).unwrap());
    }
}
