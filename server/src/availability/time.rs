//! A point in time in whole seconds, as Kubernetes' conditions have it.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

/// Seconds since the Unix epoch; zero if unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Second(pub u32);

impl Second {
    /// Whether the time is known.
    pub fn is_known(self) -> bool {
        self.0 > 0
    }

    /// Seconds from `earlier` to this time; zero if it is later.
    pub(super) fn since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }

    /// This time, so many seconds later.
    pub(super) fn after(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// This time, so much earlier.
    pub(super) fn before(self, span: Duration) -> Self {
        let seconds = u32::try_from(span.as_secs()).unwrap_or(u32::MAX);
        Self(self.0.saturating_sub(seconds))
    }

    /// The time as the API has it; none if it is unknown.
    pub fn timestamp(self) -> Option<Timestamp> {
        self.is_known().then(|| Timestamp::from_secs(self.0.into()))
    }
}

impl From<Timestamp> for Second {
    fn from(time: Timestamp) -> Self {
        Self(u32::try_from(time.as_secs()).unwrap_or_default())
    }
}
