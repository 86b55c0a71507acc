//! Sums of series, with their quantiles.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Point, Series};

use super::quantiles::quantiles;
use super::reach::{covering, reach};
use super::steps::{Aggregation, MAX_STEPS, Steps, add};
use crate::store::ring::Sample;

/// A sum of series, and the values for its quantiles.
#[derive(Debug)]
pub(super) struct Total {
    steps: Steps,
    aggregation: Aggregation,
    /// The steps of the quantiles of a sum: those of its values at aligned times.
    fine: Steps,
    points: Vec<Option<Point>>,
    sums: Vec<Option<Point>>,
    samples: u64,
    series: usize,
    /// CPU and memory of the samples of the last series, for a sum of one.
    only: Vec<(u64, u64)>,
    /// The most CPU and memory that a single series had before it was joined with an older one.
    peaks: (u64, u64),
}

impl Total {
    /// A sum without series. The quantiles of a sum are those of its values at steps of `fine` nanoseconds.
    pub(super) fn new(steps: Steps, aggregation: Aggregation, fine: i64) -> Self {
        let (since, until) = (steps.since(), steps.until());
        // More steps than the most would lack the end of the span.
        let least = until.since(since) / i64::try_from(MAX_STEPS).unwrap_or(i64::MAX) + 1;
        Self {
            steps,
            aggregation,
            fine: Steps::new(since, until, fine.max(least)),
            points: vec![None; steps.len()],
            sums: Vec::new(),
            samples: 0,
            series: 0,
            only: Vec::new(),
            peaks: (0, 0),
        }
    }

    /// The number of series.
    pub(super) fn len(&self) -> usize {
        self.series
    }

    /// Adds a series to the sum, and returns it; `None` if it has no sample in the span.
    pub(super) fn add(&mut self, samples: &[Sample], resolution: Duration) -> Option<Series> {
        let reach = reach(samples, resolution);
        let points = self.steps.aggregate(samples, reach, self.aggregation);
        let covering = covering(samples, reach, self.steps.since(), self.steps.until());
        let within: Vec<&Sample> = covering.map(|(_, sample)| sample).collect();
        if within.is_empty() {
            return None;
        }
        add(&mut self.points, &points);
        self.series += 1;
        self.samples += within.len() as u64;
        add(
            &mut self.sums,
            &self.fine.aggregate(samples, reach, Aggregation::Mean),
        );
        let samples = within.len() as u64;
        self.only = within.iter().map(|it| (it.cpu.0, it.memory.0)).collect();
        Some(series_of(points, samples, self.only.iter().copied()))
    }

    /// Puts another sum of the same steps before this one: it counts in the steps that start before `seam`, where it has
    /// points.
    pub(super) fn join(&mut self, older: Self, seam: Timestamp) {
        if older.series == 0 {
            return;
        }
        if self.series == 1 {
            let most = |values: &mut dyn Iterator<Item = u64>| values.max().unwrap_or_default();
            self.peaks = (
                most(&mut self.only.iter().map(|it| it.0)),
                most(&mut self.only.iter().map(|it| it.1)),
            );
        }
        before(&mut self.points, older.points, &self.steps, seam);
        before(&mut self.sums, older.sums, &self.fine, seam);
        self.samples += older.samples;
        self.series += older.series;
        self.only = older.only;
    }

    /// The sum as a series.
    pub(super) fn series(self) -> Series {
        if self.series == 1 {
            return series_of(self.points, self.samples, self.only.into_iter());
        }
        let sums = self.sums.iter().flatten();
        let mut series = series_of(
            self.points,
            self.samples,
            sums.map(|sum| (sum.cpu, sum.memory)),
        );
        for (quantiles, peak) in [
            (&mut series.cpu, self.peaks.0),
            (&mut series.memory, self.peaks.1),
        ] {
            if let Some(quantiles) = quantiles {
                quantiles.max = quantiles.max.max(peak);
            }
        }
        series
    }
}

/// Replaces the points of the steps that start before `seam`, where there are older ones.
fn before(
    points: &mut Vec<Option<Point>>,
    older: Vec<Option<Point>>,
    steps: &Steps,
    seam: Timestamp,
) {
    points.resize(points.len().max(older.len()), None);
    for (n, (point, older)) in points.iter_mut().zip(older).enumerate() {
        if steps.start(n) >= seam {
            break;
        }
        *point = older.or(*point);
    }
}

/// A series with the quantiles of these values of CPU and memory.
fn series_of(
    points: Vec<Option<Point>>,
    samples: u64,
    values: impl Iterator<Item = (u64, u64)> + Clone,
) -> Series {
    Series {
        points,
        samples,
        cpu: quantiles(values.clone().map(|(cpu, _)| cpu)),
        memory: quantiles(values.map(|(_, memory)| memory)),
        ..Series::default()
    }
}
