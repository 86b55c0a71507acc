//! The clock of a cluster: the time of its API server, estimated from the `Date` of responses, or simulated time, which
//! may run faster than real time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals_proto::clock::system_time;
use kubevitals_proto::time::{Timestamp, nanos};
use parking_lot::Mutex;

/// The shortest time between two requests of one kind, however fast the time runs.
const LEAST_WAIT: Duration = Duration::from_millis(250);

const SECOND: i64 = 1_000_000_000;

/// The largest difference of the machine's clock that is not reported. Ages are displayed in seconds, and a `Date` has
/// whole seconds.
const TOLERATED: i64 = 5 * SECOND;

/// The clock of a cluster. Clones share it.
#[derive(Clone)]
pub struct Clock {
    time: Time,
    speed: f64,
}

#[derive(Clone)]
enum Time {
    /// Simulated, or a parameter of a test.
    Simulated(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    /// Estimated from the responses of a server.
    Server(Arc<Server>),
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock")
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

/// The two clocks of this machine.
#[derive(Clone)]
struct Machine {
    /// The time of day. It may be wrong, and it can be set.
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Nanoseconds since a fixed time. It cannot be set.
    steady: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// The estimated time of a server.
struct Server {
    machine: Machine,
    offset: Mutex<Offset>,
}

/// The difference between the clock of a server and the steady clock; none before the first response.
///
/// The `Date` of a response is a second that began at most one second before the server wrote it, and the server wrote
/// it between the request and the response. So each response bounds the difference on both sides. The estimate moves no
/// further than to the nearer bound: it does not change while the bounds agree, and it follows with the next response
/// after the server's clock was set. If the machine's clock is within the first bounds, it counts as correct. Otherwise
/// the estimate starts in the middle of the bounds.
#[derive(Debug, Clone, Copy, Default)]
struct Offset(Option<i64>);

impl Offset {
    /// Applies a response. `sent` and `received` are times of the steady clock. `guess` is the difference by the
    /// machine's wall clock, for the first response.
    fn apply(&mut self, date: Timestamp, sent: i64, received: i64, guess: i64) {
        let date = date.as_nanos();
        let least = date.saturating_sub(received.max(sent));
        let most = date.saturating_add(SECOND).saturating_sub(sent).max(least);
        self.0 = Some(match self.0 {
            Some(offset) => offset.clamp(least, most),
            None if (least..=most).contains(&guess) => guess,
            None => least.midpoint(most),
        });
    }
}

/// When a request was sent, for [`Clock::received`].
#[derive(Debug, Clone, Copy)]
pub struct Sent(i64);

impl Clock {
    /// A clock with simulated time, which passes at `speed` times real time. A speed that is not a positive number
    /// counts as 1.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, speed: f64) -> Self {
        let is_usable = speed.is_finite() && speed > 0.0;
        Self {
            time: Time::Simulated(Arc::new(now)),
            speed: if is_usable { speed } else { 1.0 },
        }
    }

    /// The clock of a server, estimated with the clocks of this machine. Before the first response it has the time of
    /// this machine.
    #[must_use]
    pub fn system() -> Self {
        let began = Instant::now();
        Self::of_server(system_time, move || nanos(began.elapsed()))
    }

    /// As `system`, with other clocks: `wall` may be wrong and may be set, `steady` counts nanoseconds.
    pub fn of_server(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        steady: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        Self::estimated(Machine {
            wall: Arc::new(wall),
            steady: Arc::new(steady),
        })
    }

    fn estimated(machine: Machine) -> Self {
        let offset = Mutex::default();
        Self {
            time: Time::Server(Arc::new(Server { machine, offset })),
            speed: 1.0,
        }
    }

    /// A clock for another server, without responses. Simulated time is the same for every server.
    #[must_use]
    pub fn for_another_server(&self) -> Self {
        match &self.time {
            Time::Simulated(_) => self.clone(),
            Time::Server(server) => Self::estimated(server.machine.clone()),
        }
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.time {
            Time::Simulated(now) => now(),
            Time::Server(server) => server.estimate().unwrap_or_else(|| (server.machine.wall)()),
        }
    }

    /// When a request is sent that is sent now.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent(match &self.time {
            Time::Simulated(_) => 0,
            Time::Server(server) => (server.machine.steady)(),
        })
    }

    /// Applies the `Date` of a response that was received now, in whole seconds.
    pub fn received(&self, sent: Sent, date: Timestamp) {
        if let Time::Server(server) = &self.time {
            let (steady, wall) = ((server.machine.steady)(), (server.machine.wall)());
            let guess = wall.as_nanos().saturating_sub(steady);
            server.offset.lock().apply(date, sent.0, steady, guess);
        }
    }

    /// A message if the clocks of the machine and of the server differ by more than some seconds.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let Time::Server(server) = &self.time else {
            return None;
        };
        let ahead = (server.machine.wall)().since(server.estimate()?);
        if ahead.abs() <= TOLERATED {
            return None;
        }
        let seconds = ahead.unsigned_abs().div_ceil(SECOND.unsigned_abs());
        // The estimate is not exact to the second.
        let rounded = if seconds < 60 {
            seconds
        } else {
            (seconds + 5) / 10 * 10
        };
        let by = crate::model::format::duration(rounded);
        let where_to = if ahead > 0 { "ahead of" } else { "behind" };
        Some(format!(
            "your clock is {by} {where_to} the server's; times are the server's"
        ))
    }

    /// Converts a duration of this clock into real time, so that data of a fast clock is as fresh as of a real one.
    #[must_use]
    pub fn wait(&self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() / self.speed)
            .unwrap_or(time)
            .clamp(LEAST_WAIT.min(time), time)
    }
}

