//! How the engine is queried for the steps of a history.

use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};

use super::steps::Steps;
use crate::engine::Range;

/// The most samples of a series, unless a shorter step is requested.
const MOST_SAMPLES: i64 = 2_016;

/// The most samples of a series at all.
const MOST_OF_A_QUERY: i64 = 10_000;

/// The shortest window of a rate. It must contain two samples, and some of those who feed an engine scrape once a minute.
const LEAST_WINDOW: i64 = 120_000_000_000;

/// The least window of a rate, in resolutions: a few lost samples are no gap.
const WINDOW_RESOLUTIONS: u32 = 4;

/// Distances of samples, and lengths of steps, in seconds.
const LADDER: [i64; 15] = [
    15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800,
];

/// The shortest round distance of which at most `most` are in a span of nanoseconds.
pub fn round_step(span: i64, most: i64) -> i64 {
    let least = span / most.max(1);
    let mut round = LADDER
        .into_iter()
        .map(|it| it.saturating_mul(1_000_000_000));
    round.find(|step| *step >= least).unwrap_or(least)
}

/// How the engine is queried for these steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) since: Timestamp,
    pub(super) seam: Timestamp,
    /// The distance of two samples.
    pub(super) fine: i64,
    /// The window of each sample.
    window: i64,
}

impl Plan {
    pub(super) fn new(steps: &Steps, seam: Timestamp, resolution: Duration) -> Self {
        // There are no times before the epoch in the API.
        let since = steps.since().max(Timestamp::default());
        let span = seam.since(since).max(0);
        let fine = round_step(span, MOST_SAMPLES)
            .min(steps.step())
            .max(nanos(resolution))
            .max(span / MOST_OF_A_QUERY);
        // The API takes milliseconds.
        let fine = fine / 1_000_000 * 1_000_000;
        let least = nanos(resolution * WINDOW_RESOLUTIONS).max(LEAST_WINDOW);
        Self {
            since,
            seam,
            fine,
            window: fine.max(least),
        }
    }

    /// The time by which a window ends after the time that its sample stands for. A window that is longer than a step
    /// lies around the step. So a change has the same time on both sides of the seam.
    pub(super) fn shift(&self) -> i64 {
        (self.window - self.fine) / 2_000_000 * 1_000_000
    }

    /// The times of the query: multiples of the distance, shifted.
    pub(super) fn range(&self) -> Range {
        let first = self.since.0.div_euclid(self.fine) + 1;
        let last = self.seam.0.div_euclid(self.fine) + 1;
        let at = |n: i64| Timestamp(n.saturating_mul(self.fine).saturating_add(self.shift()));
        Range {
            first: at(first),
            last: at(last),
            step: self.fine,
        }
    }

    /// The window in PromQL.
    pub(super) fn window(&self) -> String {
        format!("{}ms", self.window / 1_000_000)
    }
}
