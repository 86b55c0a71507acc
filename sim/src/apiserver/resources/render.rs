//! Objects and lists in the negotiated shape.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::wire::form::write_type;
use kubevitals_proto::wire::object::Encoding;
use kubevitals_proto::wire::{envelope, protobuf as wire};
use serde_json::{Value, json};

use super::super::negotiation::Shape;
use super::super::request::Query;
use super::super::table;
use crate::members::Members;
use crate::objects::{EventKind, Object, Resource, encode_protobuf};

/// What the rows of a table have beside their cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// Writes objects of one resource in one shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Renderer {
    pub(super) resource: Resource,
    shape: Shape,
    encoding: Encoding,
    include: Include,
    now: Timestamp,
}

/// How much of a list in protobuf is sent at a time.
const CHUNK: usize = 256 * 1024;

impl Renderer {
    /// `now` is what ages are counted from.
    pub(super) fn new(
        resource: Resource,
        shape: Shape,
        encoding: Encoding,
        query: &Query,
        now: Timestamp,
    ) -> Self {
        let include = match query.get("includeObject") {
            Some("None") => Include::Nothing,
            Some("Object") => Include::Object,
            _ => Include::Metadata,
        };
        Self {
            resource,
            shape,
            encoding,
            include,
            now,
        }
    }

    /// Whether objects are written as they are stored.
    pub(super) fn is_stored(&self) -> bool {
        self.shape == Shape::Whole && self.encoding == Encoding::Json
    }

    /// Whether objects are written in protobuf.
    pub(super) fn is_protobuf(&self) -> bool {
        self.encoding == Encoding::Protobuf
    }

    /// An object in protobuf, without an envelope.
    fn protobuf_item(&self, object: &Object) -> Bytes {
        match self.shape {
            Shape::Metadata => object.partial_protobuf(self.resource),
            Shape::Whole | Shape::Table => object.protobuf(self.resource),
        }
    }

