//! What was used before now: series by steps, with their quantiles.
//!
//! Times in here are ours. Points have their kubelet's time, which is converted for a node whose clock is off.

mod estimate;
mod marks;
mod quantiles;
mod series;
mod steps;

use std::time::Duration;

use kubevitals_proto::time::Timestamp;

pub use series::HistorySubject;
pub use steps::{Aggregation, MAX_STEPS, Steps};

use super::Query;
use crate::store::history::{Counts, History, Settings};
use crate::store::ring::Sample;

/// Between two points of a series further apart than the usual by this factor, in halves, there is a gap.
const REACH_HALVES: i64 = 5;

impl Query {
    /// The history itself: for whoever carries it elsewhere.
    pub fn history(&self) -> &History {
        self.store.history()
    }

    /// What there is of history. Visits every node.
    pub fn history_counts(&self) -> Counts {
        self.store.history().counts_at(self.now(), self.wall())
    }

    /// How much is to be remembered.
    pub fn history_settings(&self) -> Settings {
        *self.store.history().settings()
    }

    /// For how long points are kept: the retention, or less while there is no memory for it.
    pub fn history_remembers(&self) -> Duration {
        self.store.history().remembers()
    }
}

/// How long a point reaches back: no further than two and a half times the larger of the resolution and the usual time
/// between this series' points, which for an idle container is up to twice the resolution. What is longer is a gap.
fn reach(samples: &[Sample], resolution: Duration) -> i64 {
    let mut spacings: Vec<i64> = samples
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] => Some(second.at.since(first.at)),
            _ => None,
        })
        .collect();
    let resolution = i64::try_from(resolution.as_nanos()).unwrap_or(i64::MAX);
    let middle = spacings.len() / 2;
    let usual = if spacings.is_empty() {
        resolution
    } else {
        *spacings.select_nth_unstable(middle).1
    };
    usual.max(resolution).saturating_mul(REACH_HALVES) / 2
}

/// From when on a point tells of its container: since the one before it, if that was of the same life and not too long
/// ago; else for as long as points usually do.
fn since(before: Option<&Sample>, sample: &Sample, reach: i64) -> Timestamp {
    let usual = sample.at.plus_nanos(-(reach * 2 / REACH_HALVES));
    match before {
        Some(before) if sample.restarted => before.at.max(usual),
        Some(before) if sample.at.since(before.at) <= reach => before.at,
        _ => usual,
    }
}
