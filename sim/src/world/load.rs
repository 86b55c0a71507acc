//! What a container uses, as a function of time.
//!
//! CPU is written down as its integral: the counter a cgroup keeps can then be read at any time, without stepping
//! through the ones before, and a rate made of two readings is exact. Every part of the integral has a closed form:
//! the noise is bounded value noise added to the integral itself, and every slot of time has one burst of the same
//! area, however tall and long it is.

use std::f64::consts::TAU;

use super::hash::{between, hash, unit};

const DAY: f64 = 86_400.0;

/// The two octaves of noise: seconds between knots, and how much of the mean it may add or take.
const NOISE: [(f64, f64); 2] = [(45.0, 0.06), (420.0, 0.10)];
/// A smoothstep is at most this much steeper than the line between its knots.
#[cfg(test)]
const STEEPEST: f64 = 1.5;

/// How a kind of container spends CPU and memory.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Profile {
    /// Mean CPU in nanocores, before the share of bursts.
    pub(crate) cpu: f64,
    /// How much of it comes and goes with the day, 0 to 0.4.
    pub(crate) daily: f64,
    /// Area of the burst each slot has: as many seconds of the mean.
    pub(crate) burst: f64,
    /// Nanocore-seconds spent on starting.
    pub(crate) startup: f64,
    /// Mean working set in bytes.
    pub(crate) memory: f64,
    /// The share of itself by which it grows over days, up to a limit.
    pub(crate) creep: f64,
}

/// Seconds in which every container has one burst.
const SLOT: f64 = 600.0;
/// The shortest burst, in seconds; the longest is a third of the slot.
const SHORTEST: f64 = 20.0;
/// Seconds after which most of the creep is over.
const CREEPING: f64 = 40_000.0;
/// Seconds after which most of the starting work is done.
const STARTING: f64 = 20.0;

/// One container's own version of its kind's profile.
///
/// Times are seconds since the world's epoch: small enough that an `f64` holds a counter to the nanosecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    profile: &'static Profile,
    seed: u64,
    /// Replicas of one workload share the time of day at which they are busy.
    day_phase: f64,
    /// This container's share of the mean: no two replicas are equally busy.
    share: f64,
}

impl Load {
    pub(crate) fn new(profile: &'static Profile, seed: u64, workload_seed: u64) -> Self {
        Self {
            profile,
            seed,
            day_phase: unit(hash(workload_seed, 11)) * TAU,
            share: between(hash(seed, 12), 0.7, 1.3),
        }
    }

    /// The most nanocores it ever uses, starting aside.
    #[cfg(test)]
    pub(crate) fn peak_cpu(profile: &Profile) -> f64 {
        let noise: f64 = NOISE.iter().map(|(_, a)| a * STEEPEST * 2.0).sum();
        1.3 * profile.cpu * (1.0 + profile.daily + noise + profile.burst / SHORTEST)
    }

    /// CPU nanoseconds used at `t` since `start` (the container's own), both in seconds.
    pub(crate) fn cpu_nanos(&self, start: f64, t: f64) -> u64 {
        if t <= start {
            return 0;
        }
        let started = self.profile.startup * (1.0 - (-(t - start) / STARTING).exp());
        let spent = self.cumulative(t) - self.cumulative(start) + started;
        spent.max(0.0) as u64
    }

    /// Working set at `t` of a container started at `start`, in bytes: whole pages.
    pub(crate) fn memory_bytes(&self, start: f64, t: f64) -> u64 {
        let age = (t - start).max(0.0);
        let warm = 0.55 + 0.45 * (1.0 - (-age / 90.0).exp());
        let creep = 1.0 + self.profile.creep * (1.0 - (-age / CREEPING).exp());
        let slow = self.noise(21, 180.0, t) - 0.5;
        let fast = self.noise(22, 30.0, t) - 0.5;
        let bytes =
            self.profile.memory * self.share * warm * creep * (1.0 + 0.12 * slow + 0.03 * fast);
        pages(bytes)
    }

