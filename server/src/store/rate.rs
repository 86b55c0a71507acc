//! The rules for a rate: how two readings of a counter become nanocores, and when they give no rate.
//!
//! These are the rules of metrics-server (`pkg/storage`), with one exception: an unusable point does not erase the last
//! usable one. `sim/fixtures/scenarios/our-answers.json` is the specification.

use std::num::NonZeroI64;
use std::ops::Range;
use std::time::Duration;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::kubelet::resource::Reading;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::units::{Bytes, Nanocores};

/// The smallest age of a container whose rate is computed from one reading: a shorter window describes the start-up
/// more than the container.
pub(crate) const FRESH_CONTAINER_MINIMUM: Duration = Duration::from_secs(10);

/// The smallest age of a container with provisional usage: CPU time over a shorter window is noise.
const PROVISIONAL_MINIMUM: Duration = Duration::from_millis(1500);

/// The age from which a container has no provisional usage, in resolutions: by then there is a second point.
const PROVISIONAL_REACH: u32 = 2;

/// The largest distance of the two points of a pair, in resolutions.
const PAIR_REACH: u32 = 5;

/// Far more than any node has: a larger value comes from a broken counter.
const MAX_CPU: Nanocores = Nanocores(10_000 * 1_000_000_000);
const MAX_MEMORY: Bytes = Bytes(1 << 50);

/// The largest CPU usage that is likely for one container.
const LIKELY_CPU: Nanocores = Nanocores(1000 * 1_000_000_000);

/// A memory reading above the node's memory times this factor is impossible. The factor is large because memory can be
/// added to a machine, while a kubelet reports the memory at its start.
const MEMORY_FACTOR: u64 = 16;

/// The time that may pass on a busy node between the kubelet's reading of a counter and of the time. A rate may be too
/// large by what all cores do in it.
const READ_JITTER_NS: u128 = 250_000_000;

/// The largest usage that a node can have. A larger one comes from a broken reading or an unrelated pair of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    cpu: Nanocores,
    memory: Bytes,
}

impl Default for Bounds {
    /// The bounds for a node of unknown size.
    fn default() -> Self {
        Self {
            cpu: MAX_CPU,
            memory: MAX_MEMORY,
        }
    }
}

impl Bounds {
    /// The bounds for a node with this CPU and memory; zero counts as unknown.
    pub fn of(cpu: Option<Nanocores>, memory: Option<Bytes>) -> Self {
        let (max_cpu, max_memory) = (MAX_CPU.0, MAX_MEMORY.0);
        let or_max = |amount: Option<u64>, most: u64| amount.filter(|it| *it > 0).unwrap_or(most);
        Self {
            cpu: Nanocores(or_max(cpu.map(|it| it.0), max_cpu).min(max_cpu)),
            memory: Bytes(or_max(memory.map(|it| it.0), max_memory).min(max_memory)),
        }
    }

    /// The same bounds, with at most the CPU that is likely for one container.
    pub(super) fn likely(&self) -> Self {
        Self {
            cpu: self.cpu.min(LIKELY_CPU),
            ..*self
        }
    }

    /// Whether the usage is possible. CPU may exceed the bound by a tenth, and by more in a short window
    /// ([`READ_JITTER_NS`]). Memory is not computed, so it is either right or far off.
    fn allow(&self, usage: &Usage) -> bool {
        let window = u128::from(usage.window.0.max(1).unsigned_abs());
        let cpu = u128::from(self.cpu.0);
        let most = cpu + cpu / 10 + cpu * READ_JITTER_NS / window;
        u128::from(usage.cpu.0) <= most.min(MAX_CPU.0.into())
            && usage.memory.0
                <= self
                    .memory
                    .0
                    .saturating_mul(MEMORY_FACTOR)
                    .min(MAX_MEMORY.0)
    }
}

/// A complete reading: CPU and memory are not zero, and it has a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The time of the reading by the kubelet's clock.
    pub at: Timestamp,
    /// Cumulative CPU time since the start, in nanoseconds.
    pub cpu_ns: u64,
    /// Working set.
    pub memory: Bytes,
    /// The start of the container; the epoch for a node, and if the kubelet does not report it.
    pub start: Timestamp,
}

