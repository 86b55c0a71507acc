//! Namespaces and APIServices.

use serde_json::{Value, json};

use super::ages::Ages;
use crate::members::Members;

pub(super) fn namespace(object: &Value, ages: Ages) -> Vec<Value> {
    let phase = object.text_or("/status/phase", "Active");
    vec![object.name(), json!(phase), ages.of(object)]
}

pub(super) fn api_service(object: &Value, ages: Ages) -> Vec<Value> {
    let service = match object.at("/spec/service") {
        Some(service) => format!("{}/{}", service.text("/namespace"), service.text("/name")),
        None => "Local".to_owned(),
    };
    let mut conditions = object.list("/status/conditions").iter();
    let available = match conditions.find(|c| c.text("/type") == "Available") {
        None => "Unknown".to_owned(),
        Some(c) if c.text("/status") == "False" => format!("False ({})", c.text("/reason")),
        Some(c) => c.text("/status").to_owned(),
    };
    vec![
        object.name(),
        json!(service),
        json!(available),
        ages.of(object),
    ]
}
