//! Aggregates samples by steps of time.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals;

use super::reach::covered_since;
use crate::store::ring::Sample;

/// The largest number of steps: more than any chart has columns.
pub const MAX_STEPS: usize = 11_000;

/// How the samples of one step become one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Aggregation {
    /// Their mean, weighted by the time that each sample covers.
    #[default]
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// Equal steps of time. Step n covers the time after `since + n × step` up to and including `since + (n + 1) × step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    since: Timestamp,
    step: i64,
    count: usize,
}

impl Steps {
    /// The steps from `since` to `until` or later, at least one and at most [`MAX_STEPS`]. `step` is at least one
    /// nanosecond.
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

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no step, which never happens.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The length of a step, in nanoseconds.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// The start of step `n`.
    pub(super) fn start(&self, n: usize) -> Timestamp {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        self.since.plus_nanos(self.step.saturating_mul(n))
    }

    /// The start of the first step.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The end of the last step.
    pub fn until(&self) -> Timestamp {
        let count = i64::try_from(self.count).unwrap_or(i64::MAX);
        self.since.plus_nanos(self.step.saturating_mul(count))
    }

    /// Aggregates one series; `None` for a step that no sample covers. `reach` is the longest time that a sample
    /// covers.
    pub(super) fn aggregate(
        &self,
        samples: &[Sample],
        reach: i64,
        aggregation: Aggregation,
    ) -> Vec<Option<vitals::Point>> {
        let mut steps = vec![StepSum::default(); self.count];
        let mut before = None;
        for sample in samples {
            let from = covered_since(before, sample, reach).max(self.since);
            before = Some(sample);
            let until = sample.at.min(self.until());
            if until <= from {
                continue;
            }
            let first = from.since(self.since) / self.step;
            // A step contains its end.
            let last = (until.since(self.since) - 1) / self.step;
            for n in first..=last {
                let start = self.since.plus_nanos(n.saturating_mul(self.step));
                let end = start.plus_nanos(self.step);
                let covered = until.min(end).since(from.max(start));
                if let Some(step) = usize::try_from(n).ok().and_then(|n| steps.get_mut(n)) {
                    step.add(sample, covered, aggregation);
                }
            }
        }
        steps.iter().map(|step| step.point(aggregation)).collect()
    }
}

/// The aggregate of one step so far.
#[derive(Clone, Copy, Debug, Default)]
struct StepSum {
    /// The time that samples cover, in nanoseconds.
    covered: i64,
    cpu: u128,
    memory: u128,
    swap: u128,
    has_swap: bool,
}

impl StepSum {
    fn add(&mut self, sample: &Sample, covered: i64, aggregation: Aggregation) {
        let weight = u128::from(covered.unsigned_abs());
        let first = self.covered == 0;
        let take = |so_far: &mut u128, value: u64| {
            let value = u128::from(value);
            match aggregation {
                Aggregation::Mean => *so_far += value * weight,
                Aggregation::Min if !first => *so_far = value.min(*so_far),
                Aggregation::Max if !first => *so_far = value.max(*so_far),
                Aggregation::Min | Aggregation::Max => *so_far = value,
            }
        };
        take(&mut self.cpu, sample.cpu.0);
        take(&mut self.memory, sample.memory.0);
        take(&mut self.swap, sample.swap.unwrap_or_default().0);
        self.has_swap |= sample.swap.is_some();
        self.covered = self.covered.saturating_add(covered);
    }

    fn point(&self, aggregation: Aggregation) -> Option<vitals::Point> {
        if self.covered == 0 {
            return None;
        }
        let value = |so_far: u128| {
            let value = match aggregation {
                Aggregation::Mean => so_far / u128::from(self.covered.unsigned_abs()),
                Aggregation::Min | Aggregation::Max => so_far,
            };
            u64::try_from(value).unwrap_or(u64::MAX)
        };
        Some(vitals::Point {
            cpu: value(self.cpu),
            memory: value(self.memory),
            swap: self.has_swap.then(|| value(self.swap)),
        })
    }
}

/// Adds a series to a sum, step by step. Steps without a value do not count.
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
    fn step_is_mean_weighted_by_covered_time() {
        let samples = [sample(15, 10), sample(30, 20), sample(50, 40)];
        let points = steps(30, 2).aggregate(&samples, REACH, Aggregation::Mean);
        // No sample covers the last ten seconds, which do not count as zero.
        assert_eq!(cpu(&points), [Some(15), Some(40)]);
        let points = steps(20, 3).aggregate(&samples, REACH, Aggregation::Mean);
        assert_eq!(cpu(&points), [Some(12), Some(30), Some(40)]);
    }

    #[test]
    fn next_sample_covers_short_steps() {
        let points =
            steps(5, 4).aggregate(&[sample(5, 10), sample(20, 30)], REACH, Aggregation::Mean);
        assert_eq!(cpu(&points), [Some(10), Some(30), Some(30), Some(30)]);
    }

    #[test]
    fn gap_has_no_points() {
        let points =
            steps(15, 5).aggregate(&[sample(15, 10), sample(75, 30)], REACH, Aggregation::Mean);
        assert_eq!(cpu(&points), [Some(10), None, None, None, Some(30)]);
    }

    #[test]
    fn sample_after_restart_does_not_cover_the_time_before() {
        let restarted = Sample {
            restarted: true,
            ..sample(45, 30)
        };
        let points = steps(15, 3).aggregate(&[sample(15, 10), restarted], REACH, Aggregation::Mean);
        assert_eq!(cpu(&points), [Some(10), None, Some(30)]);
    }

    #[test]
    fn minimum_and_maximum_of_a_step() {
        let samples = [sample(15, 10), sample(30, 50), sample(45, 20)];
        let of = |by| cpu(&steps(45, 1).aggregate(&samples, REACH, by));
        assert_eq!(of(Aggregation::Min), [Some(10)]);
        assert_eq!(of(Aggregation::Max), [Some(50)]);
    }

    #[test]
    fn sum_skips_missing_points() {
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
    fn number_of_steps_is_limited() {
        let all = Steps::new(Timestamp(i64::MIN), Timestamp(i64::MAX), 0);
        assert_eq!(all.len(), MAX_STEPS);
    }
}