/// What is missing in a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// No CPU line.
    NoCpu,
    /// CPU time is zero.
    ZeroCpu,
    /// No memory line.
    NoMemory,
    /// The working set is zero.
    ZeroMemory,
    /// A line has an invalid value or time.
    BadLine,
    /// The kubelet reported several values, and it is unknown which one is right.
    Duplicate,
}

impl Lack {
    /// All of them.
    pub(super) const ALL: [Self; 6] = [
        Self::NoCpu,
        Self::ZeroCpu,
        Self::NoMemory,
        Self::ZeroMemory,
        Self::BadLine,
        Self::Duplicate,
    ];
}

impl NoRate {
    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::FirstPoint,
        Self::Restarted,
        Self::WentBackwards,
        Self::Impossible,
        Self::ClockStepped,
    ];
}

impl Point {
    /// Converts a complete reading to a point. `sent`, the time of the request, replaces a missing timestamp, as in
    /// metrics-server.
    ///
    /// # Errors
    /// What is missing in the reading.
    pub fn whole(reading: &Reading, sent: Timestamp) -> Result<Self, Lack> {
        let cpu_ns = match reading.cpu_ns {
            None => return Err(Lack::NoCpu),
            Some(0) => return Err(Lack::ZeroCpu),
            Some(cpu_ns) => cpu_ns,
        };
        let memory = match reading.memory {
            None => return Err(Lack::NoMemory),
            Some(0) => return Err(Lack::ZeroMemory),
            Some(memory) => Bytes(memory),
        };
        Ok(Self {
            at: reading.at.unwrap_or(sent),
            cpu_ns,
            memory,
            start: Timestamp(reading.start.unwrap_or(0)),
        })
    }
}

/// The usage of a container or node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The time of the second point.
    pub at: Timestamp,
    /// The time from the first point to the second.
    pub window: GoDuration,
    /// CPU over the window.
    pub cpu: Nanocores,
    /// Working set at `at`.
    pub memory: Bytes,
}

/// Why a complete reading gives no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRate {
    /// The first point since the server, the node or the container (re)started, or since a long gap.
    FirstPoint,
    /// The container restarted since its last point.
    Restarted,
    /// The counter, or the start time, went backwards without a restart.
    WentBackwards,
    /// The rate is larger than the node allows: a reading is broken.
    Impossible,
    /// The node's clock was set between its last two points.
    ClockStepped,
}

/// The last two points of a counter, as the last point and the rate from both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    last: Point,
    rate: Result<Rate, NoRate>,
}

/// A usage without the memory, which is that of the last point. Every container has one, so it is small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    at: Timestamp,
    window: NonZeroI64,
    cpu: Nanocores,
}

impl Pair {
    /// Starts with a point, which is enough for the rate of a young container. `why` is the reason if it gives no rate.
    pub(super) fn begin(why: NoRate, first: Point, resolution: Duration, bounds: &Bounds) -> Self {
        let usage = since_start(&first, resolution).ok_or(why);
        Self {
            last: first,
            rate: usage.and_then(|usage| possible(&usage, bounds)),
        }
    }

    /// Restores a pair of an earlier process.
    pub(super) fn restore(last: Point, usage: Option<Usage>) -> Self {
        let usage = usage.ok_or(NoRate::FirstPoint);
        Self {
            last,
            rate: usage.and_then(|usage| possible(&usage, &Bounds::default())),
        }
    }

    /// Offers the next point. Returns whether it is newer than the last point; otherwise it changes nothing.
    pub fn offer(&mut self, next: Point, resolution: Duration, bounds: &Bounds) -> bool {
        let is_older = |rate: Rate| next.at < rate.at;
        if next.at <= self.last.at || self.rate.is_ok_and(is_older) {
            return false;
        }
        self.rate = match since_start(&next, resolution) {
            Some(usage) => Ok(usage),
            None => between(&self.last, &next, resolution),
        }
        .and_then(|usage| possible(&usage, bounds));
        self.last = next;
        true
    }

