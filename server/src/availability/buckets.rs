//! Totals by hour and by day of what is too old, or too much, to be stored transition by transition.

use super::state::{Segment, State};
use super::time::Second;

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// Totals by hour become totals by day when they are older than this.
const HOURS_LAST: u32 = 2 * DAY;

/// The totals of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bucket {
    /// The begin of what is known of the hour or day.
    pub(super) begin: Second,
    /// The end of what is known.
    pub(super) end: Second,
    seconds: [u32; State::ALL.len()],
    /// The outages that began within.
    pub(super) outages: u32,
    /// The seconds of the longest outage, up to the end of the bucket.
    pub(super) longest: u32,
    /// The last outage, up to the end of the bucket; zero without one.
    pub(super) last_began: Second,
    /// Its end.
    pub(super) last_ended: Second,
}

impl Bucket {
    /// Makes a bucket of its numbers, in the order of the fields. Returns `None` if they contradict each other.
    pub(super) fn of(numbers: &[u32]) -> Option<Self> {
        let (begin, rest) = numbers.split_first()?;
        let (end, rest) = rest.split_first()?;
        let (seconds, rest) = rest.split_first_chunk::<{ State::ALL.len() }>()?;
        let [outages, longest, began, ended] = rest else {
            return None;
        };
        let length = seconds.iter().map(|it| u64::from(*it)).sum::<u64>();
        let is_whole = begin < end && u64::from(end - begin) == length;
        (is_whole && began <= ended && ended <= end).then_some(Self {
            begin: Second(*begin),
            end: Second(*end),
            seconds: *seconds,
            outages: *outages,
            longest: *longest,
            last_began: Second(*began),
            last_ended: Second(*ended),
        })
    }

    /// The numbers of a bucket, in the order of the fields.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        let times = [self.begin.0, self.end.0];
        let outages = [
            self.outages,
            self.longest,
            self.last_began.0,
            self.last_ended.0,
        ];
        times.into_iter().chain(self.seconds).chain(outages)
    }

    /// How many numbers a bucket has.
    pub(super) const NUMBERS: usize = 2 + State::ALL.len() + 4;

    /// The seconds in a state.
    pub(super) fn seconds(&self, state: State) -> u32 {
        self.seconds
            .get(state as usize)
            .copied()
            .unwrap_or_default()
    }

    fn add(&mut self, segment: Segment) {
        let Segment { begin, end, state } = segment;
        let length = end.since(begin);
        if let Some(sum) = self.seconds.get_mut(state as usize) {
            *sum = sum.saturating_add(length);
        }
        self.end = end;
    }

    /// Adds the totals of the time after this one.
    fn join(&mut self, later: &Self) {
        for (sum, more) in self.seconds.iter_mut().zip(later.seconds) {
            *sum = sum.saturating_add(more);
        }
        self.end = later.end;
        self.outages = self.outages.saturating_add(later.outages);
        self.longest = self.longest.max(later.longest);
        if later.last_ended.is_known() {
            (self.last_began, self.last_ended) = (later.last_began, later.last_ended);
        }
    }
}

/// Totals, the oldest first, without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Buckets(Vec<Bucket>);

impl Buckets {
    /// Makes them of buckets in the order of time. Returns `None` if one begins elsewhere than the one before ends.
    pub(super) fn of(buckets: Vec<Bucket>) -> Option<Self> {
        let mut pairs = buckets.iter().zip(buckets.iter().skip(1));
        let is_whole = pairs.all(|(one, next)| one.end == next.begin);
        (is_whole && !buckets.is_empty()).then_some(Self(buckets))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Bucket> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn begin(&self) -> Option<Second> {
        self.0.first().map(|first| first.begin)
    }

    pub(super) fn end(&self) -> Second {
        self.0.last().map(|last| last.end).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.0.capacity() * size_of::<Bucket>()
    }

    /// The totals that end after `since`.
    pub(super) fn from(&self, since: Second) -> impl Iterator<Item = &Bucket> {
        self.0.iter().filter(move |bucket| bucket.end > since)
    }

    /// Adds the segment after everything before, by hour.
    pub(super) fn add(&mut self, segment: Segment) {
        let Segment {
            mut begin,
            end,
            state,
        } = segment;
        let mut outage = (state == State::Down).then(|| self.outage_at(begin));
        while begin < end {
            let hour = begin.0 / HOUR;
            let next = Second(hour.saturating_add(1).saturating_mul(HOUR));
            let cut = next.min(end);
            if self.0.last().is_none_or(|last| last.begin.0 / HOUR != hour) {
                self.0.push(Bucket {
                    begin,
                    ..Bucket::default()
                });
            }
            let Some(bucket) = self.0.last_mut() else {
                return;
            };
            bucket.add(Segment {
                begin,
                end: cut,
                state,
            });
            if let Some((began, is_new)) = &mut outage {
                bucket.outages += u32::from(std::mem::take(is_new));
                bucket.longest = bucket.longest.max(cut.since(*began));
                (bucket.last_began, bucket.last_ended) = (*began, cut);
            }
            begin = cut;
            if cut == Second(u32::MAX) {
                return;
            }
        }
    }

    /// The begin of the outage that continues at a time, and whether it begins there.
    fn outage_at(&self, at: Second) -> (Second, bool) {
        match self.0.last() {
            Some(last) if last.last_ended.is_known() && last.last_ended == at => {
                (last.last_began, false)
            }
            _ => (at, true),
        }
    }

    /// Drops what ended before `oldest`, and joins the hours of earlier days.
    pub(super) fn compact(&mut self, oldest: Second, now: Second) {
        self.0.retain(|bucket| bucket.end > oldest);
        let mut joined: Vec<Bucket> = Vec::new();
        for bucket in self.0.drain(..) {
            match joined.last_mut() {
                Some(last)
                    if last.begin.0 / DAY == bucket.begin.0 / DAY
                        && now.since(bucket.end) > HOURS_LAST =>
                {
                    last.join(&bucket);
                }
                _ => joined.push(bucket),
            }
        }
        self.0 = joined;
    }
}
