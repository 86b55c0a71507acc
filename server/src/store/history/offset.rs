//! From our time to a node's and back.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

use crate::store::ring::Sample;

/// How far a node's clock is ahead of ours, in nanoseconds: points have its time, and questions are asked in ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offset(i64);

impl Offset {
    /// A clock that is off by no more counts as right: it is known no better than that.
    pub(super) const SLACK: Duration = Duration::from_secs(5);

    /// The offset of a clock that is so many nanoseconds ahead; none where that is within `slack`.
    pub(super) fn beyond(slack: Duration, ahead: i64) -> Self {
        let is_off = u128::from(ahead.unsigned_abs()) > slack.as_nanos();
        Self(if is_off { ahead } else { 0 })
    }

    /// What the node's clock shows at a time of ours.
    pub fn theirs(self, ours: Timestamp) -> Timestamp {
        ours.plus_nanos(self.0)
    }

    /// Our time when the node's clock shows this.
    pub fn ours(self, theirs: Timestamp) -> Timestamp {
        theirs.plus_nanos(self.0.saturating_neg())
    }

    /// A sample with our time.
    pub fn sample(self, sample: Sample) -> Sample {
        Sample {
            at: self.ours(sample.at),
            ..sample
        }
    }
}
