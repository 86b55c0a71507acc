//! Converts between the server's time and a node's time.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use crate::store::ring::Sample;

/// The time by which a node's clock is ahead of the server's, in nanoseconds. Samples have the node's time, and queries
/// the server's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset(i64);

impl Offset {
    /// A smaller difference counts as none: it cannot be measured more exactly.
    pub(super) const SLACK: Duration = Duration::from_secs(5);

    /// The offset of a clock that is `ahead` nanoseconds ahead; zero within `slack`.
    pub(super) fn beyond(slack: Duration, ahead: i64) -> Self {
        let is_off = u128::from(ahead.unsigned_abs()) > slack.as_nanos();
        Self(if is_off { ahead } else { 0 })
    }

    /// Converts the server's time to the node's.
    pub fn theirs(self, ours: Timestamp) -> Timestamp {
        ours.plus_nanos(self.0)
    }

    /// Converts the node's time to the server's.
    pub fn ours(self, theirs: Timestamp) -> Timestamp {
        theirs.plus_nanos(self.0.saturating_neg())
    }

    /// Converts a sample's time to the server's.
    pub fn sample(self, sample: Sample) -> Sample {
        Sample {
            at: self.ours(sample.at),
            ..sample
        }
    }
}
