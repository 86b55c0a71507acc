//! The time that a cluster lives in: its API server's, as the answers' `Date` has it, or a simulation's, which may run
//! ahead of the machine's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubevitals_proto::clock::system_time;
use kubevitals_proto::time::{Timestamp, nanos};
use parking_lot::Mutex;

/// However fast a cluster's time runs, nothing is asked for more often.
const LEAST_WAIT: Duration = Duration::from_millis(250);

const SECOND: i64 = 1_000_000_000;

/// A machine's clock that is off by more than this is reported. Ages are shown in seconds, and a `Date` has no parts of
/// one.
const TOLERATED: i64 = 5 * SECOND;

/// A cluster's time. Clones share it.
#[derive(Clone)]
pub struct Clock {
    source: Source,
    speed: f64,
}

#[derive(Clone)]
enum Source {
    /// Somebody else knows the time.
    Given(Arc<dyn Fn() -> Timestamp + Send + Sync>),
    /// The server's time is measured.
    Server(Arc<Server>),
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock")
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

/// A machine's two clocks.
#[derive(Clone)]
struct Machine {
    /// What the machine takes the time to be. It can be set.
    wall: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Nanoseconds since some moment. It cannot be set.
    steady: Arc<dyn Fn() -> i64 + Send + Sync>,
}

/// A server's time, and the machine it is measured with.
struct Server {
    machine: Machine,
    offset: Mutex<Offset>,
}

/// How far a server's clock is from a steady one.
///
/// An answer's `Date` is a second that began at most one second before the server wrote it, and the server wrote it
/// between the request and the answer. So each answer bounds the distance from both sides, and the estimate moves no
/// further than to the nearer bound: while the bounds agree it stands still, and when the server's clock is set it
/// follows with the next answer. A machine that is within the first bounds is taken to be right, and else the server is
/// in their middle.
#[derive(Debug, Clone, Copy, Default)]
struct Offset(Option<i64>);

impl Offset {
    /// Takes in an answer. `sent` and `answered` are times of the steady clock; `guess` is the distance if the server
    /// has not been measured yet, as the machine's wall clock has it.
    fn measure(&mut self, date: Timestamp, sent: i64, answered: i64, guess: i64) {
        let date = date.as_nanos();
        let least = date.saturating_sub(answered.max(sent));
        let most = date.saturating_add(SECOND).saturating_sub(sent).max(least);
        self.0 = Some(match self.0 {
            Some(offset) => offset.clamp(least, most),
            None if (least..=most).contains(&guess) => guess,
            None => least.midpoint(most),
        });
    }
}

/// When a request was sent, for [`Clock::answered`].
#[derive(Debug, Clone, Copy)]
pub struct Sent(i64);

impl Clock {
    /// A time of which `speed` seconds pass in one of the machine's. A speed that is no positive number counts as 1.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static, speed: f64) -> Self {
        let usable = speed.is_finite() && speed > 0.0;
        Self {
            source: Source::Given(Arc::new(now)),
            speed: if usable { speed } else { 1.0 },
        }
    }

    /// The time of the server whose answers are measured, by the machine's clocks; the machine's own until one has come.
    #[must_use]
    pub fn system() -> Self {
        let began = Instant::now();
        Self::of_server(system_time, move || nanos(began.elapsed()))
    }

