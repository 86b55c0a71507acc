//! What a receiver lacks while its queue is full, or what an earlier writer had written.

use std::collections::HashMap;
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;

use super::collector::NodeCursor;
use super::cursor::Written;

/// Up to where the series are in the queue of a receiver. What is newer comes from the ring.
#[derive(Debug, Clone)]
pub(super) struct Gap {
    pub(super) floor: Floor,
    /// Its begin, by the server's clock.
    pub(super) begin: Timestamp,
    /// Up to where it is filled.
    pub(super) filled: Timestamp,
}

/// The newest samples that are in the queue.
#[derive(Debug, Clone)]
pub(super) enum Floor {
    /// As another process left them.
    Nodes(HashMap<Box<str>, Written>),
    /// As another replica left them: by the server's clock.
    Wall(Timestamp),
    /// As this process left them.
    Series(HashMap<Arc<str>, NodeCursor>),
}

impl Gap {
    pub(super) fn new(floor: Floor, begin: Timestamp) -> Self {
        Self {
            floor,
            begin,
            filled: begin,
        }
    }
}
