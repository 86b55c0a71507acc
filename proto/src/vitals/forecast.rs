//! When a value that grows reaches its limit.
//!
//! The growth is the Theil–Sen estimate: the median of the slopes between all pairs of samples. A few samples of a
//! clean-up or a burst do not move it, as they would the line of least squares. A value that goes up and down has a
//! growth too, but nothing follows from it: only a growth that three of four pairs confirm is [steady](Growth::steady).
//!
//! The server uses the rule for volumes. The dashboard's forecasts have the same estimate, and ask for more: they are made
//! from an hour of usage, which varies more than a disk.

use std::time::Duration;

/// The shortest time between the first and the last sample.
pub const MIN_SPAN: Duration = Duration::from_secs(10 * 60);

/// The fewest samples.
pub const MIN_SAMPLES: usize = 5;

/// A limit that is reached later is not forecast.
pub const HORIZON: Duration = Duration::from_secs(30 * 86_400);

/// The most samples that are compared with each other; of more samples, so many at equal distances.
const MAX_SAMPLES: usize = 60;

/// The part of all pairs that have to rise for a steady growth.
const STEADY: f64 = 0.75;

/// A value at a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sample {
    /// The time, in seconds since the epoch.
    pub at: u32,
    /// The value. Seven digits are enough for a trend.
    pub value: f32,
}

/// How a value changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The change in a second; negative if the value falls.
    pub per_second: f64,
    /// Whether at least three of four pairs of samples rise.
    pub steady: bool,
}

impl Growth {
    /// The growth over samples in the order of time. `None` if there are fewer than [`MIN_SAMPLES`], or less than
    /// [`MIN_SPAN`] is between the first and the last.
    #[must_use]
    pub fn of(samples: &[Sample]) -> Option<Self> {
        let (first, last) = (samples.first()?, samples.last()?);
        let span = Duration::from_secs(last.at.checked_sub(first.at)?.into());
        if samples.len() < MIN_SAMPLES || span < MIN_SPAN {
            return None;
        }
        let stride = samples.len().div_ceil(MAX_SAMPLES);
        // The latest sample is always among them.
        let latest = samples.iter().rev().step_by(stride);
        let mut points: Vec<(f64, f64)> = latest
            .map(|sample| (sample.at.into(), sample.value.into()))
            .collect();
        points.reverse();
        let mut slopes = slopes(&points);
        let rising = slopes.iter().filter(|slope| **slope > 0.0).count();
        let steady = count(rising) >= STEADY * count(slopes.len());
        Some(Self {
            per_second: median(&mut slopes)?,
            steady,
        })
    }

    /// The time until a value reaches its limit: zero if it has, `None` if the growth is not steady or the time is
    /// longer than the [`HORIZON`].
    #[must_use]
    pub fn time_until(self, value: f64, limit: f64) -> Option<Duration> {
        if value >= limit {
            return Some(Duration::ZERO);
        }
        let rises = self.steady && self.per_second > 0.0;
        let seconds = rises.then(|| (limit - value) / self.per_second)?;
        let time = Duration::try_from_secs_f64(seconds).ok()?;
        (time <= HORIZON).then_some(time)
    }
}

/// The slopes between all pairs of points, in units a second. A point is its time in seconds and its value; points are in
/// the order of time. Pairs of one time, and values that are not finite, have no slope.
#[must_use]
pub fn slopes(points: &[(f64, f64)]) -> Vec<f64> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (at, (time, value)) in points.iter().enumerate() {
        let later = points.iter().skip(at + 1).filter(|(later, _)| later > time);
        let of_pairs = later.map(|(later, other)| (other - value) / (later - time));
        slopes.extend(of_pairs.filter(|slope| slope.is_finite()));
    }
    slopes
}

