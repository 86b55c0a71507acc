//! Describes objects as `kubectl describe` does, from the objects themselves.

mod containers;
mod events;
mod kinds;
mod parts;
mod writer;
mod yaml;

use serde_json::Value;

pub use self::events::{Events, events};
pub use self::parts::Parts;
pub use self::yaml::yaml;

use self::writer::Writer;
use super::text_line::TextLine;

/// Describes an object.
#[must_use]
pub fn describe(parts: &Parts<'_>) -> Vec<TextLine> {
    let mut writer = Writer::default();
    kinds::write(&mut writer, parts);
    match &parts.events {
        Ok(items) if items.is_empty() => writer.pair(0, "Events", "<none>"),
        Ok(items) => {
            writer.heading(0, "Events");
            writer.lines(events::events(items, parts.now, false));
        }
        Err(why) => writer.pair(0, "Events", &format!("cannot be read: {why}")),
    }
    writer.end()
}

/// The ports of the containers of a pod, or of the pods of a workload: each with its container and its name.
#[must_use]
pub fn ports(object: &Value) -> Vec<(u16, String)> {
    let spec = object
        .pointer("/spec/template/spec")
        .or_else(|| object.pointer("/spec"));
    let containers = spec
        .and_then(|spec| spec.get("containers"))
        .and_then(Value::as_array);
    let mut ports = Vec::new();
    for container in containers.into_iter().flatten() {
        let name = container
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for port in container
            .get("ports")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let number = port.get("containerPort").and_then(Value::as_u64);
            let Some(number) = number.and_then(|number| u16::try_from(number).ok()) else {
                continue;
            };
            let port_name = port.get("name").and_then(Value::as_str).unwrap_or_default();
            ports.push((number, format!("{name} {port_name}").trim_end().to_owned()));
        }
    }
    ports
}

#[cfg(test)]
mod tests;
