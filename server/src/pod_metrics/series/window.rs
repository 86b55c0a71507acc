//! The samples of a series within the window, and the increase over them.

use std::collections::VecDeque;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;

/// The most intervals of a window.
pub(in crate::pod_metrics) const MAX_INTERVALS: u32 = 120;

/// The most samples: both ends of each interval.
const MAX_SAMPLES: usize = MAX_INTERVALS as usize + 1;

/// A value of which the increase is computed.
pub(in crate::pod_metrics) trait Cumulative: Clone {
    /// The increase since an earlier sample of the same series. A value that fell was reset: it counts from zero.
    fn since(&self, earlier: &Self) -> Self;

    /// Adds another increase.
    fn add(&mut self, other: &Self);

    /// The memory in bytes besides the type's own.
    fn bytes(&self) -> usize;
}

impl Cumulative for f64 {
    fn since(&self, earlier: &Self) -> Self {
        if self < earlier {
            *self
        } else {
            self - earlier
        }
    }

    fn add(&mut self, other: &Self) {
        *self += other;
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// The sum and the count of a summary.
impl Cumulative for (f64, f64) {
    fn since(&self, earlier: &Self) -> Self {
        if self.1 < earlier.1 {
            *self
        } else {
            // A sum may fall if observations are negative.
            (self.0 - earlier.0, self.1 - earlier.1)
        }
    }

    fn add(&mut self, other: &Self) {
        self.0 += other.0;
        self.1 += other.1;
    }

    fn bytes(&self) -> usize {
        0
    }
}

/// An increase, and the time between the first and the last sample of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pod_metrics) struct Increase<T> {
    pub(in crate::pod_metrics) value: T,
    pub(in crate::pod_metrics) over: Duration,
    pub(in crate::pod_metrics) at: Timestamp,
}

/// The samples of a series that are at most as old as the window, counted from the newest.
#[derive(Debug, Clone)]
pub(in crate::pod_metrics) struct Window<T> {
    samples: VecDeque<(Timestamp, T)>,
}

impl<T: Cumulative> Window<T> {
    /// A window with one sample.
    pub(super) fn new(at: Timestamp, sample: T) -> Self {
        let mut samples = VecDeque::with_capacity(1);
        samples.push_back((at, sample));
        Self { samples }
    }

    /// Adds a sample, and drops those that are older than `window`. Returns false for one that is not newer than the last.
    pub(super) fn push(&mut self, at: Timestamp, sample: T, window: Duration) -> bool {
        if self.samples.back().is_some_and(|(last, _)| at <= *last) {
            return false;
        }
        self.samples.push_back((at, sample));
        let oldest =
            at.0.saturating_sub(i64::try_from(window.as_nanos()).unwrap_or(i64::MAX));
        // As in Prometheus, a sample at the very begin of the window is not in it.
        while self.samples.len() > MAX_SAMPLES
            || self
                .samples
                .front()
                .is_some_and(|(first, _)| first.0 <= oldest)
        {
            self.samples.pop_front();
        }
        true
    }

    /// The newest sample.
    pub(super) fn last(&self) -> Option<&(Timestamp, T)> {
        self.samples.back()
    }

    /// The increase from the oldest to the newest sample; none of a single sample.
    pub(super) fn increase(&self) -> Option<Increase<T>> {
        let ((first, _), (at, _)) = (self.samples.front()?, self.samples.back()?);
        let later = self.samples.iter().skip(1);
        let steps = self.samples.iter().zip(later);
        let mut steps = steps.map(|((_, before), (_, after))| after.since(before));
        let mut value = steps.next()?;
        for step in steps {
            value.add(&step);
        }
        let over = Duration::from_nanos(u64::try_from(at.0 - first.0).ok()?);
        Some(Increase {
            value,
            over,
            at: *at,
        })
    }

    /// The memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        let samples = self.samples.iter();
        self.samples.capacity() * size_of::<(Timestamp, T)>()
            + samples.map(|(_, sample)| sample.bytes()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn window(samples: &[(i64, f64)]) -> Window<f64> {
        let mut all = samples.iter();
        let (at, value) = *all.next().unwrap();
        let mut window = Window::new(Timestamp::from_secs(at), value);
        for (at, value) in all {
            window.push(Timestamp::from_secs(*at), *value, WINDOW);
        }
        window
    }

    #[test]
    fn a_rate_is_the_increase_between_the_first_and_the_last_sample_of_the_window() {
        for (samples, expected) in [
            // At a steady interval this is what rate() of Prometheus extrapolates to.
            (
                &[(0, 10.0), (15, 40.0), (30, 70.0), (45, 100.0)][..],
                Some((90.0, 45)),
            ),
            // The first sample is no longer in the window.
            (
                &[(0, 0.0), (15, 15.0), (30, 30.0), (45, 45.0), (60, 60.0)],
                Some((45.0, 45)),
            ),
            // A scrape failed.
            (&[(0, 0.0), (45, 90.0)], Some((90.0, 45))),
            // The counter was reset, twice.
            (
                &[(0, 100.0), (15, 5.0), (30, 10.0), (45, 2.0)],
                Some((12.0, 45)),
            ),
            // A repeated time, and one of the past.
            (
                &[(0, 0.0), (15, 15.0), (15, 99.0), (10, 99.0)],
                Some((15.0, 15)),
            ),
            // Nothing was scraped for longer than the window.
            (&[(0, 0.0), (15, 15.0), (90, 20.0)], None),
            (&[(0, 1.0)], None),
        ] {
            let increase = window(samples).increase();
            let increase = increase.map(|it| (it.value, it.over.as_secs()));
            assert_eq!(increase, expected, "{samples:?}");
        }
    }

    #[test]
    fn a_window_is_bounded() {
        let mut window = window(&[(0, 0.0)]);
        for nanos in 1..1000 {
            window.push(Timestamp(nanos), 0.0, WINDOW);
        }
        assert_eq!(window.samples.len(), MAX_SAMPLES);
    }
}