impl Server {
    /// The time of the server; none before the first response.
    fn estimate(&self) -> Option<Timestamp> {
        let offset = self.offset.lock().0?;
        let now = (self.machine.steady)().saturating_add(offset);
        Some(Timestamp::from_nanos(now))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// A machine whose clock is wrong, a server whose clock is correct until it is set, and the time that passes.
    #[derive(Clone, Default)]
    struct Clocks {
        passed: Arc<AtomicI64>,
        wrong: Arc<AtomicI64>,
        set: Arc<AtomicI64>,
    }

    /// The correct time at the start.
    const BEGAN: i64 = 1_800_000_000 * SECOND;

    impl Clocks {
        fn clock(&self) -> Clock {
            let (of_wall, of_steady) = (self.clone(), self.clone());
            Clock::of_server(
                move || {
                    let wrong = of_wall.wrong.load(Ordering::SeqCst);
                    Timestamp::from_nanos(BEGAN + of_wall.passed() + wrong)
                },
                move || of_steady.passed() + 77,
            )
        }

        fn passed(&self) -> i64 {
            self.passed.load(Ordering::SeqCst)
        }

        fn pass(&self, nanos: i64) {
            self.passed.fetch_add(nanos, Ordering::SeqCst);
        }

        /// The server's clock.
        fn server(&self) -> i64 {
            BEGAN + self.passed() + self.set.load(Ordering::SeqCst)
        }

        /// Sends a request, which takes `there` to the server; the response takes `back`.
        fn request(&self, clock: &Clock, there: i64, back: i64) {
            let sent = clock.sent();
            self.pass(there);
            let date = Timestamp::from_secs(self.server().div_euclid(SECOND));
            self.pass(back);
            clock.received(sent, date);
        }

        fn off_by(&self, clock: &Clock) -> i64 {
            clock.now().as_nanos() - self.server()
        }
    }

    #[test]
    fn the_time_is_the_servers_however_wrong_the_machine_is() {
        const MINUTE: i64 = 60 * SECOND;
        for (wrong, expected) in [
            (0, None),
            (3 * SECOND, None),
            (-10 * MINUTE, Some("your clock is 10m behind the server's")),
            (10 * MINUTE, Some("your clock is 10m ahead of the server's")),
            (
                24 * 60 * MINUTE,
                Some("your clock is 24h ahead of the server's"),
            ),
            (-365 * 24 * 60 * MINUTE, Some("behind the server's")),
        ] {
            let clocks = Clocks::default();
            clocks.pass(345_678_901);
            clocks.wrong.store(wrong, Ordering::SeqCst);
            let clock = clocks.clock();
            assert_eq!(clocks.off_by(&clock), wrong, "there was no response");
            assert_eq!(clock.difference(), None);
            clocks.request(&clock, 20_000_000, 30_000_000);
            assert!(
                clocks.off_by(&clock).abs() <= SECOND + 50_000_000,
                "{wrong}"
            );
            let message = clock.difference();
            assert_eq!(message.is_some(), expected.is_some(), "{wrong}");
            let message = message.unwrap_or_default();
            assert!(message.contains(expected.unwrap_or_default()), "{message}");
        }
    }

    #[test]
    fn a_correct_clock_does_not_move() {
        let clocks = Clocks::default();
        let clock = clocks.clock();
        for step in 0..200 {
            clocks.request(&clock, step * 1_000_000, 40_000_000);
            assert_eq!(clocks.off_by(&clock), 0);
            clocks.pass(1_370_000_000);
        }
    }

    #[test]
    fn setting_the_clock_of_the_server_counts_and_of_the_machine_does_not() {
        let clocks = Clocks::default();
        let clock = clocks.clock();
        clocks.request(&clock, 1_000_000, 1_000_000);
        clocks.wrong.store(-600 * SECOND, Ordering::SeqCst);
        assert_eq!(clocks.off_by(&clock), 0);
        assert!(clock.difference().unwrap().contains("10m behind"));
        for set in [3_600 * SECOND, -86_400 * SECOND, 0] {
            clocks.set.store(set, Ordering::SeqCst);
            clocks.request(&clock, 1_000_000, 1_000_000);
            assert!(clocks.off_by(&clock).abs() <= SECOND + 2_000_000, "{set}");
        }
    }

    #[test]
    fn without_a_date_the_time_is_the_machines_and_another_server_has_its_own() {
        let clocks = Clocks::default();
        clocks.wrong.store(600 * SECOND, Ordering::SeqCst);
        let clock = clocks.clock();
        let _sent = clock.sent();
        assert_eq!(clocks.off_by(&clock), 600 * SECOND);
        clocks.request(&clock, 0, 0);
        let other = clock.for_another_server();
        assert_eq!(clocks.off_by(&other), 600 * SECOND);
        assert!(clocks.off_by(&clock).abs() <= SECOND);
    }

    proptest! {
        /// The time is never off by more than a second and the time of the request, and each response brings it nearer.
        #[test]
        fn the_error_is_bounded(
            wrong in -86_400 * SECOND..86_400 * SECOND,
            requests in prop::collection::vec((0..3 * SECOND, 0..3 * SECOND, 0..20 * SECOND), 1..40),
        ) {
            let clocks = Clocks::default();
            clocks.wrong.store(wrong, Ordering::SeqCst);
            let clock = clocks.clock();
            let mut before = None;
            for (there, back, pause) in requests {
                clocks.request(&clock, there, back);
                let off = clocks.off_by(&clock);
                prop_assert!(off.abs() <= SECOND + there + back);
                if let Some(before) = before.replace(off) {
                    let before: i64 = before;
                    prop_assert!((off - before).abs() <= before.abs(), "it only comes nearer");
                }
                clocks.pass(pause);
            }
        }

        #[test]
        fn no_date_causes_a_panic(date in any::<i64>(), sent in any::<i64>(), received in any::<i64>(), guess in any::<i64>()) {
            let mut offset = Offset::default();
            offset.apply(Timestamp::from_nanos(date), sent, received, guess);
            offset.apply(Timestamp::from_nanos(guess), received, sent, date);
        }
    }

    #[test]
    fn a_fast_clock_waits_for_less_real_time_but_not_for_none() {
        let ten = Duration::from_secs(10);
        for (speed, millis) in [(1.0, 10_000), (20.0, 500), (10_000.0, 250), (0.1, 10_000)] {
            let clock = Clock::new(Timestamp::default, speed);
            assert_eq!(clock.wait(ten), Duration::from_millis(millis), "{speed}");
        }
        assert_eq!(Clock::new(Timestamp::default, f64::NAN).wait(ten), ten);
    }
}
