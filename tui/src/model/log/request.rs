//! Requests for logs, and what the source sends.

use kubevitals_proto::time::Timestamp;

use super::LogLine;
use crate::model::name::Name;

/// A container whose log is requested.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogTarget {
    /// The namespace of its pod.
    pub namespace: Name,
    /// Its pod.
    pub pod: Name,
    /// Its name.
    pub container: Name,
}

/// A request for logs. The source follows them until the next request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRequest {
    /// Identifies the request in its responses.
    pub id: u64,
    /// The containers. A later request with the same id may have more: only those are new streams.
    pub targets: Vec<LogTarget>,
    /// Whether the logs of the previous incarnation are requested.
    pub previous: bool,
    /// From which time on, for a past time. Without one, the last lines, and then new ones as they are written.
    pub since: Option<Timestamp>,
}

/// New lines of the logs of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogBatch {
    /// The request.
    pub id: u64,
    /// Lines in order of time.
    pub lines: Vec<LogLine>,
    /// How many lines the source dropped because they arrived faster than they can be shown.
    pub dropped: u64,
    /// How many bytes were cut off long lines.
    pub cut_bytes: u64,
    /// New states of streams, by their index.
    pub states: Vec<(u16, StreamState)>,
}

/// The state of the stream of one container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StreamState {
    /// The server has not answered yet.
    #[default]
    Requested,
    /// Lines arrive as they are written.
    Live,
    /// The log is complete.
    Complete,
    /// The container has ended. The source waits for its next incarnation.
    Ended,
    /// There is no log now.
    Failed {
        /// The reason.
        why: String,
        /// When it is requested again; none for never.
        retry_at: Option<Timestamp>,
    },
}