    /// The same with other clocks: `wall` may be wrong and may be set, `steady` counts nanoseconds.
    pub fn of_server(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        steady: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Self {
        let machine = Machine {
            wall: Arc::new(wall),
            steady: Arc::new(steady),
        };
        Self::measured_by(machine)
    }

    fn measured_by(machine: Machine) -> Self {
        Self {
            source: Source::Server(Arc::new(Server {
                machine,
                offset: Mutex::default(),
            })),
            speed: 1.0,
        }
    }

    /// A clock for another server, of which nothing has been measured. A time that is given is every server's.
    #[must_use]
    pub fn of_another_server(&self) -> Self {
        match &self.source {
            Source::Given(_) => self.clone(),
            Source::Server(server) => Self::measured_by(server.machine.clone()),
        }
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.source {
            Source::Given(now) => now(),
            Source::Server(server) => server.now(),
        }
    }

    /// A request is sent.
    #[must_use]
    pub fn sent(&self) -> Sent {
        match &self.source {
            Source::Given(_) => Sent(0),
            Source::Server(server) => Sent((server.machine.steady)()),
        }
    }

    /// The server has answered a request, with this `Date`, of whole seconds.
    pub fn answered(&self, sent: Sent, date: Timestamp) {
        if let Source::Server(server) = &self.source {
            let (steady, wall) = ((server.machine.steady)(), (server.machine.wall)());
            let guess = wall.as_nanos().saturating_sub(steady);
            server.offset.lock().measure(date, sent.0, steady, guess);
        }
    }

    /// That the machine's clock differs from the server's, if it does by more than some seconds.
    #[must_use]
    pub fn difference(&self) -> Option<String> {
        let Source::Server(server) = &self.source else {
            return None;
        };
        let ahead = (server.machine.wall)().since(server.measured()?);
        if ahead.abs() <= TOLERATED {
            return None;
        }
        let seconds = ahead.unsigned_abs().div_ceil(SECOND.unsigned_abs());
        // It is not known to the second.
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

    /// How long the machine has to wait for so much of this time to pass: what is asked for every so often is as fresh
    /// in a time that runs fast.
    #[must_use]
    pub fn wait(&self, time: Duration) -> Duration {
        Duration::try_from_secs_f64(time.as_secs_f64() / self.speed)
            .unwrap_or(time)
            .clamp(LEAST_WAIT.min(time), time)
    }
}

impl Server {
    /// The server's time, once it has been measured.
    fn measured(&self) -> Option<Timestamp> {
        let offset = self.offset.lock().0?;
        let now = (self.machine.steady)().saturating_add(offset);
        Some(Timestamp::from_nanos(now))
    }

    fn now(&self) -> Timestamp {
        self.measured().unwrap_or_else(|| (self.machine.wall)())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use proptest::prelude::*;

    use super::*;

    /// A machine whose clock is wrong, a server whose clock is right, and the time that passes for both.
    #[derive(Clone, Default)]
    struct Bench {
        passed: Arc<AtomicI64>,
        wrong: Arc<AtomicI64>,
        set: Arc<AtomicI64>,
    }

    /// When the bench begins, on a right clock.
    const BEGAN: i64 = 1_800_000_000 * SECOND;

    impl Bench {
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

        /// A request, of which the way there and the way back take so long.
        fn ask(&self, clock: &Clock, there: i64, back: i64) {
            let sent = clock.sent();
            self.pass(there);
            let date = Timestamp::from_secs(self.server().div_euclid(SECOND));
            self.pass(back);
            clock.answered(sent, date);
        }

        fn off_by(&self, clock: &Clock) -> i64 {
            clock.now().as_nanos() - self.server()
        }
    }

    #[test]
    fn the_servers_time_is_the_time_however_wrong_the_machines_is() {
        const MINUTE: i64 = 60 * SECOND;
        for (wrong, said) in [
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
            let bench = Bench::default();
            bench.pass(345_678_901);
            bench.wrong.store(wrong, Ordering::SeqCst);
            let clock = bench.clock();
            assert_eq!(bench.off_by(&clock), wrong, "nothing has been measured");
            assert_eq!(clock.difference(), None);
            bench.ask(&clock, 20_000_000, 30_000_000);
            assert!(bench.off_by(&clock).abs() <= SECOND + 50_000_000, "{wrong}");
            let told = clock.difference();
            assert_eq!(told.is_some(), said.is_some(), "{wrong}: {told:?}");
            let words = told.unwrap_or_default();
            assert!(words.contains(said.unwrap_or_default()), "{words}");
        }
    }

    #[test]
    fn a_clock_that_is_right_is_not_moved() {
        let bench = Bench::default();
        let clock = bench.clock();
        for step in 0..200 {
            bench.ask(&clock, step * 1_000_000, 40_000_000);
            assert_eq!(bench.off_by(&clock), 0);
            bench.pass(1_370_000_000);
        }
    }

    #[test]
    fn a_machine_whose_clock_is_set_while_it_runs_does_not_notice_and_a_server_is_followed() {
        let bench = Bench::default();
        let clock = bench.clock();
        bench.ask(&clock, 1_000_000, 1_000_000);
        bench.wrong.store(-600 * SECOND, Ordering::SeqCst);
        assert_eq!(bench.off_by(&clock), 0);
        assert!(clock.difference().unwrap().contains("10m behind"));
        for set in [3_600 * SECOND, -86_400 * SECOND, 0] {
            bench.set.store(set, Ordering::SeqCst);
            bench.ask(&clock, 1_000_000, 1_000_000);
            assert!(bench.off_by(&clock).abs() <= SECOND + 2_000_000, "{set}");
        }
    }

    #[test]
    fn a_server_that_says_no_date_leaves_the_machines_time_and_another_server_has_its_own() {
        let bench = Bench::default();
        bench.wrong.store(600 * SECOND, Ordering::SeqCst);
        let clock = bench.clock();
        let _sent = clock.sent();
        assert_eq!(bench.off_by(&clock), 600 * SECOND);
        bench.ask(&clock, 0, 0);
        let other = clock.of_another_server();
        assert_eq!(bench.off_by(&other), 600 * SECOND);
        assert!(bench.off_by(&clock).abs() <= SECOND);
    }

    proptest! {
        /// Whatever the ways take, the time is never off by more than a second and the way back, and it does not jump by
        /// more than the longest way from one answer to the next.
        #[test]
        fn the_time_is_bounded_by_what_a_date_can_say(
            wrong in -86_400 * SECOND..86_400 * SECOND,
            asks in prop::collection::vec((0..3 * SECOND, 0..3 * SECOND, 0..20 * SECOND), 1..40),
        ) {
            let bench = Bench::default();
            bench.wrong.store(wrong, Ordering::SeqCst);
            let clock = bench.clock();
            let mut before = None;
            for (there, back, pause) in asks {
                bench.ask(&clock, there, back);
                let off = bench.off_by(&clock);
                prop_assert!(off.abs() <= SECOND + there + back);
                if let Some(before) = before.replace(off) {
                    let before: i64 = before;
                    prop_assert!((off - before).abs() <= before.abs(), "it only comes nearer");
                }
                bench.pass(pause);
            }
        }

        #[test]
        fn no_date_breaks_it(date in any::<i64>(), sent in any::<i64>(), answered in any::<i64>(), guess in any::<i64>()) {
            let mut offset = Offset::default();
            offset.measure(Timestamp::from_nanos(date), sent, answered, guess);
            offset.measure(Timestamp::from_nanos(guess), answered, sent, date);
        }
    }

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
