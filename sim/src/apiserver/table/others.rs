//! Resources with little to show.

use serde_json::{Value, json};

use super::ages::Ages;
use super::{Members, joined, workloads};

pub(super) fn namespace(object: &Value, ages: Ages) -> Vec<Value> {
    vec![
        object.name(),
        json!(object.text_or("/status/phase", "Active")),
        ages.of(object),
    ]
}

pub(super) fn config_map(object: &Value, ages: Ages) -> Vec<Value> {
    let entries = entries(object, "/data") + entries(object, "/binaryData");
    vec![object.name(), json!(entries.to_string()), ages.of(object)]
}

pub(super) fn secret(object: &Value, ages: Ages) -> Vec<Value> {
    let entries = entries(object, "/data").to_string();
    vec![
        object.name(),
        json!(object.text_or("/type", "Opaque")),
        json!(entries),
        ages.of(object),
    ]
}

pub(super) fn service_account(object: &Value, ages: Ages) -> Vec<Value> {
    vec![
        object.name(),
        json!(object.list("/secrets").len().to_string()),
        ages.of(object),
    ]
}

pub(super) fn lease(object: &Value, ages: Ages) -> Vec<Value> {
    vec![
        object.name(),
        json!(object.text("/spec/holderIdentity")),
        ages.of(object),
    ]
}

pub(super) fn job(object: &Value, ages: Ages) -> Vec<Value> {
    let holds = |kind: &str| {
        object
            .list("/status/conditions")
            .iter()
            .any(|c| c.text("/type") == kind && c.text("/status") == "True")
    };
    let status = ["Complete", "Failed", "Suspended"]
        .into_iter()
        .find(|kind| holds(kind))
        .unwrap_or("Running");
    let of = object.int("/spec/completions").max(1);
    vec![
        object.name(),
        json!(status),
        json!(format!("{}/{of}", object.int("/status/succeeded"))),
        ages.of(object),
    ]
}

pub(super) fn service(object: &Value, ages: Ages) -> Vec<Value> {
    let port = |p: &Value| {
        let node_port = p
            .at("/nodePort")
            .map(|n| format!(":{n}"))
            .unwrap_or_default();
        format!(
            "{}{node_port}/{}",
            p.int("/port"),
            p.text_or("/protocol", "TCP")
        )
    };
    let ports: Vec<String> = object.list("/spec/ports").iter().map(port).collect();
    vec![
        object.name(),
        json!(object.text_or("/spec/type", "ClusterIP")),
        json!(object.text_or("/spec/clusterIP", "<none>")),
        json!(joined(
            object
                .list("/spec/externalIPs")
                .iter()
                .filter_map(Value::as_str)
        )),
        json!(joined(ports.iter().map(String::as_str))),
        ages.of(object),
        json!(workloads::labels(object.at("/spec/selector"))),
    ]
}

pub(super) fn endpoint_slice(object: &Value, ages: Ages) -> Vec<Value> {
    let ports: Vec<String> = object
        .list("/ports")
        .iter()
        .map(|p| p.int("/port").to_string())
        .collect();
    let addresses = object
        .list("/endpoints")
        .iter()
        .flat_map(|e| e.list("/addresses"))
        .filter_map(Value::as_str);
    vec![
        object.name(),
        json!(object.text("/addressType")),
        json!(joined(ports.iter().map(String::as_str))),
        json!(joined(addresses)),
        ages.of(object),
    ]
}

pub(super) fn api_service(object: &Value, ages: Ages) -> Vec<Value> {
    let service = match object.at("/spec/service") {
        Some(service) => format!("{}/{}", service.text("/namespace"), service.text("/name")),
        None => "Local".to_owned(),
    };
    let condition = object
        .list("/status/conditions")
        .iter()
        .find(|c| c.text("/type") == "Available");
    let available = match condition.map(|c| (c.text("/status"), c.text("/reason"))) {
        None => "Unknown".to_owned(),
        Some(("False", reason)) => format!("False ({reason})"),
        Some((status, _)) => status.to_owned(),
    };
    vec![
        object.name(),
        json!(service),
        json!(available),
        ages.of(object),
    ]
}

fn entries(object: &Value, member: &str) -> usize {
    object
        .at(member)
        .and_then(Value::as_object)
        .map_or(0, serde_json::Map::len)
}
