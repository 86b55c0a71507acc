//! The clock as a parameter, so that tests and the demo can control it.
//!
//! A clock serves ages and schedules only. Rates use only the timestamps of the kubelets (docs/rates.md, "Two
//! clocks").

use crate::time::{Timestamp, nanos};
use std::fmt;
use std::pin::Pin;
use std::time::{Duration, UNIX_EPOCH};

/// A boxed sleep.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time as a process sees it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock: for phases (so that replicas scrape alike) and for `creationTimestamp`.
    fn wall(&self) -> Timestamp;

    /// Time since an arbitrary start, never backwards: for ages.
    fn elapsed(&self) -> Age;

    /// Completes when `duration` has passed.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Completes at `at`, even if time passes between the call and the first poll.
    fn sleep_until(&self, at: Age) -> Sleep;
}

/// The machine's wall clock.
#[must_use]
pub fn system_time() -> Timestamp {
    Timestamp::from_nanos(nanos(UNIX_EPOCH.elapsed().unwrap_or_default()))
}

/// A point on the monotonic clock: milliseconds since the clock's start, or before the start, for a time from an
/// earlier process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(i64);

impl Age {
    /// The point `elapsed` after the clock's start.
    #[must_use]
    pub fn from_elapsed(elapsed: Duration) -> Self {
        Self(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }

    /// Milliseconds since the clock's start; less than zero before it.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The point `duration` later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(Self::from_elapsed(duration).0))
    }

    /// The point `duration` earlier.
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(Self::from_elapsed(duration).0))
    }

    /// The duration from `earlier` to this point; zero for a point in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let milliseconds = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_future_counts_as_now() {
        let (early, late) = (Age(1000), Age(2500));
        assert_eq!(late.since(early), Duration::from_millis(1500));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(
            early.before(Duration::from_secs(3)).since(early),
            Duration::ZERO
        );
        let start = Age::default();
        assert_eq!(
            early.since(start.before(Duration::from_secs(3))),
            Duration::from_secs(4)
        );
    }
}
