//! Table answers: the columns kubectl prints, computed on the server as kube-apiserver's printers do.

mod ages;
mod columns;
mod events;
mod hpa;
mod nodes;
mod others;
mod pods;
mod workloads;

use serde_json::{Value, json};

use self::ages::Ages;
use crate::objects::Resource;

/// The column definitions of a resource.
pub(super) fn definitions(resource: Resource) -> Value {
    json!(columns::of(resource))
}

/// The cells of one object's row, as many as there are columns.
pub(super) fn cells(resource: Resource, object: &Value, now: jiff::Timestamp) -> Vec<Value> {
    let ages = Ages::at(now);
    match resource {
        Resource::Pods => pods::cells(object, ages),
        Resource::Nodes => nodes::cells(object, ages),
        Resource::Events => events::cells(object, ages),
        Resource::Deployments => workloads::deployment(object, ages),
        Resource::ReplicaSets => workloads::replica_set(object, ages),
        Resource::StatefulSets => workloads::stateful_set(object, ages),
        Resource::DaemonSets => workloads::daemon_set(object, ages),
        Resource::HorizontalPodAutoscalers => hpa::cells(object, ages),
        Resource::Namespaces => others::namespace(object, ages),
        Resource::ApiServices => others::api_service(object, ages),
        _ => vec![object.name(), ages.of(object)],
    }
}

/// Reading an object's members without ceremony: absent is empty.
trait Members {
    /// The value at a JSON pointer, if it is not null.
    fn at(&self, pointer: &str) -> Option<&Value>;
    /// The string at a JSON pointer, or the empty one.
    fn text(&self, pointer: &str) -> &str;
    /// The string at a JSON pointer, or `otherwise` where it is absent or empty.
    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str;
    /// The integer at a JSON pointer, or 0.
    fn int(&self, pointer: &str) -> i64;
    /// The items of the list at a JSON pointer.
    fn list(&self, pointer: &str) -> &[Value];
    /// The name of the object.
    fn name(&self) -> Value;
}

impl Members for Value {
    fn at(&self, pointer: &str) -> Option<&Value> {
        self.pointer(pointer).filter(|v| !v.is_null())
    }

    fn text(&self, pointer: &str) -> &str {
        self.pointer(pointer)
            .and_then(Self::as_str)
            .unwrap_or_default()
    }

    fn text_or<'a>(&'a self, pointer: &str, otherwise: &'a str) -> &'a str {
        let text = self.text(pointer);
        if text.is_empty() { otherwise } else { text }
    }

    fn int(&self, pointer: &str) -> i64 {
        self.pointer(pointer)
            .and_then(Self::as_i64)
            .unwrap_or_default()
    }

    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer)
            .and_then(Self::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    fn name(&self) -> Value {
        json!(self.text("/metadata/name"))
    }
}

/// Texts joined by commas, or `<none>`.
fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let joined = texts.collect::<Vec<_>>().join(",");
    if joined.is_empty() {
        "<none>".to_owned()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_as_many_cells_as_there_are_columns() {
        for resource in Resource::ALL {
            let cells = cells(
                resource,
                &json!({"metadata": {"name": "a"}}),
                jiff::Timestamp::UNIX_EPOCH,
            );
            assert_eq!(cells.len(), columns::of(resource).len(), "{resource:?}");
        }
    }
}
