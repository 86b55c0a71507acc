//! A list in any form, encoded item by item.

use super::form::{Form, NO_META};
use super::{Item, Kind, metadata, protobuf};
use crate::wire::form::{self, Shape};
use crate::wire::object::Encoding;

/// A list under way: its items are appended one by one, then its end.
///
/// In protobuf a list's length comes before its items, so every item must be [measured](Self::measure) before the
/// first is appended; [`is_measured`](Self::is_measured) returns whether that is so.
#[derive(Debug)]
pub struct List {
    kind: Kind,
    form: Form,
    items_len: usize,
    begun: bool,
    /// The same in JSON or YAML.
    text: form::List,
}

impl List {
    /// A list of `kind` in `form` that has no items yet.
    #[must_use]
    pub fn new(kind: Kind, form: Form) -> Self {
        let yaml = form.encoding == Encoding::Yaml;
        Self {
            kind,
            form,
            items_len: 0,
            begun: false,
            text: form::List::new(kind.described(), form.shape, yaml, NO_META.to_vec()),
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
        if !self.is_measured() {
            return self.text.item(out, item);
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.head(out);
        }
        match self.form.shape {
            Shape::Whole(_) => protobuf::item(out, item),
            Shape::Metadata(version) | Shape::Table(version, _) => {
                metadata::item_protobuf(out, version, item);
            }
        }
    }

    /// Appends what the list ends with; all of it, if it has no items.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if !self.is_measured() {
            return self.text.end(out);
        }
        if !self.begun {
            self.head(out);
        }
        match self.form.shape {
            Shape::Whole(_) => protobuf::list_tail(out),
            Shape::Metadata(version) | Shape::Table(version, _) => {
                metadata::list_tail_protobuf(out, version);
            }
        }
    }

    fn head(&self, out: &mut Vec<u8>) {
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
