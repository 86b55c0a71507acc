//! One of cAdvisor's samples of a cgroup.

use kubevitals_proto::time::Timestamp;

/// What a cgroup had used, and when that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) at: Timestamp,
    /// CPU nanoseconds since the cgroup came to be.
    pub(crate) cpu: u64,
    /// Working set in bytes.
    pub(crate) memory: u64,
}
