//! Our own clock: a parameter, so that tests and the demo can hold it.
//!
//! It makes ages and schedules and nothing else. Rates are made from the kubelets' timestamps alone; the two
//! never meet (docs/architecture.md, "Two clocks").

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kubevitals_proto::time::Timestamp;

/// A boxed sleep.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time as the server sees it.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The wall clock: for phases (so that replicas scrape alike) and for `creationTimestamp`.
    fn wall(&self) -> Timestamp;

    /// Time since an arbitrary start, never backwards: for ages.
    fn elapsed(&self) -> Age;

    /// Completes when `duration` has passed.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Completes at `at`: unlike a sleep for the time that is left until then, it ends no later when time passes
    /// before it begins.
    fn sleep_until(&self, at: Age) -> Sleep;
}

/// A point on the monotonic clock: milliseconds since the clock's start, or before it, where something is known from an
/// earlier process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(i64);

impl Age {
    /// The point `elapsed` after the clock's start.
    pub fn from_elapsed(elapsed: Duration) -> Self {
        Self(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
    }

    /// Milliseconds since the clock's start; less than zero before it.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The point `duration` later.
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(Self::from_elapsed(duration).0))
    }

    /// The point `duration` earlier.
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(Self::from_elapsed(duration).0))
    }

    /// How long ago `earlier` was, seen from this point; a point in the future counts as now.
    pub fn since(self, earlier: Self) -> Duration {
        let milliseconds = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Age {
        Age::from_elapsed(self.start.elapsed())
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        self.sleep(at.since(self.elapsed()))
    }
}

/// A clock told by two functions: one that says the time, one that sleeps until a time. For a simulated
/// cluster whose time runs faster than the machine's, or stands still until a test moves it.
pub struct ToldClock {
    start: Timestamp,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    sleep_until: Box<dyn Fn(Timestamp) -> Sleep + Send + Sync>,
}

impl ToldClock {
    /// A clock that asks `now` for the time and `sleep_until` for sleep.
    pub fn new(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        sleep_until: impl Fn(Timestamp) -> Sleep + Send + Sync + 'static,
    ) -> Self {
        Self {
            start: now(),
            now: Box::new(now),
            sleep_until: Box::new(sleep_until),
        }
    }
}

impl fmt::Debug for ToldClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToldClock")
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl Clock for ToldClock {
    fn wall(&self) -> Timestamp {
        (self.now)()
    }

    fn elapsed(&self) -> Age {
        let nanoseconds =
            u64::try_from(self.wall().0.saturating_sub(self.start.0)).unwrap_or_default();
        Age::from_elapsed(Duration::from_nanos(nanoseconds))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        (self.sleep_until)(Timestamp(self.wall().0.saturating_add(nanoseconds)))
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        let since_start = at.0.saturating_mul(1_000_000);
        (self.sleep_until)(Timestamp(self.start.0.saturating_add(since_start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_until_a_time_ends_then_however_late_it_begins() {
        use std::sync::atomic::{AtomicI64, Ordering};
        let start = Timestamp::from_secs(100);
        let now = std::sync::Arc::new(AtomicI64::new(start.0));
        let told = std::sync::Arc::clone(&now);
        let clock = ToldClock::new(
            move || Timestamp(told.load(Ordering::Relaxed)),
            |until| {
                assert_eq!(until, Timestamp::from_secs(105));
                Box::pin(std::future::ready(()))
            },
        );
        let due = clock.elapsed().after(Duration::from_secs(5));
        for late in [0, 3, 9] {
            now.store(start.0 + late * 1_000_000_000, Ordering::Relaxed);
            drop(clock.sleep_until(due));
        }
    }

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
