//! Objects and lists in the shape that was asked for.

use serde_json::{Value, json};

use super::super::negotiation::Shape;
use super::super::request::Query;
use super::super::table;
use crate::objects::{Object, Resource};

/// What a table's rows carry of their object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// Writes objects of one resource in one shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Renderer {
    resource: Resource,
    shape: Shape,
    include: Include,
    now: jiff::Timestamp,
}

impl Renderer {
    /// `now` is what ages are counted from.
    pub(super) fn new(
        resource: Resource,
        shape: Shape,
        query: &Query,
        now: jiff::Timestamp,
    ) -> Self {
        let include = match query.get("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Self {
            resource,
            shape,
            include,
            now,
        }
    }

    pub(super) fn resource(&self) -> Resource {
        self.resource
    }

    /// Whether objects are written as they are stored.
    pub(super) fn is_whole(&self) -> bool {
        self.shape == Shape::Whole
    }

    /// The same at another time: watches outlive the moment they begin.
    pub(super) fn at(self, now: jiff::Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Kind and apiVersion of a list.
    fn list_type(&self) -> (String, String) {
        let meta = || "meta.k8s.io/v1".to_owned();
        match self.shape {
            Shape::Whole => (
                format!("{}List", self.resource.info().kind),
                self.resource.info().api_version(),
            ),
            Shape::Table => ("Table".to_owned(), meta()),
            Shape::Metadata => ("PartialObjectMetadataList".to_owned(), meta()),
        }
    }

    /// Everything of a list up to its first item.
    pub(super) fn open_list(&self, out: &mut Vec<u8>, metadata: &Value) {
        let (kind, api_version) = self.list_type();
        out.extend_from_slice(
            format!(
                "{{\"kind\":\"{kind}\",\"apiVersion\":\"{api_version}\",\"metadata\":{metadata},"
            )
            .as_bytes(),
        );
        match self.shape {
            Shape::Table => {
                let columns = table::definitions(self.resource);
                out.extend_from_slice(
                    format!("\"columnDefinitions\":{columns},\"rows\":[").as_bytes(),
                );
            }
            Shape::Whole | Shape::Metadata => out.extend_from_slice(b"\"items\":["),
        }
    }

    /// One item of a list.
    pub(super) fn item(&self, out: &mut Vec<u8>, object: &Object) {
        match self.shape {
            Shape::Whole => object.write_item(out),
            Shape::Table => self.row(out, object),
            Shape::Metadata => partial(out, &object.to_value(self.resource)),
        }
    }

    /// The end of a list.
    pub(super) fn close_list(out: &mut Vec<u8>) {
        out.extend_from_slice(b"]}\n");
    }

    /// One object by itself: the answer to a get, or what a watch event holds. `headed`: a table tells its columns.
    pub(super) fn one(&self, out: &mut Vec<u8>, object: &Object, headed: bool) {
        match self.shape {
            Shape::Whole => object.write_whole(self.resource, out),
            Shape::Metadata => partial(out, &object.to_value(self.resource)),
            Shape::Table => {
                let columns = if headed {
                    table::definitions(self.resource)
                } else {
                    Value::Null
                };
                let version = object.resource_version();
                let head = format!(
                    "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{{\"resourceVersion\":\"{version}\"}},\"columnDefinitions\":{columns},\"rows\":["
                );
                out.extend_from_slice(head.as_bytes());
                self.row(out, object);
                out.extend_from_slice(b"]}");
            }
        }
    }

    /// The object of a bookmark: nothing but a version, and the mark that what existed has been sent.
    pub(super) fn bookmark(&self, version: u64, initial_events_end: bool) -> Value {
        let info = self.resource.info();
        let mut metadata =
            json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
        if let (true, Some(members)) = (initial_events_end, metadata.as_object_mut()) {
            members.insert(
                "annotations".to_owned(),
                json!({"k8s.io/initial-events-end": "true"}),
            );
        }
        match self.shape {
            Shape::Whole => {
                json!({"kind": info.kind, "apiVersion": info.api_version(), "metadata": metadata})
            }
            Shape::Metadata => {
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
            Shape::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version.to_string()},
                "columnDefinitions": null, "rows": [],
            }),
        }
    }

    fn row(&self, out: &mut Vec<u8>, object: &Object) {
        let value = object.to_value(self.resource);
        let cells = Value::Array(table::cells(self.resource, &value, self.now));
        out.extend_from_slice(format!("{{\"cells\":{cells},\"object\":").as_bytes());
        match self.include {
            Include::Nothing => out.extend_from_slice(b"null"),
            Include::Metadata => partial(out, &value),
            Include::Object => object.write_whole(self.resource, out),
        }
        out.push(b'}');
    }
}

fn partial(out: &mut Vec<u8>, object: &Value) {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let head = r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#;
    out.extend_from_slice(format!("{head}{metadata}}}").as_bytes());
}
