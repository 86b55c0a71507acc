//! The forms in which a node, a pod or a list of them can be had.

use super::{Item, json, metadata, protobuf, table};
use crate::metrics::Version;
use crate::wire::meta::MetaVersion;
use crate::wire::object::Encoding;
use crate::wire::yaml;

/// What is told of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// All of it.
    Whole(Version),
    /// Its metadata.
    Metadata(MetaVersion),
    /// A row of a table.
    Table(MetaVersion, Beside),
}

/// What a table's row has beside its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// The object's metadata.
    Metadata,
    /// The whole object.
    Object(Version),
}

/// A shape and an encoding that go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    pub(super) shape: Shape,
    pub(super) encoding: Encoding,
}

impl Form {
    /// `shape` in `encoding`, if there is such a thing: a table has no protobuf.
    #[must_use]
    pub const fn new(shape: Shape, encoding: Encoding) -> Option<Self> {
        match (shape, encoding) {
            (Shape::Table(..), Encoding::Protobuf) => None,
            _ => Some(Self { shape, encoding }),
        }
    }

    /// How it is written.
    #[must_use]
    pub const fn encoding(self) -> Encoding {
        self.encoding
    }

    /// Appends an object that stands alone.
    pub fn object(self, out: &mut Vec<u8>, item: &impl Item) {
        match (self.encoding, self.shape) {
            (Encoding::Json, shape) => object_json(out, shape, item),
            (Encoding::Yaml, shape) => {
                let mut compact = Vec::with_capacity(512);
                object_json(&mut compact, shape, item);
                // What was just written is JSON.
                let _parsed = yaml::document(out, &compact);
            }
            (Encoding::Protobuf, Shape::Whole(version)) => protobuf::object(out, version, item),
            (Encoding::Protobuf, Shape::Metadata(version) | Shape::Table(version, _)) => {
                metadata::object_protobuf(out, version, item);
            }
        }
    }
}

fn object_json(out: &mut Vec<u8>, shape: Shape, item: &impl Item) {
    match shape {
        Shape::Whole(version) => json::object(out, version, item),
        Shape::Metadata(version) => metadata::item(out, version, item),
        Shape::Table(version, beside) => {
            table::head(out, version);
            table::row(out, version, beside, item);
            table::tail(out);
        }
    }
}