/// The median; of an even number the larger one of the two in the middle. `None` without values.
#[must_use]
pub fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[expect(clippy::cast_precision_loss, reason = "at most some thousand pairs")]
const fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Samples a minute apart.
    fn samples(values: impl IntoIterator<Item = f32>) -> Vec<Sample> {
        let values = values.into_iter().zip(0..);
        let sample = |(value, minute): (f32, u32)| Sample {
            at: 1_800_000_000 + minute * 60,
            value,
        };
        values.map(sample).collect()
    }

    #[test]
    fn a_growth_needs_ten_minutes_and_five_samples() {
        let minutes = |count: u16| samples((0..count).map(f32::from));
        for (samples, has_growth) in [
            (minutes(0), false),
            (minutes(1), false),
            (minutes(10), false),
            (minutes(11), true),
            (minutes(200), true),
            (minutes(11).into_iter().step_by(5).collect(), false),
        ] {
            assert_eq!(Growth::of(&samples).is_some(), has_growth, "{samples:?}");
        }
        // A clock that was set back.
        let mut backwards = minutes(20);
        backwards.reverse();
        assert_eq!(Growth::of(&backwards), None);
    }

    #[test]
    fn growth_is_what_most_pairs_show() {
        // The name, the values of half an hour, the growth in a minute, and whether it is steady.
        type Case = (&'static str, fn(u16) -> f32, f64, bool);
        let cases: [Case; 6] = [
            ("static", |_| 7e9, 0.0, false),
            ("rising", |at| 1e9 + f32::from(at) * 1e6, 1e6, true),
            ("falling", |at| 1e9 - f32::from(at) * 1e6, -1e6, false),
            (
                "rising with one clean-up that was undone",
                |at| f32::from(at) * 1e6 * if at == 12 { 0.0 } else { 1.0 },
                1e6,
                true,
            ),
            (
                "a log that is rotated every five minutes",
                |at| f32::from(at % 5) * 1e6,
                0.0,
                false,
            ),
            ("one step", |at| if at < 15 { 1e9 } else { 2e9 }, 0.0, false),
        ];
        for (name, value, per_minute, steady) in cases {
            let growth = Growth::of(&samples((0..30).map(value))).unwrap();
            let error = (growth.per_second * 60.0 - per_minute).abs();
            if name != "one step" {
                assert!(error <= 2e4, "{name}: {growth:?}");
            }
            assert_eq!(growth.steady, steady, "{name}: {growth:?}");
        }
    }

    #[test]
    fn the_time_until_full_is_within_thirty_days_or_unknown() {
        let growth = |per_second, steady| Growth { per_second, steady };
        let days = |days: u64| Some(Duration::from_secs(days * 86_400));
        for (growth, value, limit, expected) in [
            (growth(1.0, true), 0.0, 86_400.0, days(1)),
            (growth(1.0, true), 0.0, 30.0 * 86_400.0, days(30)),
            (growth(1.0, true), 0.0, 31.0 * 86_400.0, None),
            (growth(1.0, false), 0.0, 86_400.0, None),
            (growth(0.0, true), 0.0, 1.0, None),
            (growth(-1.0, true), 0.0, 1.0, None),
            // What is full is full, however it got there.
            (growth(0.0, false), 5.0, 5.0, days(0)),
            (growth(-1.0, true), 0.0, 0.0, days(0)),
            (growth(f64::MIN_POSITIVE, true), 0.0, f64::MAX, None),
        ] {
            assert_eq!(growth.time_until(value, limit), expected, "{growth:?}");
        }
    }

    proptest! {
        #[test]
        fn no_samples_panic(values in prop::collection::vec((any::<u32>(), any::<f32>()), 0..200), value: f64, limit: f64) {
            let samples: Vec<Sample> = values.into_iter().map(|(at, value)| Sample { at, value }).collect();
            if let Some(growth) = Growth::of(&samples) {
                prop_assert!(growth.per_second.is_finite());
                let _time = growth.time_until(value, limit);
            }
        }

        #[test]
        fn a_line_has_its_own_slope(slope in -1_000_i16..1_000, count in 11_u16..150) {
            let line = samples((0..count).map(|at| f32::from(at) * f32::from(slope) * 60.0));
            let growth = Growth::of(&line).unwrap();
            prop_assert!((growth.per_second - f64::from(slope)).abs() < 1.0, "{:?}", growth);
            prop_assert_eq!(growth.steady, slope > 0);
        }
    }
}
