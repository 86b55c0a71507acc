//! How a node and a pod are encoded, in JSON and in protobuf.

use super::refs::{Container, Item, Kind, MetaRef, NodeRef, PodRef};
use super::{MetaTail, json, protobuf};
use crate::wire::form::{self as text, write_type};

/// Implements both traits with the functions that write and measure an object.
macro_rules! item {
    ([$($generics:tt)*] $type:ty, $kind:expr, $json:path, $len:path, $protobuf:path) => {
        impl<$($generics)*> text::Item for $type {
            fn write_alone(&self, out: &mut Vec<u8>, api_version: &str) {
                write_type(out, $kind.object(), api_version);
                out.push(b',');
                $json(out, self);
                out.push(b'}');
            }

            fn write_listed(&self, out: &mut Vec<u8>) {
                out.push(b'{');
                $json(out, self);
                out.push(b'}');
            }

            fn write_meta(&self, out: &mut Vec<u8>) {
                json::write_meta(out, &self.meta);
            }

            fn write_cells(&self, out: &mut Vec<u8>) {
                json::write_cells(out, self.meta.name, self.total(), self.window);
            }
        }

        impl<$($generics)*> Item for $type {
            const KIND: Kind = $kind;

            fn meta(&self) -> &MetaRef<'_> {
                &self.meta
            }

            fn protobuf_len(&self, tail: &mut MetaTail) -> usize {
                $len(self, tail)
            }

            fn write_protobuf(&self, out: &mut Vec<u8>, tail: &mut MetaTail) {
                $protobuf(out, self, tail);
            }
        }
    };
}

item!(
    [] NodeRef<'_>,
    Kind::Node,
    json::write_node,
    protobuf::node_len,
    protobuf::write_node
);
item!(
    [C: Container] PodRef<'_, C>,
    Kind::Pod,
    json::write_pod,
    protobuf::pod_len,
    protobuf::write_pod
);
