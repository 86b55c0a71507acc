//! Points by steps of time.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;

use super::since;
use crate::store::ring::Sample;

/// More steps than any chart has columns.
pub const MAX_STEPS: usize = 11_000;

/// What is made of the points of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Aggregation {
    /// Their mean, each weighted with the time that it tells of.
    #[default]
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// Equal steps of time, one after the other: the n-th is from `since + n × step`, which is not of it, to
/// `since + (n + 1) × step`, which is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    since: Timestamp,
    step: i64,
    count: usize,
}

impl Steps {
    /// The steps that reach from `since` to `until` or beyond, at least one and at most [`MAX_STEPS`]. A `step` of
    /// nothing or less is a nanosecond.
    pub fn new(since: Timestamp, until: Timestamp, step: i64) -> Self {
        let step = step.max(1);
        let count = until
            .since(since)
            .max(1)
            .unsigned_abs()
            .div_ceil(step.unsigned_abs());
        let count = usize::try_from(count).unwrap_or(MAX_STEPS).min(MAX_STEPS);
        Self { since, step, count }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none, which is never so.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How long each is, in nanoseconds.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Where the n-th begins.
    pub(super) fn begins(&self, n: usize) -> Timestamp {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.since.plus_nanos(self.step.saturating_mul(n))
    }

    /// Where the first begins.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Where the last ends.
    pub fn until(&self) -> Timestamp {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        self.since.plus_nanos(self.step.saturating_mul(count))
    }

    /// One series by these steps; nothing for a step of which no point tells. `reach` is how long points reach back.
    pub(super) fn fold(
        &self,
        samples: &[Sample],
        reach: i64,
        fold: Aggregation,
    ) -> Vec<Option<vitals::Point>> {
        let mut steps = vec![Folded::default(); self.count];
        let mut before = None;
        for sample in samples {
            let from = since(before, sample, reach).max(self.since);
            before = Some(sample);
            let until = sample.at.min(self.until());
            if until <= from {
                continue;
            }
            let first = from.since(self.since) / self.step;
            // A step's end is of that step.
            let last = (until.since(self.since) - 1) / self.step;
            for n in first..=last {
                let begins = self.since.plus_nanos(n.saturating_mul(self.step));
                let ends = begins.plus_nanos(self.step);
                let told = until.min(ends).since(from.max(begins));
                if let Some(step) = usize::try_from(n).ok().and_then(|n| steps.get_mut(n)) {
                    step.add(sample, told, fold);
                }
            }
        }
        steps.iter().map(|step| step.point(fold)).collect()
    }
}

/// What a step has of its points.
#[derive(Clone, Copy, Debug, Default)]
struct Folded {
    /// Nanoseconds that points tell of.
    told: i64,
    cpu: u128,
    memory: u128,
    swap: u128,
    swaps: bool,
}

impl Folded {
    fn add(&mut self, sample: &Sample, told: i64, fold: Aggregation) {
        let weight = u128::from(told.unsigned_abs());
        let first = self.told == 0;
        let take = |so_far: &mut u128, value: u64| {
            let value = u128::from(value);
            match fold {
                Aggregation::Mean => *so_far += value * weight,
                Aggregation::Min if !first => *so_far = value.min(*so_far),
                Aggregation::Max if !first => *so_far = value.max(*so_far),
                Aggregation::Min | Aggregation::Max => *so_far = value,
            }
        };
        take(&mut self.cpu, sample.cpu.0);
        take(&mut self.memory, sample.memory.0);
        take(&mut self.swap, sample.swap.unwrap_or_default().0);
        self.swaps |= sample.swap.is_some();
        self.told = self.told.saturating_add(told);
    }

