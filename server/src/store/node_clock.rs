//! Detects when a node's clock is set.
//!
//! A kubelet stamps its samples with the node's clock, and a response contains samples of different ages: cAdvisor reads
//! a cgroup every 10 to 38 s. One series says little about the clock, but the newest sample of a response is young on
//! every node. Its distance from the server's time varies by some seconds where samples are spread, and not at all where
//! a kubelet measures on request. A larger change means that the clock was set.

use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};

use crate::clock::Age;

/// The tolerance for every kubelet: requests do not always take the same time.
const LEAST_SLACK: i64 = 600_000_000;

/// The number of responses after which the usual distance is reliable.
const RESPONSES: u8 = 2;

/// Older distances fade by an eighth with each response, so that the estimate follows a drifting clock.
const FADES: i64 = 8;

/// The times of a request and its response, by the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapeTimes {
    /// The request, by the wall clock: it replaces a missing timestamp.
    pub sent: Timestamp,
    /// The request, by the monotonic clock.
    pub requested: Age,
    /// The response.
    pub answered: Age,
}

impl ScrapeTimes {
    /// The times of a scrape without delay.
    pub fn at(now: Age) -> Self {
        Self {
            sent: Timestamp(0),
            requested: now,
            answered: now,
        }
    }
}

/// The node's clock as one response shows it, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClockReading {
    /// The distance of the newest sample from the response and from the request, by the server's clock. A sample that
    /// was measured for this request lies between the two.
    least: i64,
    most: i64,
    /// The distance between the oldest and the newest sample.
    spread: i64,
    newest: i64,
    answered: Age,
}

impl ClockReading {
    /// The reading of the times of all samples that are new in a response; none without new samples. New samples are at
    /// most about a resolution apart. A sample that is further from most of the others is from another clock. The order of
    /// `samples` is changed.
    pub(super) fn of(
        samples: &mut [i64],
        times: &ScrapeTimes,
        resolution: Duration,
    ) -> Option<Self> {
        let resolution = nanos(resolution);
        if samples.is_empty() {
            return None;
        }
        let middle = *samples.select_nth_unstable(samples.len() / 2).1;
        let near =
            |time: &&i64| time.abs_diff(middle) <= resolution.saturating_mul(2).unsigned_abs();
        let newest = *samples.iter().filter(near).max()?;
        let oldest = *samples.iter().filter(near).min()?;
        let ahead = |of: Age| newest.saturating_sub(of.millis().saturating_mul(1_000_000));
        Some(Self {
            least: ahead(times.answered),
            most: ahead(times.requested.min(times.answered)),
            spread: newest.saturating_sub(oldest).min(resolution),
            newest,
            answered: times.answered,
        })
    }

    /// Whether a sample is older than the newest by at most this time and the tolerance.
    pub(super) fn is_near(&self, at: Timestamp, passed: Duration) -> bool {
        let age = self.newest.saturating_sub(at.0);
        (0..=nanos(passed).saturating_add(LEAST_SLACK)).contains(&age)
    }
}

/// The estimated distance of a node's clock from the zero of the server's clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeClock {
    low: i64,
    high: i64,
    spread: i64,
    responses: u8,
    answered: Age,
}

impl NodeClock {
    /// A clock after its first response.
    pub(super) fn begin(reading: &ClockReading) -> Self {
        Self {
            low: reading.most,
            high: reading.least,
            spread: reading.spread,
            responses: 1,
            answered: reading.answered,
        }
    }

    /// This clock after it was set, with the same tolerances.
    pub(super) fn set(&self, reading: &ClockReading) -> Self {
        let jitter = self.high.saturating_sub(self.low).max(0);
        Self {
            low: reading.most.saturating_sub(jitter),
            high: reading.least.saturating_add(jitter),
            spread: self.spread.max(reading.spread),
            responses: self.responses,
            answered: reading.answered,
        }
    }

    /// Whether a response fits this clock.
    pub(super) fn fits(&self, reading: &ClockReading, resolution: Duration) -> bool {
        let passed = nanos(reading.answered.since(self.answered));
        let mut slack = LEAST_SLACK
            .saturating_add(passed / 100)
            .saturating_add(self.spread.max(reading.spread) / 3);
        if self.responses < RESPONSES {
            slack = slack.saturating_add(nanos(resolution));
        }
        reading.most >= self.low.saturating_sub(slack)
            && reading.least <= self.high.saturating_add(slack)
    }

    /// The clock after a response that fits.
    pub(super) fn updated(&self, reading: &ClockReading) -> Self {
        let faded = |from: i64, to: i64| from.saturating_add(to.saturating_sub(from) / FADES);
        Self {
            low: reading.most.min(faded(self.low, reading.most)),
            high: reading.least.max(faded(self.high, reading.least)),
            spread: reading.spread.max(faded(self.spread, reading.spread)),
            responses: self.responses.saturating_add(1),
            answered: reading.answered,
        }
    }

    /// The step in nanoseconds from another state of this clock to this one. None if it is not larger than the spread of
    /// the samples, because all of them may have been late.
    pub(super) fn set_by(&self, other: &Self) -> Option<i64> {
        let by = self.high.saturating_sub(other.high);
        (by.saturating_abs() > self.spread.max(other.spread)).then_some(by)
    }

    /// The time of the node's clock at `now`.
    pub(super) fn time(&self, now: Age) -> Timestamp {
        Timestamp(
            self.high
                .saturating_add(now.millis().saturating_mul(1_000_000)),
        )
    }
}
