//! What the API server says of an object beside its spec: conditions and events.

use kubevitals_proto::time::Timestamp;

/// A condition of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Condition {
    /// `Ready`, `PodScheduled`, …
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// The reason; may be empty.
    pub reason: String,
    /// The message; may be empty.
    pub message: String,
    /// Time of the last transition.
    pub since: Option<Timestamp>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// The reason.
    pub reason: String,
    /// The message.
    pub message: String,
    /// The number of occurrences.
    pub count: u64,
    /// The time of the last occurrence.
    pub last: Option<Timestamp>,
}
