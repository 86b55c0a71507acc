//! Forecasts: when a growing amount reaches its capacity if it continues to grow as it did.
//!
//! The slope is that of Theil and Sen: the median of the slopes between all pairs of points. A single peak does not change
//! it, as it would change a least-squares fit. To keep it cheap, samples are first reduced to at most [`MAX_POINTS`]
//! points.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::forecast::{median, slopes};

/// The number of points from which a slope is estimated: 276 pairs.
const MAX_POINTS: usize = 24;

/// A forecast needs at least this many points.
const MIN_POINTS: usize = 8;

/// A forecast needs samples over at least this time.
const MIN_SPAN: Duration = Duration::from_secs(600);

/// No forecast is further ahead than this.
const HORIZON: Duration = Duration::from_secs(24 * 3_600);

/// No forecast is further ahead than this many times the time that was observed: an hour says little about tomorrow.
const MAX_AHEAD: u32 = 12;

/// The part of the pairs that must rise, less the part that falls (Kendall's tau). Of noise it is about 0.
const MIN_AGREEMENT: f64 = 0.6;

/// The growth over the observed time, as a part of the capacity, that is more than a rounding.
const MIN_GROWTH: f64 = 0.02;

/// The time from the last sample until the amount reaches the capacity at the present trend. Samples are in order of
/// time. `None` if the amount does not grow steadily, is at its capacity already, or has far to go.
#[must_use]
pub fn forecast(samples: &[(Timestamp, f64)], capacity: f64) -> Option<Duration> {
    let (start, end) = (samples.first()?.0, samples.last()?.0);
    let observed = Duration::from_nanos(u64::try_from(end.since(start)).ok()?);
    if observed < MIN_SPAN || !capacity.is_finite() || capacity <= 0.0 {
        return None;
    }
    let points = reduced(samples, start);
    if points.len() < MIN_POINTS {
        return None;
    }
    let mut slopes = slopes(&points);
    let agreement: f64 = slopes.iter().map(|slope| sign(*slope)).sum::<f64>() / count(slopes.len());
    let slope = median(&mut slopes)?;
    let is_steady = agreement >= MIN_AGREEMENT;
    if !is_steady || slope * observed.as_secs_f64() < MIN_GROWTH * capacity {
        return None;
    }
    // The line through the medians, at the end.
    let mut heights: Vec<f64> = points
        .iter()
        .map(|(at, value)| value - slope * at)
        .collect();
    let now = median(&mut heights)? + slope * end.since(start) as f64 / 1e9;
    let latest = samples.last()?.1;
    if latest >= capacity {
        return None;
    }
    let left = Duration::try_from_secs_f64(((capacity - now).max(0.0)) / slope).ok()?;
    (left <= HORIZON.min(observed * MAX_AHEAD)).then_some(left)
}

/// At most [`MAX_POINTS`] points: the seconds from the start, and the mean of the samples of an equal part of the time.
#[expect(clippy::cast_precision_loss, reason = "spans of hours in seconds")]
fn reduced(samples: &[(Timestamp, f64)], start: Timestamp) -> Vec<(f64, f64)> {
    let chunk = samples.len().div_ceil(MAX_POINTS).max(1);
    let known = samples.chunks(chunk).filter_map(|chunk| {
        let all = count(chunk.len());
        let seconds: f64 = chunk
            .iter()
            .map(|(at, _)| at.since(start) as f64 / 1e9)
            .sum();
        let value: f64 = chunk.iter().map(|(_, value)| value).sum();
        value.is_finite().then_some((seconds / all, value / all))
    });
    known.collect()
}

