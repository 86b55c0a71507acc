//! The cluster's time: real, running faster, or moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use kubevitals_proto::clock::{Age, Clock, Sleep, system_time};
use kubevitals_proto::time::{Timestamp, nanos};
use tokio::sync::watch;

/// Where every time in the simulated cluster comes from: the kubelets' timestamps, the objects' and the schedule of
/// what happens.
///
/// Clones share one clock.
#[derive(Clone, Debug)]
pub struct SimClock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// `anchor` was the time at `since`, and `speed` simulated seconds pass in a real one.
    Running {
        anchor: Timestamp,
        since: Instant,
        speed: f64,
    },
    /// Time stands still until it is advanced.
    Manual {
        now: AtomicI64,
        moved: watch::Sender<i64>,
    },
}

impl SimClock {
    /// The machine's own time.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// Starts at the machine's time and runs `speed` times as fast. A speed that is no positive number counts as 1.
    #[must_use]
    pub fn scaled(speed: f64) -> Self {
        Self::scaled_from(system_time(), speed)
    }

    /// Starts at any time, and runs as [`SimClock::scaled`] does.
    #[must_use]
    pub fn scaled_from(start: Timestamp, speed: f64) -> Self {
        let usable = speed.is_finite() && speed > 0.0;
        Self(Arc::new(Kind::Running {
            anchor: start,
            since: Instant::now(),
            speed: if usable { speed } else { 1.0 },
        }))
    }

    /// Stands at `start` until [`SimClock::advance`] moves it.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        Self(Arc::new(Kind::Manual {
            now: AtomicI64::new(start.as_nanos()),
            moved: watch::Sender::new(start.as_nanos()),
        }))
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Kind::Running {
                anchor,
                since,
                speed,
            } => anchor.plus_nanos(nanos(since.elapsed().mul_f64(*speed))),
            Kind::Manual { now, .. } => Timestamp::from_nanos(now.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward and wakes who sleeps; a running clock takes no notice.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual { now, moved } = &*self.0 {
            let at = now
                .fetch_add(nanos(by), Ordering::SeqCst)
                .saturating_add(nanos(by));
            moved.send_replace(at);
        }
    }

    /// Sets a manual clock, be it back, and wakes who sleeps until then; a running clock takes no notice.
    pub fn set(&self, at: Timestamp) {
        if let Kind::Manual { now, moved } = &*self.0 {
            now.store(at.as_nanos(), Ordering::SeqCst);
            moved.send_replace(at.as_nanos());
        }
    }

    /// The clock of a process that starts now.
    #[must_use]
    pub fn process(&self) -> Arc<dyn Clock> {
        Arc::new(ProcessClock {
            clock: self.clone(),
            start: self.now(),
        })
    }

    /// Waits until it is `at` or later.
    pub async fn sleep_until(&self, at: Timestamp) {
        match &*self.0 {
            Kind::Running { speed, .. } => loop {
                let left = at.since(self.now());
                if left <= 0 {
                    return;
                }
                // Rounded up to a millisecond: the runtime's timers are no finer, and waking early only costs a turn.
                let real = Duration::from_nanos(left.unsigned_abs()).div_f64(*speed);
                tokio::time::sleep(real.max(Duration::from_millis(1))).await;
            },
            Kind::Manual { moved, .. } => {
                let mut moved = moved.subscribe();
                // The sender lives in `self`, so this ends only when the time has come.
                if moved.wait_for(|now| *now >= at.as_nanos()).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Waits for `duration` of this clock's time.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now().plus_nanos(nanos(duration)))
            .await;
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::real()
    }
}

/// The clock as a process sees it that starts now.
#[derive(Debug)]
struct ProcessClock {
    clock: SimClock,
    start: Timestamp,
}

impl ProcessClock {
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let clock = self.clock.clone();
        Box::pin(async move { clock.sleep_until(at).await })
    }
}

impl Clock for ProcessClock {
    fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Age {
        let nanos = u64::try_from(self.wall().since(self.start)).unwrap_or_default();
        Age::from_elapsed(Duration::from_nanos(nanos))
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(self.wall().plus_nanos(nanos(duration)))
    }

    fn sleep_until(&self, at: Age) -> Sleep {
        let since_start = at.millis().saturating_mul(1_000_000);
        self.sleep_until(self.start.plus_nanos(since_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_manual_clock_stands_still_until_it_is_advanced() {
        let clock = SimClock::manual(START);
        assert_eq!(clock.now(), START);
        clock.clone().advance(Duration::from_secs(15));
        assert_eq!(clock.now().since(START), 15_000_000_000);
    }

    #[test]
    fn a_running_clock_ignores_advance_and_replaces_an_invalid_speed_by_one() {
        let (real, odd) = (SimClock::real(), SimClock::scaled(f64::NAN));
        real.advance(Duration::from_secs(3600));
        assert!(odd.now().since(real.now()).abs() < 60_000_000_000);
    }

    #[test]
    fn a_scaled_clock_gains_on_a_real_one() {
        let (fast, real) = (SimClock::scaled(1e6), SimClock::real());
        let mut gained = 0;
        while gained < 3_600_000_000_000 {
            gained = fast.now().since(real.now());
        }
    }

    #[tokio::test]
    async fn a_sleeper_on_a_manual_clock_wakes_when_its_time_has_come() {
        let clock = SimClock::manual(START);
        let at = START.plus_nanos(10_000_000_000);
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(at).await;
                clock.now()
            }
        });
        clock.advance(Duration::from_secs(4));
        tokio::task::yield_now().await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(6));
        assert_eq!(sleeper.await.unwrap(), at);
    }

    #[tokio::test]
    async fn a_sleeper_on_a_scaled_clock_waits_the_scaled_time() {
        let clock = SimClock::scaled(100_000.0);
        let at = clock.now().plus_nanos(600_000_000_000);
        clock.sleep_until(at).await;
        assert!(clock.now() >= at);
    }

    #[tokio::test]
    async fn a_sleep_until_a_time_ends_at_that_time() {
        let clock = SimClock::manual(START);
        let process = clock.process();
        let due = process.elapsed().after(Duration::from_secs(5));
        for late in [3, 5, 9] {
            clock.set(START.plus_nanos(late * 1_000_000_000));
            let mut sleep = process.sleep_until(due);
            assert_eq!(futures::poll!(&mut sleep).is_ready(), late >= 5);
        }
        assert_eq!(process.elapsed().millis(), 9_000);
    }
}