    /// Starts with the point of an early scrape; none if one point is not enough for a rate.
    pub(super) fn begin_early(point: Point, resolution: Duration, bounds: &Bounds) -> Option<Self> {
        let usage = since_start(&point, resolution)?;
        let rate = possible(&usage, bounds).ok()?;
        Some(Self {
            last: point,
            rate: Ok(rate),
        })
    }

    /// Offers a point of an early scrape. It changes a run of the container without a rate only, and only if the point
    /// alone is enough. The last point of the same run stays, so that the next turn makes the same rate as without the
    /// early scrape. Returns whether it changed anything.
    pub(super) fn offer_early(
        &mut self,
        point: Point,
        resolution: Duration,
        bounds: &Bounds,
    ) -> bool {
        let new_run = point.start >= self.last.at;
        if !new_run && (self.rate.is_ok() || point.at <= self.last.at) {
            return false;
        }
        let Some(early) = Self::begin_early(point, resolution, bounds) else {
            return false;
        };
        self.rate = early.rate;
        if new_run {
            self.last = early.last;
        } else {
            // The memory of the usage; no rate is made of it.
            self.last.memory = early.last.memory;
        }
        true
    }

    /// Uses the kubelet's own rate until the second point arrives.
    pub fn use_first_rates(&mut self, usage: Usage, bounds: &Bounds) {
        if self.rate == Err(NoRate::FirstPoint) {
            let usage = Usage {
                memory: self.last.memory,
                ..usage
            };
            self.rate = possible(&usage, bounds);
        }
    }

    /// Whether the point can be the counter's next one: later, not smaller, and within the bounds.
    pub(super) fn may_continue_with(&self, next: &Point, bounds: &Bounds) -> bool {
        let window = next.at.since(self.last.at);
        window > 0
            && next.cpu_ns >= self.last.cpu_ns
            && bounds.allow(&usage(next, self.last.cpu_ns, window))
    }

    /// The rate, or why there is none.
    pub fn usage(&self) -> Result<Usage, NoRate> {
        self.rate.map(|rate| Usage {
            at: rate.at,
            window: GoDuration(rate.window.get()),
            cpu: rate.cpu,
            memory: self.last.memory,
        })
    }

    /// The newest point.
    pub fn last(&self) -> &Point {
        &self.last
    }
}

/// Rule (a): one reading is enough for a container that started between 10 s and one resolution ago, because its
/// counter was zero at the start.
fn since_start(point: &Point, resolution: Duration) -> Option<Usage> {
    of_age(point, FRESH_CONTAINER_MINIMUM..resolution)
}

/// The usage since the start of a container that has no rate yet. metrics-server has none, so it is for people only.
pub(super) fn provisional(point: &Point, resolution: Duration, bounds: &Bounds) -> Option<Usage> {
    let most = resolution.saturating_mul(PROVISIONAL_REACH);
    of_age(point, PROVISIONAL_MINIMUM..most).filter(|usage| bounds.allow(usage))
}

/// The usage since the start of a container of such an age.
fn of_age(point: &Point, ages: Range<Duration>) -> Option<Usage> {
    let age = point.at.0.checked_sub(point.start.0)?;
    let ages = nanos(ages.start)..nanos(ages.end);
    (point.start.0 > 0 && ages.contains(&age)).then(|| usage(point, 0, age))
}

/// Rules (b) and (c): both points are of one run of the container, near each other, and the counter did not fall.
fn between(first: &Point, second: &Point, resolution: Duration) -> Result<Usage, NoRate> {
    let restarted = second.start.0 != 0 && second.start >= first.at;
    if restarted {
        return Err(NoRate::Restarted);
    }
    let window = second.at.0.saturating_sub(first.at.0);
    if window > nanos(resolution.saturating_mul(PAIR_REACH)) {
        return Err(NoRate::FirstPoint);
    }
    if second.cpu_ns < first.cpu_ns || (second.start.0 != 0 && second.start < first.start) {
        return Err(NoRate::WentBackwards);
    }
    Ok(usage(second, first.cpu_ns, window))
}