    /// The integral of the rate, up to a constant, in nanocore-seconds.
    fn cumulative(&self, t: f64) -> f64 {
        let p = self.profile;
        let day = -(p.daily * DAY / TAU) * (TAU * t / DAY + self.day_phase).cos();
        let noise: f64 = NOISE
            .iter()
            .zip(31_u64..)
            .map(|((knots, share), stream)| share * 2.0 * knots * self.noise(stream, *knots, t))
            .sum();
        p.cpu * self.share * (t + day + noise + p.burst * self.bursts(t))
    }

    /// Value noise in [0, 1], smooth between knots `every` seconds apart.
    fn noise(&self, stream: u64, every: f64, t: f64) -> f64 {
        let seed = hash(self.seed, stream);
        let x = t / every + unit(seed);
        let knot = x.floor();
        let at = |k: f64| unit(hash(seed, k as u64));
        let u = x - knot;
        let smooth = u * u * (3.0 - 2.0 * u);
        at(knot) + (at(knot + 1.0) - at(knot)) * smooth
    }

    /// How many bursts there have been, the one under way in part.
    fn bursts(&self, t: f64) -> f64 {
        let x = t / SLOT + unit(hash(self.seed, 41));
        let slot = x.floor();
        let h = hash(self.seed, 1_000 + slot as u64);
        let length = between(h, SHORTEST, SLOT / 3.0) / SLOT;
        let begin = unit(hash(h, 42)) * (1.0 - length);
        slot + ((x - slot - begin) / length).clamp(0.0, 1.0)
    }
}

/// Whole pages, at least one.
pub(crate) fn pages(bytes: f64) -> u64 {
    ((bytes.max(0.0) as u64) & !0xfff).max(4096)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile() -> impl Strategy<Value = Profile> {
        (1e4..2e9, 0.0..0.4, 0.0..100.0, 0.0..5e9, 1e5..4e9).prop_map(
            |(cpu, daily, burst, startup, memory)| Profile {
                cpu,
                daily,
                burst,
                startup,
                memory,
                creep: 0.3,
            },
        )
    }

    /// Profiles are static in the catalogue; a test's few may stay for its while.
    fn leaked(profile: Profile) -> &'static Profile {
        Box::leak(Box::new(profile))
    }

    proptest! {
        #[test]
        fn counters_never_fall_and_rates_stay_below_the_peak(
            profile in profile(), seed: u64, start in 0.0..3e6, step in 0.5..120.0,
        ) {
            let load = Load::new(leaked(profile), seed, seed ^ 7);
            let peak = Load::peak_cpu(&profile);
            let mut last = 0;
            for n in 0..200 {
                let t = start + f64::from(n) * step;
                let now = load.cpu_nanos(start, t);
                prop_assert!(now >= last);
                let starting = profile.startup * step / STARTING;
                let rate = (now - last) as f64;
                prop_assert!(rate <= peak * step + starting + 2.0, "{} > {}", rate / step, peak);
                last = now;
            }
        }

        #[test]
        fn a_running_container_uses_something(profile in profile(), seed: u64, start in 0.0..3e6) {
            let load = Load::new(leaked(profile), seed, 1);
            prop_assert!(load.cpu_nanos(start, start + 1.0) > 0);
            let memory = load.memory_bytes(start, start + 1.0);
            prop_assert!(memory > 0 && memory.is_multiple_of(4096));
        }

        #[test]
        fn a_reading_does_not_depend_on_readings_between(profile in profile(), seed: u64, start in 0.0..3e6) {
            let load = Load::new(leaked(profile), seed, 1);
            let t = start + 777.7;
            let direct = load.cpu_nanos(start, t);
            let _ = (0..50).map(|n| load.cpu_nanos(start, start + f64::from(n))).sum::<u64>();
            prop_assert_eq!(direct, load.cpu_nanos(start, t));
        }
    }

    #[test]
    fn the_mean_over_days_is_the_profile_s() {
        let profile = Profile {
            cpu: 1e8,
            daily: 0.3,
            burst: 0.0,
            startup: 0.0,
            memory: 1e8,
            creep: 0.0,
        };
        let load = Load::new(leaked(profile), 5, 5);
        let mean = load.cpu_nanos(0.0, 3.0 * DAY) as f64 / (3.0 * DAY);
        assert!((0.7e8..1.3e8).contains(&mean), "{mean}");
    }
}
