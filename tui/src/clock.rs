//! The time that a cluster lives in: the machine's own, or a simulation's, which may run ahead of it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kubevitals_proto::time::Timestamp;

/// However fast a cluster's time runs, nothing is asked for more often.
const LEAST_WAIT: Duration = Duration::from_millis(250);

/// A cluster's time. Clones tell the same.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    speed: f64,
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock")
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

impl Clock {
    /// A time of which `speed` seconds pass in one of the machine's. A speed that is no positive number counts as 1.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, speed: f64) -> Self {
        let usable = speed.is_finite() && speed > 0.0;
        Self {
            now: Arc::new(now),
            speed: if usable { speed } else { 1.0 },
        }
    }

    /// The machine's time.
    #[must_use]
    pub fn system() -> Self {
        let now = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let nanos = since.map_or(0, |since| {
                i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
            });
            Timestamp::from_nanos(nanos)
        };
        Self::new(now, 1.0)
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// How long the machine has to wait for so much of this time to pass: what is asked for every so often is as fresh
    /// in a time that runs fast.
    #[must_use]
    pub fn wait(&self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() / self.speed)
            .unwrap_or(time)
            .clamp(LEAST_WAIT.min(time), time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_runs_fast_is_waited_for_less_long_but_not_without_rest() {
        let ten = Duration::from_secs(10);
        for (speed, millis) in [(1.0, 10_000), (20.0, 500), (10_000.0, 250), (0.1, 10_000)] {
            let clock = Clock::new(Timestamp::default, speed);
            assert_eq!(clock.wait(ten), Duration::from_millis(millis), "{speed}");
        }
        assert_eq!(Clock::new(Timestamp::default, f64::NAN).wait(ten), ten);
    }
}
