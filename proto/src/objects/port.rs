//! Ports of containers.

use std::sync::Arc;

use super::protobuf::message;

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Port {
    /// The name, if it has one.
    pub name: Option<Arc<str>>,
    /// The number.
    pub number: u16,
}

message! {
    /// A port of a container on the wire.
    pub(super) struct WireContainerPort {
        pub(super) name: String = 1,
        pub(super) container_port: i64 = 3,
        pub(super) protocol: String = 4,
    }
}
