//! One series: its pair of points, and when the newer one came in.

use std::time::Duration;

use super::rate::{Bounds, NoRate, Pair, Point};
use crate::clock::Age;

/// A sample's age may differ by this from what the kubelet's pace allows: it is stamped a little before it can be seen.
const SLACK: Duration = Duration::from_secs(2);

/// A series.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) pair: Pair,
    pub(super) arrived: Age,
}

/// What all series of a node have in common while a scrape is taken in.
pub(super) struct IngestContext {
    pub(super) resolution: Duration,
    pub(super) bounds: Bounds,
    pub(super) now: Age,
    /// When the answer before this one was asked for.
    pub(super) before: Option<Age>,
    /// Why a series begins that is not known, or makes no pair.
    pub(super) why: NoRate,
}

impl Tracked {
    /// Begins with a point.
    pub(super) fn begin(point: Point, context: &IngestContext) -> Self {
        Self {
            pair: Pair::begin_after(context.why, point, context.resolution, &context.bounds),
            arrived: context.now,
        }
    }

    /// Goes on with a point, or begins anew where it makes no pair with the last one.
    pub(super) fn offer(&mut self, point: Point, context: &IngestContext) {
        let IngestContext {
            resolution, now, ..
        } = *context;
        // A series whose own clock was set back reports nothing but older points. Where there is no answer, or
        // none that could be given any more, there is nothing to protect: begin anew.
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

    /// Whether the time from the last point to this one, as stamped, can be. A sample is first seen in the first answer
    /// after it was made, so between any two lies as much time as between the answers that brought them, give or take
    /// what lies between two answers.
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
