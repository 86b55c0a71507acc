//! When cAdvisor samples a cgroup: each has a schedule of its own.

use kubevitals_proto::time::Timestamp;

use super::hash::{hash, unit};

const MILLI: i64 = 1_000_000;

/// One of cAdvisor's samples of a cgroup: its usage, and the time of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) at: Timestamp,
    /// CPU nanoseconds since the cgroup came to be.
    pub(crate) cpu: u64,
    /// Working set in bytes.
    pub(crate) memory: u64,
}

/// How often a cgroup is sampled: the mean gap, and how far a gap may differ from it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    period: i64,
    jitter: i64,
}

impl Pace {
    /// Every 10–20 s: a cgroup that does something.
    pub(crate) const BUSY: Self = Self {
        period: 15_000,
        jitter: 5_000,
    };
    /// Every 15–30 s: cAdvisor backs off from what hardly changes.
    pub(crate) const IDLE: Self = Self {
        period: 22_500,
        jitter: 7_500,
    };
    /// Every 8–12 s: the root cgroup.
    pub(crate) const ROOT: Self = Self {
        period: 10_000,
        jitter: 2_000,
    };

    /// The last instant at or before `now` at which the cgroup of this seed was sampled: to the millisecond.
    ///
    /// Instants lie on a grid that each seed has to itself, every one moved by up to half the jitter, so that a gap
    /// is the period give or take the jitter; and nothing has to be remembered.
    pub(crate) fn last(self, seed: u64, now: Timestamp) -> Timestamp {
        let phase = (unit(seed) * self.period as f64) as i64;
        let now = now.as_millis();
        let k = (now - phase).div_euclid(self.period);
        // The instant of k may be after now (moved forward) and that of k+1 before it (moved back).
        let at = (-1..=1)
            .map(|d| self.instant(seed, phase, k + d))
            .filter(|at| *at <= now)
            .max();
        Timestamp::from_nanos(at.unwrap_or(now) * MILLI)
    }

    fn instant(self, seed: u64, phase: i64, k: i64) -> i64 {
        let moved = (unit(hash(seed, k.cast_unsigned())) - 0.5) * self.jitter as f64;
        phase + k * self.period + moved as i64
    }
}

/// The last sample of a cgroup that came to be, or changed, at `since`: cAdvisor samples a new one soon (`first`
/// after), and then at its own pace. `None` before that first sample.
pub(crate) fn last_sample(
    pace: Pace,
    seed: u64,
    since: Timestamp,
    now: Timestamp,
) -> Option<Timestamp> {
    let first = since.as_millis() + 400 + (unit(hash(seed, 1)) * 1_600.0) as i64;
    let first = Timestamp::from_nanos(first * MILLI);
    (now >= first).then(|| pace.last(seed, now).max(first))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn gaps_keep_to_the_pace(seed: u64, start in 1_700_000_000_i64..1_900_000_000) {
            for (pace, low, high) in [(Pace::BUSY, 10_000, 20_000), (Pace::IDLE, 15_000, 30_000), (Pace::ROOT, 8_000, 12_000)] {
                let mut last = pace.last(seed, Timestamp::from_secs(start));
                for step in 0..4000 {
                    let now = Timestamp::from_millis(start * 1000 + step * 250);
                    let at = pace.last(seed, now);
                    prop_assert!(at <= now && at >= last);
                    if at != last && step > 200 {
                        let gap = at.as_millis() - last.as_millis();
                        prop_assert!((low..=high).contains(&gap), "{gap}");
                    }
                    last = at;
                }
            }
        }

        #[test]
        fn a_new_cgroup_is_sampled_soon_after_its_creation(seed: u64, since in 1_700_000_000_i64..1_900_000_000) {
            let start = Timestamp::from_secs(since);
            prop_assert_eq!(last_sample(Pace::BUSY, seed, start, start), None);
            let soon = last_sample(Pace::BUSY, seed, start, start.plus_nanos(2_000 * MILLI));
            prop_assert!(soon.is_some_and(|at| at > start));
        }
    }
}
