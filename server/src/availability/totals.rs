//! Totals over a span.

use super::buckets::Bucket;
use super::state::{Segment, State};
use super::time::Second;

/// An outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// The begin.
    pub began: Second,
    /// The end so far.
    pub ended: Second,
}

/// The seconds in each state, and the outages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    seconds: [u64; State::ALL.len()],
    /// The number of outages.
    pub outages: u64,
    /// The length of the longest outage within the span, in seconds.
    pub longest_seconds: u64,
    /// The begin of what is known.
    pub begin: Option<Second>,
    /// The last outage.
    pub last: Option<Outage>,
}

impl Totals {
    /// The seconds in a state.
    pub fn seconds(&self, state: State) -> u64 {
        self.seconds
            .get(state as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The seconds in which a pod was ready.
    pub fn ready_seconds(&self) -> u64 {
        self.seconds(State::Up) + self.seconds(State::Degraded)
    }

    /// The part of the time in which the workload was up, of that in which it should have been and the server watched.
    pub fn availability(&self) -> Option<f64> {
        let (ready, down) = (self.ready_seconds(), self.seconds(State::Down));
        let all = ready + down;
        #[expect(clippy::cast_precision_loss, reason = "a month has 22 bits of seconds")]
        (all > 0).then(|| ready as f64 / all as f64)
    }

    /// The mean seconds from the end of an outage to the begin of the next; none without outages.
    pub fn between_failures_seconds(&self) -> Option<u64> {
        self.ready_seconds().checked_div(self.outages)
    }

    /// The mean seconds of an outage; none without outages.
    pub fn to_repair_seconds(&self) -> Option<u64> {
        self.seconds(State::Down).checked_div(self.outages)
    }

    fn count(&mut self, state: State, seconds: u64) {
        if let Some(sum) = self.seconds.get_mut(state as usize) {
            *sum = sum.saturating_add(seconds);
        }
    }

    /// Adds a segment after everything that was added before. A segment that is empty does not count.
    pub(super) fn add(&mut self, segment: Segment) {
        let Segment { begin, end, state } = segment;
        let length = end.since(begin);
        if length == 0 {
            return;
        }
        self.begin.get_or_insert(begin);
        self.count(state, length.into());
        if state == State::Down {
            match &mut self.last {
                Some(last) if last.ended == begin => last.ended = end,
                last => {
                    *last = Some(Outage {
                        began: begin,
                        ended: end,
                    });
                    self.outages += 1;
                }
            }
            if let Some(last) = self.last {
                let length = u64::from(last.ended.since(last.began));
                self.longest_seconds = self.longest_seconds.max(length);
            }
        }
    }

    /// Adds older totals, before any segment.
    pub(super) fn add_bucket(&mut self, bucket: &Bucket) {
        // An outage that began before the span counts as one within it.
        let continues = self.begin.is_none() && bucket.outages == 0;
        self.outages += u64::from(continues && bucket.seconds(State::Down) > 0);
        self.begin.get_or_insert(bucket.begin);
        for state in State::ALL {
            self.count(state, bucket.seconds(state).into());
        }
        self.outages += u64::from(bucket.outages);
        self.longest_seconds = self.longest_seconds.max(bucket.longest.into());
        if bucket.last_ended.is_known() {
            self.last = Some(Outage {
                began: bucket.last_began,
                ended: bucket.last_ended,
            });
        }
    }
}
