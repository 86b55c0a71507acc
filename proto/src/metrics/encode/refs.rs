//! The borrowed types: a node or a pod with its usage.

use super::MetaTail;
use crate::duration::GoDuration;
use crate::labels::Labels;
use crate::time::Timestamp;
use crate::units::{Bytes, Nanocores};
use crate::wire::form::{self as text, Column};

/// The metadata of a node or pod.
#[derive(Debug, Clone, Copy)]
pub struct MetaRef<'a> {
    /// The node's or pod's name.
    pub name: &'a str,
    /// The pod's namespace; empty for a node.
    pub namespace: &'a str,
    /// The time of the response.
    pub creation: Timestamp,
    /// The node's or pod's labels.
    pub labels: &'a Labels,
}

/// CPU and memory usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageRef {
    /// CPU.
    pub cpu: Nanocores,
    /// Memory.
    pub memory: Bytes,
}

/// A container with its usage, in the form in which its owner stores it.
pub trait Container {
    /// The container's name within its pod.
    fn name(&self) -> &str;
    /// CPU and memory.
    fn usage(&self) -> UsageRef;
}

/// The usage of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContainerRef<'a> {
    /// The container's name within its pod.
    pub name: &'a str,
    /// CPU and memory.
    pub usage: UsageRef,
}

impl Container for ContainerRef<'_> {
    fn name(&self) -> &str {
        self.name
    }

    fn usage(&self) -> UsageRef {
        self.usage
    }
}

/// One `NodeMetrics`.
#[derive(Debug, Clone, Copy)]
pub struct NodeRef<'a> {
    /// The node's metadata.
    pub meta: MetaRef<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    pub window: GoDuration,
    /// CPU and memory.
    pub usage: UsageRef,
}

/// One `PodMetrics`.
#[derive(Debug, Clone, Copy)]
pub struct PodRef<'a, C = ContainerRef<'a>> {
    /// The pod's metadata.
    pub meta: MetaRef<'a>,
    /// The end of the window.
    pub timestamp: Timestamp,
    /// The window of the CPU rate.
    pub window: GoDuration,
    /// The usage of each container.
    pub containers: &'a [C],
    /// Their [`containers_len`](super::containers_len), if their owner stores it: a list needs it in advance.
    pub containers_len: Option<usize>,
}

/// The type of an object or list.
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

    /// As the forms take it.
    #[must_use]
    pub const fn described(self) -> text::Kind {
        text::Kind {
            object: self.object(),
            list: self.list(),
            columns: &COLUMNS,
        }
    }
}

/// The peer's columns.
const COLUMNS: [Column; 4] = [
    Column::text("Name", "Name of the resource").format("name"),
    Column::text("cpu", "").format("quantity"),
    Column::text("memory", "").format("quantity"),
    Column::text("Window", "").format("duration"),
];

/// A node or a pod: what protobuf needs beside the other forms.
pub trait Item: text::Item {
    /// The type.
    const KIND: Kind;
    /// The metadata.
    fn meta(&self) -> &MetaRef<'_>;
    /// The length of the protobuf message. `tail` has the end of the last object's metadata.
    fn protobuf_len(&self, tail: &mut MetaTail) -> usize;
    /// Appends its protobuf message.
    fn write_protobuf(&self, out: &mut Vec<u8>, tail: &mut MetaTail);
}

impl NodeRef<'_> {
    pub(super) fn total(&self) -> UsageRef {
        self.usage
    }
}

impl<C: Container> PodRef<'_, C> {
    /// All that it uses: the sum over its containers.
    pub(super) fn total(&self) -> UsageRef {
        let usage = || self.containers.iter().map(Container::usage);
        UsageRef {
            cpu: usage().map(|usage| usage.cpu).sum(),
            memory: usage().map(|usage| usage.memory).sum(),
        }
    }
}
