//! `metrics.k8s.io` from borrowed data, appended to a buffer without allocation.
//!
//! A [`Form`] says what is told and how it is written; [`Form::object`] writes one object, a [`List`] many, piece
//! by piece, so that they can be sent while they are made. They are put together from
//!
//! - [`json`]: `list_head`, then for each item a comma (but for the first) and `item`, then
//!   `list_tail`.
//! - [`protobuf`]: the envelope tells the length of all that is in it first, so add up
//!   `item_len` of every item, then `list_head`, each `item`, `list_tail`.
//! - [`table`] and [`metadata`]: for `kubectl get` and for clients that want no more.

mod form;
pub mod json;
mod list;
pub mod metadata;
pub mod protobuf;
pub mod table;

pub use crate::wire::object::Encoding;
pub use form::{Beside, Form, Shape};
pub use list::List;

use crate::duration::GoDuration;
use crate::labels::Labels;
use crate::time::Timestamp;
use crate::units::{Bytes, Nanocores};

/// The metadata of a node or pod.
#[derive(Debug, Clone, Copy)]
pub struct MetaRef<'a> {
    /// The node's or pod's name.
    pub name: &'a str,
    /// The pod's namespace; empty for a node.
    pub namespace: &'a str,
    /// When the answer is made.
    pub creation: Timestamp,
    /// The node's or pod's labels.
    pub labels: &'a Labels,
}

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageRef {
    /// CPU.
    pub cpu: Nanocores,
    /// Memory.
    pub memory: Bytes,
}

/// What a container uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerRef<'a> {
    /// The container's name within its pod.
    pub name: &'a str,
    /// CPU and memory.
    pub usage: UsageRef,
}

/// One `NodeMetrics`.
#[derive(Debug, Clone, Copy)]
pub struct NodeRef<'a> {
    /// Which node.
    pub meta: MetaRef<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    pub window: GoDuration,
    /// CPU and memory.
    pub usage: UsageRef,
}

/// One `PodMetrics`.
#[derive(Debug, Clone, Copy)]
pub struct PodRef<'a> {
    /// Which pod.
    pub meta: MetaRef<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The time over which CPU was averaged.
    pub window: GoDuration,
    /// What each container uses.
    pub containers: &'a [ContainerRef<'a>],
}

/// Which of the two types an object or list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `NodeMetrics`.
    Node,
    /// `PodMetrics`.
    Pod,
}

impl Kind {
    /// The kind of one object.
    #[must_use]
    pub const fn object(self) -> &'static str {
        match self {
            Self::Node => "NodeMetrics",
            Self::Pod => "PodMetrics",
        }
    }

    /// The kind of a list.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Node => "NodeMetricsList",
            Self::Pod => "PodMetricsList",
        }
    }
}

/// A node or a pod: what both encodings write.
pub trait Item {
    /// Which one it is.
    const KIND: Kind;
    /// Which node or pod.
    fn meta(&self) -> &MetaRef<'_>;
    /// The time over which CPU was averaged.
    fn window(&self) -> GoDuration;
    /// All that it uses: of a pod, the sum over its containers.
    fn total(&self) -> UsageRef;
    /// Appends the members of its JSON object, from `"metadata"` on, without braces.
    fn write_json_members(&self, out: &mut Vec<u8>);
    /// How many bytes its protobuf message has.
    fn protobuf_len(&self) -> usize;
    /// Appends its protobuf message.
    fn write_protobuf(&self, out: &mut Vec<u8>);
}

impl Item for NodeRef<'_> {
    const KIND: Kind = Kind::Node;

    fn meta(&self) -> &MetaRef<'_> {
        &self.meta
    }

    fn window(&self) -> GoDuration {
        self.window
    }

    fn total(&self) -> UsageRef {
        self.usage
    }

    fn write_json_members(&self, out: &mut Vec<u8>) {
        json::write_node(out, self);
    }

    fn protobuf_len(&self) -> usize {
        protobuf::node_len(self)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        protobuf::write_node(out, self);
    }
}

impl Item for PodRef<'_> {
    const KIND: Kind = Kind::Pod;

    fn meta(&self) -> &MetaRef<'_> {
        &self.meta
    }

    fn window(&self) -> GoDuration {
        self.window
    }

    fn total(&self) -> UsageRef {
        UsageRef {
            cpu: self
                .containers
                .iter()
                .map(|container| container.usage.cpu)
                .sum(),
            memory: self
                .containers
                .iter()
                .map(|container| container.usage.memory)
                .sum(),
        }
    }

    fn write_json_members(&self, out: &mut Vec<u8>) {
        json::write_pod(out, self);
    }

    fn protobuf_len(&self) -> usize {
        protobuf::pod_len(self)
    }

    fn write_protobuf(&self, out: &mut Vec<u8>) {
        protobuf::write_pod(out, self);
    }
}
