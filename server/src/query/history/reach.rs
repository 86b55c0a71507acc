//! The time that a sample covers.

use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};

use crate::store::ring::Sample;

/// The largest distance between two samples without a gap: 5/2 of the usual distance.
const REACH_HALVES: i64 = 5;

/// The longest time that a sample of these covers, in nanoseconds: two and a half times the larger of the resolution
/// and the median distance of the samples, which for an idle container is up to twice the resolution. A longer distance
/// is a gap.
pub(super) fn reach(samples: &[Sample], resolution: Duration) -> i64 {
    let mut spacings: Vec<i64> = samples
        .windows(2)
        .filter_map(|pair| match pair {
            [first, second] => Some(second.at.since(first.at)),
            _ => None,
        })
        .collect();
    let resolution = nanos(resolution);
    let middle = spacings.len() / 2;
    let usual = if spacings.is_empty() {
        resolution
    } else {
        *spacings.select_nth_unstable(middle).1
    };
    usual.max(resolution).saturating_mul(REACH_HALVES) / 2
}

/// The samples that cover a part of a span, each with the start of the time that it covers.
pub(super) fn covering(
    samples: &[Sample],
    reach: i64,
    since: Timestamp,
    until: Timestamp,
) -> impl Iterator<Item = (Timestamp, &Sample)> {
    let mut before = None;
    samples.iter().filter_map(move |sample| {
        let from = covered_since(before.replace(sample), sample, reach);
        (from < until && sample.at > since).then_some((from, sample))
    })
}

/// The start of the time that a sample covers: the sample before it, unless there is a restart or a gap between them;
/// else the usual distance.
pub(super) fn covered_since(before: Option<&Sample>, sample: &Sample, reach: i64) -> Timestamp {
    let usual = sample.at.plus_nanos(-(reach * 2 / REACH_HALVES));
    match before {
        Some(before) if sample.restarted => before.at.max(usual),
        Some(before) if sample.at.since(before.at) <= reach => before.at,
        _ => usual,
    }
}