fn sign(slope: f64) -> f64 {
    if slope > 0.0 {
        1.0
    } else if slope < 0.0 {
        -1.0
    } else {
        0.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
fn count(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_000_000;

    /// Samples every 30 s.
    fn samples(values: impl IntoIterator<Item = f64>) -> Vec<(Timestamp, f64)> {
        let at = |at: i64| Timestamp::from_secs(START + at * 30);
        (0..).map(at).zip(values).collect()
    }

    fn minutes(values: impl IntoIterator<Item = f64>) -> Option<u64> {
        forecast(&samples(values), 100.0).map(|left| left.as_secs() / 60)
    }

    /// A saw of this height on top of a slope of one each minute.
    fn saw(height: i32) -> impl Iterator<Item = f64> {
        (0..80).map(move |at| f64::from(at) / 2.0 + f64::from(at % 8 * height))
    }

    #[test]
    fn an_amount_that_grows_steadily_reaches_its_capacity() {
        let line = |from: f64, a_minute: f64, count: i32| {
            (0..count).map(move |at| from + a_minute * f64::from(at) / 2.0)
        };
        for (what, found, expected) in [
            ("half, in an hour", minutes(line(20.0, 0.5, 121)), Some(100)),
            ("fast", minutes(line(50.0, 1.0, 41)), Some(30)),
            ("too little data", minutes(line(50.0, 1.0, 19)), None),
            (
                "too few points",
                forecast(
                    &samples(line(50.0, 1.0, 41))
                        .iter()
                        .step_by(8)
                        .copied()
                        .collect::<Vec<_>>(),
                    100.0,
                )
                .map(|it| it.as_secs()),
                None,
            ),
            ("constant", minutes(line(50.0, 0.0, 121)), None),
            ("falls", minutes(line(90.0, -0.5, 121)), None),
            ("full already", minutes(line(90.0, 0.5, 121)), None),
            ("grows by a rounding", minutes(line(50.0, 0.01, 121)), None),
            ("too far ahead", minutes(line(1.0, 0.05, 121)), None),
            ("nothing", minutes([]), None),
            ("no numbers", minutes((0..121).map(|_| f64::NAN)), None),
            (
                "a small saw",
                minutes(saw(1)).map(|left| left / 10),
                Some(5),
            ),
            ("a large saw", minutes(saw(9)), None),
        ] {
            assert_eq!(found, expected, "{what}");
        }
        assert_eq!(forecast(&samples(line(20.0, 0.5, 121)), 0.0), None);
        assert_eq!(forecast(&samples(line(20.0, 0.5, 121)), f64::NAN), None);
    }

    #[test]
    fn a_single_peak_or_gap_changes_nothing() {
        let mut peak = samples((0..121).map(|at| 20.0 + f64::from(at) / 4.0));
        peak[60].1 = 99.0;
        peak.drain(80..100);
        let left = forecast(&peak, 100.0).unwrap().as_secs() / 60;
        assert!((97..=103).contains(&left), "{left}");
    }

    proptest! {
        #[test]
        fn noise_is_never_a_forecast(seed in prop::collection::vec(40.0..60.0, 24..240)) {
            // Values that are independent of time, however they are ordered, agree on no direction.
            let half = seed.len() / 2;
            let mirrored = seed.iter().take(half).chain(seed.iter().take(half).rev());
            prop_assert_eq!(forecast(&samples(mirrored.copied()), 100.0), None);
        }

        #[test]
        fn a_line_with_noise_is_forecast_about_right(
            from in 10.0..50.0_f64,
            a_minute in 0.2..0.6_f64,
            noise in prop::collection::vec(-0.5..0.5, 121..122),
        ) {
            let values = noise.iter().zip(0..).map(|(noise, at)| from + a_minute * f64::from(at) / 2.0 + noise);
            let left = forecast(&samples(values), 100.0).unwrap().as_secs_f64() / 60.0;
            let expected: f64 = (100.0 - from - a_minute * 60.0) / a_minute;
            prop_assert!((left - expected).abs() <= expected * 0.15 + 2.0, "{left} for {expected}");
        }

        #[test]
        fn nothing_panics_and_nothing_is_beyond_the_horizon(
            values in prop::collection::vec(any::<f64>(), 0..60),
            capacity in any::<f64>(),
        ) {
            if let Some(left) = forecast(&samples(values), capacity) {
                prop_assert!(left <= HORIZON);
            }
        }
    }
}