/// The rate of a usage that the bounds allow.
fn possible(usage: &Usage, bounds: &Bounds) -> Result<Rate, NoRate> {
    let window = NonZeroI64::new(usage.window.0).filter(|_| bounds.allow(usage));
    window
        .map(|window| Rate {
            at: usage.at,
            window,
            cpu: usage.cpu,
        })
        .ok_or(NoRate::Impossible)
}

/// The usage, with the floating-point steps of metrics-server, so that both agree to the nanocore.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the peer's own conversions, truncation included"
)]
fn usage(second: &Point, first_cpu_ns: u64, window_ns: i64) -> Usage {
    const SECOND: i64 = 1_000_000_000;
    // As Go's Duration.Seconds(): converts whole seconds and the rest separately.
    let seconds = (window_ns / SECOND) as f64 + (window_ns % SECOND) as f64 / 1e9;
    let spent = second.cpu_ns.saturating_sub(first_cpu_ns) as f64;
    Usage {
        at: second.at,
        window: GoDuration(window_ns),
        cpu: Nanocores((spent / seconds) as u64),
        memory: second.memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RESOLUTION: Duration = Duration::from_secs(15);
    const EPOCH: i64 = 1_800_000_000;
    const LONG_AGO: f64 = -3600.0;

    fn at(seconds: f64) -> Timestamp {
        Timestamp(EPOCH * 1_000_000_000 + (seconds * 1e9) as i64)
    }

    fn point(seconds: f64, cpu_ms: u64, start: f64) -> Point {
        Point {
            at: at(seconds),
            cpu_ns: cpu_ms * 1_000_000,
            memory: Bytes(1 << 20),
            start: at(start),
        }
    }

    fn begin(first: Point) -> Pair {
        Pair::begin(NoRate::FirstPoint, first, RESOLUTION, &Bounds::default())
    }

    fn offer(pair: &mut Pair, next: Point) -> bool {
        pair.offer(next, RESOLUTION, &Bounds::default())
    }

    fn pair(first: Point, second: Point) -> Result<Usage, NoRate> {
        let mut pair = begin(first);
        offer(&mut pair, second);
        pair.usage()
    }

    #[test]
    fn a_reading_is_whole_when_both_values_are_there_and_not_zero() {
        for (cpu_ns, memory, lack) in [
            (Some(1), Some(1), None),
            (None, Some(1), Some(Lack::NoCpu)),
            (Some(0), Some(1), Some(Lack::ZeroCpu)),
            (Some(1), None, Some(Lack::NoMemory)),
            (Some(1), Some(0), Some(Lack::ZeroMemory)),
        ] {
            let reading = Reading {
                cpu_ns,
                memory,
                ..Reading::default()
            };
            let whole = Point::whole(&reading, at(7.0));
            // The time at which the request was sent replaces a missing timestamp.
            assert_eq!(whole.map(|point| point.at), lack.map_or(Ok(at(7.0)), Err));
            let stamped = Reading {
                at: Some(at(0.0)),
                ..reading
            };
            let whole = Point::whole(&stamped, at(9.0));
            assert_eq!(whole.map(|point| point.at), lack.map_or(Ok(at(0.0)), Err));
        }
    }

    #[test]
    fn two_points_make_a_rate_with_the_time_of_the_second() {
        let usage = pair(point(0.0, 1000, LONG_AGO), point(15.0, 2500, LONG_AGO)).unwrap();
        assert_eq!(usage.cpu, Nanocores(100_000_000));
        assert_eq!(usage.at, at(15.0));
        assert_eq!(usage.window, GoDuration(15_000_000_000));
    }

    #[test]
    fn a_container_started_ten_seconds_to_one_resolution_ago_needs_one_point() {
        for (age, expected) in [(9.9, false), (10.0, true), (14.9, true), (15.0, false)] {
            let first = begin(point(age, 600, 0.0));
            assert_eq!(first.usage().is_ok(), expected, "started {age} s ago");
        }
    }

    #[test]
    fn an_early_point_adds_a_rate_and_changes_none() {
        let early =
            |pair: &mut Pair, point| pair.offer_early(point, RESOLUTION, &Bounds::default());
        // A turn reads the container half a second after its start.
        let mut pair = begin(point(0.5, 300, 0.0));
        assert!(!early(&mut pair, point(9.9, 900, 0.0)), "too young");
        assert!(early(&mut pair, point(10.25, 1025, 0.0)));
        let usage = pair.usage().unwrap();
        assert_eq!(
            (usage.cpu, usage.window.0),
            (Nanocores(100_000_000), 10_250_000_000)
        );
        assert!(!early(&mut pair, point(11.0, 9000, 0.0)), "it has a rate");
        // cAdvisor's first sample is older than the one that the kubelet made for the early scrape.
        assert!(!offer(&mut pair, point(9.0, 900, 0.0)));
        assert_eq!(pair.usage(), Ok(usage));
        // The next turn: the rate since the first turn, as without the early scrape.
        assert!(offer(&mut pair, point(15.5, 1800, 0.0)));
        let mut without = begin(point(0.5, 300, 0.0));
        offer(&mut without, point(15.5, 1800, 0.0));
        assert_eq!(pair, without);

        // A restart: the rate of the run before is not the new run's.
        let mut pair = begin(point(0.0, 1000, LONG_AGO));
        offer(&mut pair, point(15.0, 2500, LONG_AGO));
        assert!(!early(&mut pair, point(25.0, 800, 16.0)));
        assert!(early(&mut pair, point(26.5, 1050, 16.0)));
        assert_eq!(pair.usage().unwrap().cpu, Nanocores(100_000_000));
        assert_eq!(pair.last().at, at(26.5));
    }

    #[test]
    fn usage_is_provisional_until_two_resolutions_after_the_start() {
        for (age, expected) in [
            (1.4, false),
            (1.5, true),
            (9.9, true),
            (29.9, true),
            (30.0, false),
        ] {
            let usage = provisional(&point(age, 600, 0.0), RESOLUTION, &Bounds::default());
            assert_eq!(usage.is_some(), expected, "started {age} s ago");
        }
        let bounds = Bounds::of(Some(Nanocores(1_000_000_000)), None);
        let impossible = provisional(&point(3.0, 90_000, 0.0), RESOLUTION, &bounds);
        assert_eq!(impossible, None);
    }

    #[test]
    fn a_falling_counter_or_start_time_gives_no_rate_and_resets_the_series() {
        let mut pair = begin(point(0.0, 1000, LONG_AGO));
        offer(&mut pair, point(15.0, 500, LONG_AGO));
        assert_eq!(pair.usage(), Err(NoRate::WentBackwards));
        offer(&mut pair, point(30.0, 1500, LONG_AGO));
        assert_eq!(pair.usage().unwrap().cpu, Nanocores(66_666_666));
        offer(&mut pair, point(45.0, 1600, LONG_AGO - 100.0));
        assert_eq!(pair.usage(), Err(NoRate::WentBackwards));
    }

    #[test]
    fn a_repeated_or_older_point_changes_nothing() {
        let mut pair = begin(point(0.0, 1000, LONG_AGO));
        assert!(offer(&mut pair, point(15.0, 2500, LONG_AGO)));
        let before = pair.clone();
        assert!(!offer(&mut pair, point(15.0, 9999, LONG_AGO)));
        assert!(!offer(&mut pair, point(10.0, 1, LONG_AGO)));
        assert_eq!(pair, before);
    }

    #[test]
    fn only_possible_points_of_one_run_near_each_other_are_a_pair() {
        let first = point(0.0, 1000, LONG_AGO);
        let unknown = |point: Point| Point {
            start: Timestamp(0),
            ..point
        };
        let second = point(15.0, 1100, LONG_AGO);
        let restarted = point(20.0, 10, 3.0);
        let cpu_ns = u64::MAX;
        let memory = Bytes(u64::MAX);
        for (first, second, expected) in [
            (first, restarted, Err(NoRate::Restarted)),
            (unknown(first), unknown(second), Ok(())),
            // Five resolutions, and more.
            (first, point(75.0, 2000, LONG_AGO), Ok(())),
            (
                first,
                point(75.001, 2000, LONG_AGO),
                Err(NoRate::FirstPoint),
            ),
            // More than any machine has.
            (first, Point { cpu_ns, ..second }, Err(NoRate::Impossible)),
            (first, Point { memory, ..second }, Err(NoRate::Impossible)),
        ] {
            assert_eq!(pair(first, second).map(drop), expected, "{second:?}");
        }
    }

    #[test]
    fn no_rate_exceeds_the_capacity_of_the_node() {
        let bounds = Bounds::of(Some(Nanocores(4_000_000_000)), Some(Bytes(8 << 30)));
        // Milliseconds of CPU over a window of milliseconds.
        for (window, cpu, possible) in [
            (15_000, 60_000, true),
            // The tick in which the counter is read.
            (15_000, 66_000, true),
            (15_000, 70_000, false),
            (15_000, 30_000_000, false),
            // A short window is made of little more than that.
            (1000, 5000, true),
            (1000, 6000, false),
            (300, 2000, true),
            (300, 40_000, false),
            (75_000, 330_000, true),
            (75_000, 340_000, false),
        ] {
            let mut pair = begin(point(0.0, 1000, LONG_AGO));
            let next = point(f64::from(window) / 1e3, 1000 + cpu, LONG_AGO);
            assert_eq!(
                pair.may_continue_with(&next, &bounds),
                possible,
                "{cpu} in {window}"
            );
            pair.offer(next, RESOLUTION, &bounds);
            assert_eq!(pair.usage().is_ok(), possible, "{cpu} in {window}");
        }
        for (gibibytes, possible) in [(8, true), (128, true), (129, false), (1 << 20, false)] {
            let mut pair = begin(point(0.0, 1000, LONG_AGO));
            let memory = Bytes(gibibytes << 30);
            let next = Point {
                memory,
                ..point(15.0, 2000, LONG_AGO)
            };
            pair.offer(next, RESOLUTION, &bounds);
            let expected = if possible {
                Ok(memory)
            } else {
                Err(NoRate::Impossible)
            };
            assert_eq!(pair.usage().map(|usage| usage.memory), expected);
        }
        // One reading of a young container is bounded too, and so is the kubelet's own rate.
        let first = point(12.0, 90_000, 0.0);
        let young = Pair::begin(NoRate::FirstPoint, first, RESOLUTION, &bounds);
        assert_eq!(young.usage(), Err(NoRate::Impossible));
        let mut first = begin(point(0.0, 1000, LONG_AGO));
        let usage = Usage {
            at: at(0.0),
            window: GoDuration(20_000_000_000),
            cpu: Nanocores(5_000_000_000),
            memory: Bytes(0),
        };
        first.use_first_rates(usage, &bounds);
        assert_eq!(first.usage(), Err(NoRate::Impossible));
    }

    #[test]
    fn a_node_of_unknown_size_has_the_absolute_bound() {
        for unknown in [
            Bounds::of(None, None),
            Bounds::of(Some(Nanocores(0)), Some(Bytes(0))),
            Bounds::of(Some(Nanocores(u64::MAX)), Some(Bytes(u64::MAX))),
        ] {
            assert_eq!(unknown, Bounds::default());
        }
    }

    proptest! {
        #[test]
        fn no_input_panics_and_a_rate_never_exceeds_what_was_spent(
            first in any::<(i64, u64, i64)>(), second in any::<(i64, u64, i64)>(), seconds in 10u64..3600,
        ) {
            let resolution = Duration::from_secs(seconds);
            let to_point = |(at, cpu_ns, start): (i64, u64, i64)| Point {
                at: Timestamp(at), cpu_ns, memory: Bytes(1), start: Timestamp(start),
            };
            let bounds = Bounds::default();
            let mut pair = Pair::begin(NoRate::FirstPoint, to_point(first), resolution, &bounds);
            pair.offer(to_point(second), resolution, &bounds);
            if let Ok(usage) = pair.usage() {
                prop_assert!(usage.window.0 > 0);
                prop_assert!(usage.window.0 <= nanos(resolution * PAIR_REACH));
                prop_assert!(usage.cpu <= MAX_CPU);
            }
        }
    }
}
