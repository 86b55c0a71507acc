//! A list in any form, in pieces.

use super::form::{Form, Shape};
use super::{Item, Kind, json, metadata, protobuf, table};
use crate::wire::object::Encoding;
use crate::wire::yaml;

/// A list under way: its items are appended one by one, then its end.
///
/// In protobuf a list's length comes before its items, so every item must be [measured](Self::measure) before the
/// first is appended; [`is_measured`](Self::is_measured) tells whether that is so.
#[derive(Debug)]
pub struct List {
    kind: Kind,
    form: Form,
    items_len: usize,
    begun: bool,
    /// An item's JSON, on its way to YAML.
    scratch: Vec<u8>,
    /// What comes after the items of a YAML list.
    tail: Vec<u8>,
}

impl List {
    /// A list of `kind` in `form` that has no items yet.
    #[must_use]
    pub const fn new(kind: Kind, form: Form) -> Self {
        Self {
            kind,
            form,
            items_len: 0,
            begun: false,
            scratch: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Whether its items have to be measured first.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.form.encoding == Encoding::Protobuf
    }

    /// Takes the length of an item that will be appended.
    pub fn measure(&mut self, item: &impl Item) {
        self.items_len += match self.form.shape {
            Shape::Whole(_) => protobuf::item_len(item),
            Shape::Metadata(_) | Shape::Table(..) => metadata::item_len_protobuf(item),
        };
    }

    /// How many bytes the list has, once all its items were measured; none for a list that is not measured.
    #[must_use]
    pub fn measured_len(&self) -> Option<usize> {
        self.is_measured().then(|| match self.form.shape {
            Shape::Whole(version) => protobuf::list_len(self.kind, version, self.items_len),
            Shape::Metadata(version) | Shape::Table(version, _) => {
                metadata::list_len_protobuf(version, self.items_len)
            }
        })
    }

    /// Appends the next item, and before the first what the list begins with.
    pub fn item(&mut self, out: &mut Vec<u8>, item: &impl Item) {
        let first = !std::mem::replace(&mut self.begun, true);
        match self.form.encoding {
            Encoding::Json => {
                if first {
                    self.head_json(out);
                } else {
                    out.push(b',');
                }
                self.item_json(out, item);
            }
            Encoding::Yaml => {
                if first {
                    self.head_yaml(out);
                }
                let mut compact = std::mem::take(&mut self.scratch);
                compact.clear();
                self.item_json(&mut compact, item);
                // What was just written is JSON.
                let _parsed = yaml::item(out, &compact);
                self.scratch = compact;
            }
            Encoding::Protobuf => {
                if first {
                    self.head_protobuf(out);
                }
                match self.form.shape {
                    Shape::Whole(_) => protobuf::item(out, item),
                    Shape::Metadata(version) | Shape::Table(version, _) => {
                        metadata::item_protobuf(out, version, item);
                    }
                }
            }
        }
    }

    /// Appends what the list ends with; all of it, if it has no items.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match self.form.encoding {
            Encoding::Json if self.begun => json::list_tail(out),
            Encoding::Json => self.empty_json(out),
            Encoding::Yaml if self.begun => out.append(&mut self.tail),
            Encoding::Yaml => {
                let mut compact = Vec::new();
                self.empty_json(&mut compact);
                let _parsed = yaml::document(out, &compact);
            }
            Encoding::Protobuf => {
                if !self.begun {
                    self.head_protobuf(out);
                }
                match self.form.shape {
                    Shape::Whole(_) => protobuf::list_tail(out),
                    Shape::Metadata(version) | Shape::Table(version, _) => {
                        metadata::list_tail_protobuf(out, version);
                    }
                }
            }
        }
    }

    fn head_json(&self, out: &mut Vec<u8>) {
        match self.form.shape {
            Shape::Whole(version) => json::list_head(out, self.kind, version),
            Shape::Metadata(version) => metadata::list_head(out, version),
            Shape::Table(version, _) => table::head(out, version),
        }
    }

    fn item_json(&self, out: &mut Vec<u8>, item: &impl Item) {
        match self.form.shape {
            Shape::Whole(_) => json::item(out, item),
            Shape::Metadata(version) => metadata::item(out, version, item),
            Shape::Table(version, beside) => table::row(out, version, beside, item),
        }
    }

    fn empty_json(&self, out: &mut Vec<u8>) {
        if let Shape::Table(version, _) = self.form.shape {
            return table::empty(out, version);
        }
        self.head_json(out);
        json::list_tail(out);
    }

    fn head_yaml(&mut self, out: &mut Vec<u8>) {
        let mut list = Vec::new();
        self.head_json(&mut list);
        json::list_tail(&mut list);
        let items = match self.form.shape {
            Shape::Table(..) => "rows",
            Shape::Whole(_) | Shape::Metadata(_) => "items",
        };
        // What was just written is JSON.
        if let Ok(frame) = yaml::Frame::of(&list, items) {
            out.extend_from_slice(&frame.head);
            self.tail = frame.tail;
        }
    }

    fn head_protobuf(&self, out: &mut Vec<u8>) {
        match self.form.shape {
            Shape::Whole(version) => {
                protobuf::list_head(out, self.kind, version, self.items_len);
            }
            Shape::Metadata(version) | Shape::Table(version, _) => {
                metadata::list_head_protobuf(out, version, self.items_len);
            }
        }
    }
}