    fn point(&self, fold: Aggregation) -> Option<vitals::Point> {
        if self.told == 0 {
            return None;
        }
        let value = |so_far: u128| {
            let value = match fold {
                Aggregation::Mean => so_far / u128::from(self.told.unsigned_abs()),
                Aggregation::Min | Aggregation::Max => so_far,
            };
            u64::try_from(value).unwrap_or(u64::MAX)
        };
        Some(vitals::Point {
            cpu: value(self.cpu),
            memory: value(self.memory),
            swap: self.swaps.then(|| value(self.swap)),
        })
    }
}

/// Adds one series to the sum of others, step by step: a series counts where it tells something.
pub(super) fn add(sum: &mut Vec<Option<vitals::Point>>, series: &[Option<vitals::Point>]) {
    sum.resize(sum.len().max(series.len()), None);
    for (sum, point) in sum.iter_mut().zip(series) {
        let Some(point) = point else { continue };
        let sum = sum.get_or_insert_default();
        sum.cpu = sum.cpu.saturating_add(point.cpu);
        sum.memory = sum.memory.saturating_add(point.memory);
        if let Some(swap) = point.swap {
            sum.swap = Some(sum.swap.unwrap_or_default().saturating_add(swap));
        }
    }
}

#[cfg(test)]
mod tests {
    use kubevitals_proto::units::{Bytes, Nanocores};

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const REACH: i64 = 75 * SECOND / 2;

    fn sample(seconds: i64, cpu: u64) -> Sample {
        Sample {
            at: Timestamp::from_secs(1000 + seconds),
            cpu: Nanocores(cpu),
            memory: Bytes(cpu * 2),
            swap: None,
            restarted: false,
        }
    }

    fn steps(seconds: i64, count: i64) -> Steps {
        let since = Timestamp::from_secs(1000);
        Steps::new(
            since,
            since.plus_nanos(seconds * count * SECOND),
            seconds * SECOND,
        )
    }

    fn cpu(points: &[Option<vitals::Point>]) -> Vec<Option<u64>> {
        points
            .iter()
            .map(|point| point.map(|point| point.cpu))
            .collect()
    }

    #[test]
    fn a_step_is_the_mean_of_its_points_by_the_time_they_tell_of() {
        let samples = [sample(15, 10), sample(30, 20), sample(50, 40)];
        let folded = steps(30, 2).fold(&samples, REACH, Aggregation::Mean);
        // The last ten seconds are told by nothing, and do not count as zero.
        assert_eq!(cpu(&folded), [Some(15), Some(40)]);
        let folded = steps(20, 3).fold(&samples, REACH, Aggregation::Mean);
        assert_eq!(cpu(&folded), [Some(12), Some(30), Some(40)]);
    }

    #[test]
    fn a_step_shorter_than_the_points_are_apart_is_told_by_the_next_one() {
        let folded = steps(5, 4).fold(&[sample(5, 10), sample(20, 30)], REACH, Aggregation::Mean);
        assert_eq!(cpu(&folded), [Some(10), Some(30), Some(30), Some(30)]);
    }

    #[test]
    fn a_gap_is_a_gap() {
        let folded = steps(15, 5).fold(&[sample(15, 10), sample(75, 30)], REACH, Aggregation::Mean);
        assert_eq!(cpu(&folded), [Some(10), None, None, None, Some(30)]);
    }

    #[test]
    fn the_time_before_a_restart_is_not_told_by_what_came_after_it() {
        let restarted = Sample {
            restarted: true,
            ..sample(45, 30)
        };
        let folded = steps(15, 3).fold(&[sample(15, 10), restarted], REACH, Aggregation::Mean);
        assert_eq!(cpu(&folded), [Some(10), None, Some(30)]);
    }

    #[test]
    fn the_smallest_and_the_largest_are_told_too() {
        let samples = [sample(15, 10), sample(30, 50), sample(45, 20)];
        let of = |fold| cpu(&steps(45, 1).fold(&samples, REACH, fold));
        assert_eq!(of(Aggregation::Min), [Some(10)]);
        assert_eq!(of(Aggregation::Max), [Some(50)]);
    }

    #[test]
    fn sums_are_of_what_is_there() {
        let mut sum = Vec::new();
        let point = |cpu| {
            Some(vitals::Point {
                cpu,
                memory: 1,
                swap: None,
            })
        };
        add(&mut sum, &[point(1), None, None]);
        add(&mut sum, &[point(2), point(3), None]);
        assert_eq!(cpu(&sum), [Some(3), Some(3), None]);
    }

    #[test]
    fn there_are_never_more_steps_than_a_chart_can_show() {
        let all = Steps::new(Timestamp(i64::MIN), Timestamp(i64::MAX), 0);
        assert_eq!(all.len(), MAX_STEPS);
    }
}
