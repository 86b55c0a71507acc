//! A list in any form, encoded item by item.

use super::form::{Form, NO_META};
use super::protobuf::Frame;
use super::{Item, Kind, MetaTail};
use crate::wire::form;
use crate::wire::object::Encoding;

/// A list that is being encoded: its items are appended one by one, then its end.
///
/// In protobuf a list's length comes before its items, so every item must be [measured](Self::measure) before the
/// first is appended; [`needs_lengths`](Self::needs_lengths) returns whether that is so.
#[derive(Debug)]
pub struct List {
    items_len: usize,
    begun: bool,
    protobuf: Option<Frame>,
    tail: MetaTail,
    /// The list in JSON or YAML.
    text: form::List,
}

impl List {
    /// A list of `kind` in `form` that has no items yet.
    #[must_use]
    pub fn new(kind: Kind, form: Form) -> Self {
        let yaml = form.encoding == Encoding::Yaml;
        let protobuf = form.encoding == Encoding::Protobuf;
        Self {
            items_len: 0,
            begun: false,
            protobuf: protobuf.then(|| Frame::list(kind, form.shape)),
            tail: MetaTail::default(),
            text: form::List::new(kind.described(), form.shape, yaml, NO_META.to_vec()),
        }
    }

    /// Whether its items have to be measured first.
    #[must_use]
    pub const fn needs_lengths(&self) -> bool {
        self.protobuf.is_some()
    }

    /// Adds the length of an item that will be appended.
    pub fn measure(&mut self, item: &impl Item) {
        if let Some(frame) = self.protobuf {
            self.items_len += frame.item_len(item, &mut self.tail);
        }
    }

    /// The number of bytes of the list, once all its items were measured; none for a list that is not measured.
    #[must_use]
    pub fn measured_len(&self) -> Option<usize> {
        self.protobuf.map(|frame| frame.list_len(self.items_len))
    }

    /// Appends the next item, and before the first item the beginning of the list.
    pub fn item(&mut self, out: &mut Vec<u8>, item: &impl Item) {
        match self.protobuf {
            Some(frame) => {
                self.begin(out, frame);
                frame.item(out, item, &mut self.tail);
            }
            None => self.text.item(out, item),
        }
    }

    /// Appends the end of the list; all of it, if it has no items.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        match self.protobuf {
            Some(frame) => {
                self.begin(out, frame);
                frame.tail(out);
            }
            None => self.text.end(out),
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>, frame: Frame) {
        if !std::mem::replace(&mut self.begun, true) {
            frame.head(out, self.items_len);
        }
    }
}
