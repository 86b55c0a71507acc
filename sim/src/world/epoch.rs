//! The world's own zero of time.

use kubevitals_proto::time::Timestamp;

/// Nanoseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000_000;

/// The world's own zero of time: loads are evaluated in seconds since it, which keeps their numbers small enough to
/// be exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(Timestamp);

impl Epoch {
    /// The nanoseconds between it and the start of the world.
    pub(crate) const BEFORE_START: i64 = 60 * 86_400 * SECOND;

    /// Before anything in a world that starts at `now` came to be.
    pub(crate) fn before(now: Timestamp) -> Self {
        Self(now.plus_nanos(-Self::BEFORE_START))
    }

    /// Seconds from it to `t`.
    pub(crate) fn secs(self, t: Timestamp) -> f64 {
        t.since(self.0) as f64 / 1e9
    }
}
