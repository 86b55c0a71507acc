//! One series: its pair of samples, and the arrival of the newer one.

use std::time::Duration;

use super::rate::{Bounds, NoRate, Pair, Point};
use crate::clock::Age;

/// The tolerance of a sample's age: the kubelet stamps a sample a little before it serves it.
const SLACK: Duration = Duration::from_secs(2);

/// A series.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pair: Pair,
    pub(super) arrived: Age,
}

/// What all series of a node share during a scrape.
pub(super) struct IngestContext {
    pub(super) resolution: Duration,
    pub(super) bounds: Bounds,
    pub(super) now: Age,
    /// The time of the request before this one.
    pub(super) before: Option<Age>,
    /// The reason for new series without a rate.
    pub(super) why: NoRate,
}

impl Tracked {
    /// Starts with a sample.
    pub(super) fn begin(point: Point, context: &IngestContext) -> Self {
        Self {
            pair: Pair::begin(context.why, point, context.resolution, &context.bounds),
            arrived: context.now,
        }
    }

    /// Continues with a sample, or starts again if it makes no pair with the last one.
    pub(super) fn offer(&mut self, point: Point, context: &IngestContext) {
        let IngestContext {
            resolution, now, ..
        } = *context;
        // A series whose clock was set back reports only older samples. Without a current rate it starts again.
        let void = self.pair.usage().is_err() || now.since(self.arrived) > resolution * 5 / 2;
        let older = point.at < self.pair.last().at;
        if void && older || !older && !self.fits(&point, context) {
            *self = Self::begin(
                point,
                &IngestContext {
                    why: NoRate::ClockStepped,
                    ..*context
                },
            );
        } else if self.pair.offer(point, resolution, &context.bounds) {
            self.arrived = now;
        }
    }

    /// Whether the time between the last sample and this one is possible. A sample arrives with the first response
    /// after it was measured, so two samples are as far apart as their responses, plus or minus one interval between
    /// responses.
    fn fits(&self, point: &Point, context: &IngestContext) -> bool {
        let window = point.at.since(self.pair.last().at);
        if window == 0 {
            return true;
        }
        let passed = context.now.since(self.arrived);
        let since_before = match context.before {
            Some(before) => context.now.since(before),
            None => passed,
        };
        let least = passed.saturating_sub(since_before + SLACK);
        let most = passed + context.resolution * 5 / 2 + SLACK;
        let window = Duration::from_nanos(window.unsigned_abs());
        (least..=most).contains(&window)
    }
}
