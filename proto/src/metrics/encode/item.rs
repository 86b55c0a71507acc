//! How a node and a pod are encoded, in JSON and in protobuf.

use super::refs::{Item, Kind, MetaRef, NodeRef, PodRef};
use super::{json, protobuf};
use crate::wire::form::{self as text, write_type};

impl text::Item for NodeRef<'_> {
    fn write_alone(&self, out: &mut Vec<u8>, api_version: &str) {
        write_type(out, Kind::Node.object(), api_version);
        out.push(b',');
        json::write_node(out, self);
        out.push(b'}');
    }

    fn write_listed(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        json::write_node(out, self);
        out.push(b'}');
    }

    fn write_meta(&self, out: &mut Vec<u8>) {
        json::write_meta(out, &self.meta);
    }

    fn write_cells(&self, out: &mut Vec<u8>) {
        json::write_cells(out, self.meta.name, self.usage, self.window);
    }
}

impl Item for NodeRef<'_> {
    const KIND: Kind = Kind::Node;

    fn meta(&self) -> &MetaRef<'_> {
        &self.meta
    }

    fn protobuf_len(&self) -> usize {
        protobuf::node_len(self)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        protobuf::write_node(out, self);
    }
}

impl text::Item for PodRef<'_> {
    fn write_alone(&self, out: &mut Vec<u8>, api_version: &str) {
        write_type(out, Kind::Pod.object(), api_version);
        out.push(b',');
        json::write_pod(out, self);
        out.push(b'}');
    }

    fn write_listed(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        json::write_pod(out, self);
        out.push(b'}');
    }

    fn write_meta(&self, out: &mut Vec<u8>) {
        json::write_meta(out, &self.meta);
    }

    fn write_cells(&self, out: &mut Vec<u8>) {
        json::write_cells(out, self.meta.name, self.total(), self.window);
    }
}

impl Item for PodRef<'_> {
    const KIND: Kind = Kind::Pod;

    fn meta(&self) -> &MetaRef<'_> {
        &self.meta
    }

    fn protobuf_len(&self) -> usize {
        protobuf::pod_len(self)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        protobuf::write_pod(out, self);
    }
}