    /// A list in protobuf, in chunks.
    pub(super) fn protobuf_list(&self, metadata: &Value, objects: &[Arc<Object>]) -> Vec<Bytes> {
        let metadata = encode_protobuf("ListMeta", metadata);
        let objects: Vec<Bytes> = objects.iter().map(|it| self.protobuf_item(it)).collect();
        let items: usize = objects.iter().map(|it| wire::field_len(it.len())).sum();
        let (kind, api_version) = self.kind(true);
        let mut chunk = envelope::wrap(&api_version, &kind, &[]);
        // The envelope of nothing ends with the heads of an empty `raw` and of two empty texts.
        chunk.truncate(chunk.len() - 6);
        wire::head(&mut chunk, 2, wire::field_len(metadata.len()) + items);
        wire::head(&mut chunk, 1, metadata.len());
        chunk.extend_from_slice(&metadata);
        let mut chunks = Vec::new();
        for object in objects {
            wire::head(&mut chunk, 2, object.len());
            chunk.extend_from_slice(&object);
            if chunk.len() >= CHUNK {
                chunks.push(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK)).into());
            }
        }
        wire::string(&mut chunk, 3, "");
        wire::string(&mut chunk, 4, "");
        chunks.push(chunk.into());
        chunks
    }

    /// One event of a watch.
    pub(super) fn event(&self, out: &mut Vec<u8>, kind: EventKind, object: &Object, headed: bool) {
        if self.is_protobuf() {
            let (name, api_version) = self.kind(false);
            let object = envelope::wrap(&api_version, &name, &self.protobuf_item(object));
            return frame(out, kind.as_str(), &object);
        }
        append(
            out,
            format_args!(r#"{{"type":"{}","object":"#, kind.as_str()),
        );
        self.one(out, object, headed);
        out.extend_from_slice(b"}\n");
    }

    /// An event that is about no object of the collection: a bookmark or an error.
    pub(super) fn notice(&self, kind: &str, object: &Value) -> Bytes {
        if !self.is_protobuf() {
            return Bytes::from(format!("{}\n", json!({"type": kind, "object": object})));
        }
        let (name, api_version) = (object.text("/kind"), object.text("/apiVersion"));
        let object = envelope::wrap(api_version, name, &encode_protobuf(name, object));
        let mut out = Vec::new();
        frame(&mut out, kind, &object);
        out.into()
    }

    /// Kind and apiVersion of one object or of a list.
    fn kind(&self, list: bool) -> (String, String) {
        let info = self.resource.info();
        let (kind, api_version) = match self.shape {
            Shape::Whole => (info.kind, info.api_version()),
            Shape::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            Shape::Table => return ("Table".to_owned(), "meta.k8s.io/v1".to_owned()),
        };
        let suffix = if list { "List" } else { "" };
        (format!("{kind}{suffix}"), api_version)
    }

    /// The same at another time: ages change while a watch is open.
    pub(super) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// Everything of a list up to its first item.
    pub(super) fn open_list(&self, out: &mut Vec<u8>, metadata: &Value) {
        if self.shape == Shape::Table {
            return self.open_table(out, metadata, true);
        }
        let (kind, api_version) = self.kind(true);
        write_type(out, &kind, &api_version);
        append(out, format_args!(r#","metadata":{metadata},"items":["#));
    }

    /// Everything of a table up to its first row. `headed`: it has its columns.
    fn open_table(&self, out: &mut Vec<u8>, metadata: &Value, headed: bool) {
        let columns = headed.then(|| table::definitions(self.resource));
        let columns = columns.unwrap_or_default();
        let head = r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":"#;
        append(
            out,
            format_args!(r#"{head}{metadata},"columnDefinitions":{columns},"rows":["#),
        );
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

    /// One object by itself: the answer to a get, or the object of a watch event. `headed`: a table has its columns.
    pub(super) fn one(&self, out: &mut Vec<u8>, object: &Object, headed: bool) {
        match self.shape {
            Shape::Whole => object.write_whole(self.resource, out),
            Shape::Metadata => partial(out, &object.to_value(self.resource)),
            Shape::Table => {
                let version = object.resource_version().to_string();
                self.open_table(out, &json!({"resourceVersion": version}), headed);
                self.row(out, object);
                out.extend_from_slice(b"]}");
            }
        }
    }

    /// The object of a bookmark: nothing but a version, and the mark that what existed has been sent.
    pub(super) fn bookmark(&self, version: u64, initial_events_end: bool) -> Value {
        let mut metadata =
            json!({"resourceVersion": version.to_string(), "creationTimestamp": null});
        if initial_events_end {
            metadata.put("annotations", json!({"k8s.io/initial-events-end": "true"}));
        }
        match self.shape {
            Shape::Whole | Shape::Metadata => {
                let (kind, api_version) = self.kind(false);
                json!({"kind": kind, "apiVersion": api_version, "metadata": metadata})
            }
            Shape::Table => json!({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": version.to_string()},
                "columnDefinitions": null, "rows": [],
            }),
        }
    }

    fn row(&self, out: &mut Vec<u8>, object: &Object) {
        let value = object.to_value(self.resource);
        let cells = table::cells(self.resource, &value, self.now);
        append(out, format_args!(r#"{{"cells":{cells},"object":"#));
        match self.include {
            Include::Nothing => out.extend_from_slice(b"null"),
            Include::Metadata => partial(out, &value),
            Include::Object => object.write_whole(self.resource, out),
        }
        out.push(b'}');
    }
}

/// A frame of a watch in protobuf: its length in four bytes, and a `WatchEvent` around an object in its envelope.
fn frame(out: &mut Vec<u8>, kind: &str, object: &[u8]) {
    let mut event = Vec::with_capacity(object.len() + 32);
    wire::string(&mut event, 1, kind);
    wire::head(&mut event, 2, wire::field_len(object.len()));
    wire::head(&mut event, 1, object.len());
    event.extend_from_slice(object);
    out.extend_from_slice(&u32::try_from(event.len()).unwrap_or_default().to_be_bytes());
    out.extend_from_slice(&event);
}

fn partial(out: &mut Vec<u8>, object: &Value) {
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    write_type(out, "PartialObjectMetadata", "meta.k8s.io/v1");
    append(out, format_args!(r#","metadata":{metadata}}}"#));
}

/// Appends text. A Vec takes every byte, so writing cannot fail.
fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}
