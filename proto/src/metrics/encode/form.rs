//! The forms in which a node, a pod or a list of them can be had: all that Kubernetes has, protobuf too.

use super::{Item, protobuf};
use crate::wire::form::{self, Shape};
use crate::wire::object::Encoding;

/// The metadata of a list of metrics: there is none.
pub(super) const NO_META: &[u8] = b"{}";

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

    /// The encoding.
    #[must_use]
    pub const fn encoding(self) -> Encoding {
        self.encoding
    }

    /// Appends an object that stands alone.
    pub fn object<T: Item>(self, out: &mut Vec<u8>, item: &T) {
        let kind = T::KIND.described();
        match (self.encoding, self.shape) {
            (Encoding::Json, shape) => form::object_json(out, kind, shape, NO_META, item),
            (Encoding::Yaml, shape) => form::object_yaml(out, kind, shape, NO_META, item),
            (Encoding::Protobuf, shape) => protobuf::object(out, shape, item),
        }
    }
}
