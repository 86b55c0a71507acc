//! A node's clock, watched from ours, to see when it is set.
//!
//! A kubelet stamps its samples with the node's clock, and an answer holds samples of different ages: cAdvisor looks at a
//! cgroup every 10 to 38 s. So one series tells little of the clock, but the newest sample of an answer is young on every
//! node. How far it lies from our own time wavers by a few seconds where samples are spread out, and by nothing where a
//! kubelet measures when it is asked. What differs from that by more is a clock that was set.

use std::time::Duration;

use kubevitals_proto::time::{Timestamp, nanos};

use crate::clock::Age;

/// A clock may differ by this from what it was, whatever the kubelet: requests do not always take the same time.
const LEAST_SLACK: i64 = 600_000_000;

/// So many answers tell how far a node's newest sample usually lies from our time.
const ANSWERS: u8 = 2;

/// What is learned fades by an eighth with each answer, so that a clock that drifts is followed.
const FADES: i64 = 8;

/// When an answer was asked for and when it was in, on our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrapeTimes {
    /// When the request was sent, by our wall clock: it stands in for a missing timestamp.
    pub sent: Timestamp,
    /// The same on the monotonic clock.
    pub asked: Age,
    /// When the answer was in.
    pub answered: Age,
}

impl ScrapeTimes {
    /// Of a scrape whose answer took no time.
    pub fn at(now: Age) -> Self {
        Self {
            sent: Timestamp(0),
            asked: now,
            answered: now,
        }
    }
}

/// What one answer tells of the node's clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Glimpse {
    /// How far the newest sample lies ahead of our clock's zero: of the time when the answer was in, and of the time when
    /// it was asked for. A sample that was made for this answer lies between.
    least: i64,
    most: i64,
    /// How far the samples lie apart.
    spread: i64,
    newest: i64,
    answered: Age,
}

impl Glimpse {
    /// Of the times of all samples that are new in an answer; nothing of none. What was made since the answer before
    /// lies about a resolution apart at most: what lies further from most of the others is of another clock.
    pub(super) fn of(samples: &[i64], times: &ScrapeTimes, resolution: Duration) -> Option<Self> {
        let resolution = nanos(resolution);
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let middle = *sorted.get(sorted.len() / 2)?;
        let near =
            |time: &&i64| time.abs_diff(middle) <= resolution.saturating_mul(2).unsigned_abs();
        let newest = *samples.iter().filter(near).max()?;
        let oldest = *samples.iter().filter(near).min()?;
        let ahead = |of: Age| newest.saturating_sub(of.millis().saturating_mul(1_000_000));
        Some(Self {
            least: ahead(times.answered),
            most: ahead(times.asked.min(times.answered)),
            spread: newest.saturating_sub(oldest).min(resolution),
            newest,
            answered: times.answered,
        })
    }

    /// Whether a sample is no more than so much older than the newest, or not much more.
    pub(super) fn is_near(&self, at: Timestamp, passed: Duration) -> bool {
        let age = self.newest.saturating_sub(at.0);
        (0..=nanos(passed).saturating_add(LEAST_SLACK)).contains(&age)
    }
}

/// How far a node's clock lies ahead of our clock's zero, in nanoseconds, as its answers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeClock {
    low: i64,
    high: i64,
    spread: i64,
    answers: u8,
    answered: Age,
}

impl NodeClock {
    /// A clock of which nothing is known yet but this.
    pub(super) fn begin(glimpse: &Glimpse) -> Self {
        Self {
            low: glimpse.most,
            high: glimpse.least,
            spread: glimpse.spread,
            answers: 1,
            answered: glimpse.answered,
        }
    }

    /// This clock after it was set: its kubelet measures as it did.
    pub(super) fn set(&self, glimpse: &Glimpse) -> Self {
        let wavers = self.high.saturating_sub(self.low).max(0);
        Self {
            low: glimpse.most.saturating_sub(wavers),
            high: glimpse.least.saturating_add(wavers),
            spread: self.spread.max(glimpse.spread),
            answers: self.answers,
            answered: glimpse.answered,
        }
    }

    /// Whether an answer may be of this clock, as it was.
    pub(super) fn fits(&self, glimpse: &Glimpse, resolution: Duration) -> bool {
        let passed = nanos(glimpse.answered.since(self.answered));
        let mut slack = LEAST_SLACK
            .saturating_add(passed / 100)
            .saturating_add(self.spread.max(glimpse.spread) / 3);
        if self.answers < ANSWERS {
            slack = slack.saturating_add(nanos(resolution));
        }
        glimpse.most >= self.low.saturating_sub(slack)
            && glimpse.least <= self.high.saturating_add(slack)
    }

    /// What is known after an answer that fits.
    pub(super) fn seen(&self, glimpse: &Glimpse) -> Self {
        let faded = |from: i64, to: i64| from.saturating_add(to.saturating_sub(from) / FADES);
        Self {
            low: glimpse.most.min(faded(self.low, glimpse.most)),
            high: glimpse.least.max(faded(self.high, glimpse.least)),
            spread: glimpse.spread.max(faded(self.spread, glimpse.spread)),
            answers: self.answers.saturating_add(1),
            answered: glimpse.answered,
        }
    }

    /// By how many nanoseconds it was set since it was like another; nothing if that is no more than samples lie apart,
    /// for then they may all have been late.
    pub(super) fn set_by(&self, other: &Self) -> Option<i64> {
        let by = self.high.saturating_sub(other.high);
        (by.saturating_abs() > self.spread.max(other.spread)).then_some(by)
    }

    /// The time that it shows at `now`.
    pub(super) fn time(&self, now: Age) -> Timestamp {
        Timestamp(
            self.high
                .saturating_add(now.millis().saturating_mul(1_000_000)),
        )
    }
}
