//! A list of values in any encoding, encoded item by item.

use super::item::Item;
use crate::wire::envelope;
use crate::wire::form::{self, Kind, Shape};
use crate::wire::object::Encoding;
use crate::wire::protobuf::{empty_list_meta, field_len, head};

/// The field of a list with its items.
const ITEMS: u8 = 2;

/// A list that is being encoded: its items are appended one by one, then its end.
///
/// In protobuf a list's length comes before its items, so every item must be [measured](Self::measure) before the
/// first is appended; [`needs_lengths`](Self::needs_lengths) returns whether that is so.
#[derive(Debug)]
pub struct List {
    kind: &'static str,
    api_version: &'static str,
    protobuf: bool,
    items_len: usize,
    begun: bool,
    /// The message of one item.
    scratch: Vec<u8>,
    /// The list in JSON or YAML.
    text: form::List,
}

impl List {
    /// A list of values that describe objects.
    #[must_use]
    pub fn custom(version: super::Version, encoding: Encoding) -> Self {
        let kind = Kind {
            object: "MetricValue",
            list: "MetricValueList",
            columns: &[],
        };
        Self::new(kind, version.api_version(), encoding)
    }

    /// A list of external values.
    #[must_use]
    pub fn external(encoding: Encoding) -> Self {
        let kind = Kind {
            object: "ExternalMetricValue",
            list: "ExternalMetricValueList",
            columns: &[],
        };
        Self::new(kind, super::external::API_VERSION, encoding)
    }

    fn new(kind: Kind, api_version: &'static str, encoding: Encoding) -> Self {
        let yaml = encoding == Encoding::Yaml;
        Self {
            kind: kind.list,
            api_version,
            protobuf: encoding == Encoding::Protobuf,
            items_len: 0,
            begun: false,
            scratch: Vec::new(),
            text: form::List::new(kind, Shape::Whole(api_version), yaml, b"{}".to_vec()),
        }
    }

    /// Whether its items have to be measured first.
    #[must_use]
    pub const fn needs_lengths(&self) -> bool {
        self.protobuf
    }

    /// Adds the length of an item that will be appended.
    pub fn measure(&mut self, item: &impl Item) {
        self.items_len += field_len(self.encode(item));
    }

    /// The number of bytes of the list, once all its items were measured; none for a list that is not measured.
    #[must_use]
    pub fn measured_len(&self) -> Option<usize> {
        let raw_len = empty_list_meta(1).len() + self.items_len;
        let len = envelope::wrapped_len(self.api_version, self.kind, raw_len);
        self.protobuf.then_some(len)
    }

    /// Appends the next item, and before the first item the beginning of the list.
    pub fn item(&mut self, out: &mut Vec<u8>, item: &impl Item) {
        if !self.protobuf {
            return self.text.value(out, item);
        }
        self.begin(out);
        head(out, ITEMS, self.encode(item));
        out.extend_from_slice(&self.scratch);
    }

    /// Appends the end of the list; all of it, if it has no items.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if !self.protobuf {
            return self.text.end(out);
        }
        self.begin(out);
        out.extend_from_slice(&envelope::TAIL);
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            let meta = empty_list_meta(1);
            let raw_len = meta.len() + self.items_len;
            envelope::write_head(out, self.api_version, self.kind, raw_len);
            out.extend_from_slice(&meta);
        }
    }

    /// Encodes an item into the scratch. Returns its length.
    fn encode(&mut self, item: &impl Item) -> usize {
        self.scratch.clear();
        item.write_protobuf(&mut self.scratch);
        self.scratch.len()
    }
}
