//! A list in JSON or YAML, encoded item by item.

use super::item::{Item, Kind, Shape, write_type};
use super::{metadata, table};
use crate::wire::gojson::write_value;
use crate::wire::yaml;
use serde::Serialize;

/// A list that is being encoded: its items are appended one by one, then its end.
#[derive(Debug)]
pub struct List {
    kind: Kind,
    shape: Shape,
    yaml: bool,
    /// The JSON of its own metadata.
    meta: Vec<u8>,
    begun: bool,
    /// The JSON of an item that becomes YAML.
    scratch: Vec<u8>,
    /// The end of a YAML list, after the items.
    tail: Vec<u8>,
}

impl List {
    /// A list of `kind` in `shape` that has no items yet, in YAML or compact JSON; `meta` is the JSON of its metadata.
    #[must_use]
    pub const fn new(kind: Kind, shape: Shape, yaml: bool, meta: Vec<u8>) -> Self {
        Self {
            kind,
            shape,
            yaml,
            meta,
            begun: false,
            scratch: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Appends the next item, and before the first item the beginning of the list.
    pub fn item(&mut self, out: &mut Vec<u8>, item: &impl Item) {
        self.append(out, |list, out| list.item_json(out, item));
    }

    /// Appends the next item of a list that is only served whole.
    pub fn value(&mut self, out: &mut Vec<u8>, value: &impl Serialize) {
        // Only a map with keys that are not strings could fail, and there is none.
        self.append(out, |_, out| drop(write_value(out, value)));
    }

    /// Appends an item whose compact JSON `write` appends.
    fn append(&mut self, out: &mut Vec<u8>, write: impl FnOnce(&Self, &mut Vec<u8>)) {
        let first = !std::mem::replace(&mut self.begun, true);
        if self.yaml {
            if first {
                self.head_yaml(out);
            }
            let mut compact = std::mem::take(&mut self.scratch);
            compact.clear();
            write(self, &mut compact);
            // What was just written is JSON.
            let _parsed = yaml::item(out, &compact);
            self.scratch = compact;
        } else {
            if first {
                self.head_json(out);
            } else {
                out.push(b',');
            }
            write(self, out);
        }
    }

    /// Appends the end of the list; all of it, if it has no items.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match (self.begun, self.yaml) {
            (true, false) => out.extend_from_slice(b"]}"),
            (true, true) => out.append(&mut self.tail),
            (false, false) => self.empty_json(out),
            (false, true) => {
                let mut compact = Vec::new();
                self.empty_json(&mut compact);
                let _parsed = yaml::document(out, &compact);
            }
        }
    }

    fn head_json(&self, out: &mut Vec<u8>) {
        let (kind, version) = match self.shape {
            Shape::Whole(version) => (self.kind.list, version),
            Shape::Metadata(version) => (metadata::LIST, version.api_version()),
            Shape::Table(version, _) => {
                return table::head(out, version, &self.meta, Some(self.kind.columns));
            }
        };
        write_type(out, kind, version);
        out.extend_from_slice(br#","metadata":"#);
        out.extend_from_slice(&self.meta);
        out.extend_from_slice(br#","items":["#);
    }

    fn item_json(&self, out: &mut Vec<u8>, item: &impl Item) {
        match self.shape {
            Shape::Whole(_) => item.write_listed(out),
            Shape::Metadata(version) => metadata::item(out, version, item),
            Shape::Table(version, beside) => table::row(out, version, beside, item),
        }
    }

    fn empty_json(&self, out: &mut Vec<u8>) {
        if let Shape::Table(version, _) = self.shape {
            return table::empty(out, version, &self.meta);
        }
        self.head_json(out);
        out.extend_from_slice(b"]}");
    }

    fn head_yaml(&mut self, out: &mut Vec<u8>) {
        let mut list = Vec::new();
        self.head_json(&mut list);
        list.extend_from_slice(b"]}");
        let items = match self.shape {
            Shape::Table(..) => "rows",
            Shape::Whole(_) | Shape::Metadata(_) => "items",
        };
        // What was just written is JSON.
        if let Ok(frame) = yaml::Frame::of(&list, items) {
            out.extend_from_slice(&frame.head);
            self.tail = frame.tail;
        }
    }
}
