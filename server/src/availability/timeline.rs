//! What state a workload was in, over a month.

use std::time::Duration;

use super::buckets::Buckets;
use super::state::{Segment, State, Transition};
use super::time::Second;
use super::totals::Totals;

/// How long a rollout or a scale-up may take until it counts as an outage: the default of a Deployment's
/// `progressDeadlineSeconds`.
pub(super) const ROLLOUT_LIMIT: u32 = 600;

/// The longest time that a timeline goes back.
pub const RETENTION: Duration = Duration::from_secs(31 * 86_400);

/// The states of a workload: its latest transitions, and totals of what is older. Before the first transition nothing is
/// known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timeline {
    /// In the order of time; neighbours have different states.
    transitions: Vec<Transition>,
    /// Ends where the transitions begin.
    buckets: Option<Box<Buckets>>,
}

impl Timeline {
    /// Makes a timeline of transitions, in any order and with repeated states.
    pub(super) fn of(mut transitions: Vec<Transition>, buckets: Option<Box<Buckets>>) -> Self {
        let first = buckets.as_ref().map_or(Second::default(), |it| it.end());
        for transition in &mut transitions {
            transition.at = transition.at.max(first);
        }
        transitions.sort_by_key(|transition| transition.at);
        let mut timeline = Self {
            transitions: Vec::with_capacity(transitions.len()),
            buckets,
        };
        for Transition { at, state } in transitions {
            timeline.set(at, state);
        }
        timeline
    }

    pub(super) fn transitions(&self) -> &[Transition] {
        &self.transitions
    }

    pub(super) fn buckets(&self) -> Option<&Buckets> {
        self.buckets.as_deref()
    }

    /// The last transition.
    pub(super) fn last(&self) -> Option<Transition> {
        self.transitions.last().copied()
    }

    /// The state now.
    pub(super) fn state(&self) -> Option<State> {
        self.last().map(|last| last.state)
    }

    /// The begin of what is known.
    pub(super) fn begin(&self) -> Option<Second> {
        let buckets = self.buckets.as_ref().and_then(|buckets| buckets.begin());
        buckets.or_else(|| self.transitions.first().map(|first| first.at))
    }

    /// Sets the state from a time on. Transitions from then on are removed: the later report knows more. What is merged
    /// into totals stays.
    pub(super) fn set(&mut self, at: Second, state: State) {
        let first = self
            .buckets
            .as_ref()
            .map_or(Second::default(), |it| it.end());
        let at = at.max(first);
        let keep = self.transitions.partition_point(|it| it.at < at);
        self.transitions.truncate(keep);
        if self.state() != Some(state) {
            self.transitions.push(Transition { at, state });
        }
    }

    /// The times in each state up to `until`, the oldest first. A rollout that lasts longer than its limit becomes an
    /// outage.
    pub(super) fn segments(&self, until: Second) -> impl Iterator<Item = Segment> {
        let next = self.transitions.iter().skip(1).map(|next| next.at);
        let ends = next.chain(std::iter::once(Second(u32::MAX)));
        self.transitions
            .iter()
            .zip(ends)
            .flat_map(|(transition, end)| {
                let split = match transition.state {
                    State::Deliberate => transition.at.after(ROLLOUT_LIMIT).min(end),
                    _ => end,
                };
                let segment = |begin, end, state| Segment { begin, end, state };
                [
                    segment(transition.at, split, transition.state),
                    segment(split, end, State::Down),
                ]
            })
            .map(move |segment| Segment {
                end: segment.end.min(until),
                ..segment
            })
            .filter(|segment| segment.begin < segment.end)
    }

    /// The totals from `since` to `until`. What is known ends at `known`; from there on the state is unknown. Totals of
    /// an hour or a day are taken as a whole, so the begin may be earlier.
    pub(super) fn totals(&self, since: Second, until: Second, known: Second) -> Totals {
        let mut totals = Totals::default();
        let known = known.min(until);
        for bucket in self.buckets.iter().flat_map(|buckets| buckets.from(since)) {
            totals.add_bucket(bucket);
        }
        for segment in self.segments(known) {
            let begin = segment.begin.max(since);
            totals.add(Segment { begin, ..segment });
        }
        if let Some(begin) = self.begin().filter(|_| known < until) {
            let begin = known.max(since).max(begin);
            totals.add(Segment {
                begin,
                end: until,
                state: State::Unknown,
            });
        }
        totals
    }

    /// Merges the oldest transitions into totals until `most` are left, and drops what is older than the retention.
    /// Returns the downtime that was dropped, in seconds.
    pub(super) fn compact(&mut self, most: usize, retention: Duration, now: Second) -> u64 {
        let surplus = self.transitions.len().saturating_sub(most);
        if surplus > 0 {
            // Some more at once, so that not every transition is merged by itself.
            let merged = surplus.saturating_add(most / 4);
            let merged = merged.min(self.transitions.len().saturating_sub(1));
            self.merge_first(merged);
        }
        let oldest = now.before(retention);
        let down = |timeline: &Self| {
            let all = timeline.totals(Second::default(), now, now);
            all.seconds(State::Down)
        };
        if self.begin().is_none_or(|begin| begin >= oldest) && self.buckets.is_none() {
            return 0;
        }
        let before = down(self);
        self.expire(oldest, now);
        before.saturating_sub(down(self))
    }

    /// Merges the first transitions into totals.
    fn merge_first(&mut self, count: usize) {
        let Some(end) = self.transitions.get(count).map(|next| next.at) else {
            return;
        };
        let segments: Vec<Segment> = self.segments(end).collect();
        let buckets = self.buckets.get_or_insert_default();
        for segment in segments {
            buckets.add(segment);
        }
        self.transitions.drain(..count);
    }

    fn expire(&mut self, oldest: Second, now: Second) {
        if let Some(buckets) = &mut self.buckets {
            buckets.compact(oldest, now);
            if buckets.is_empty() {
                self.buckets = None;
            }
        }
        let gone = self.transitions.partition_point(|it| it.at <= oldest);
        // The state at the begin is needed.
        self.transitions.drain(..gone.saturating_sub(1));
        if let (None, Some(first)) = (&self.buckets, self.transitions.first_mut()) {
            first.at = first.at.max(oldest);
        }
    }

    /// The timeline of two that watched the same workload: at each time the state of `self`, if it knows one, else that
    /// of `other`, which knows nothing from `known` on. At most one of them has totals, or those of `self` count.
    pub(super) fn merged(&self, other: &Self, known: Second) -> Self {
        let buckets = self.buckets.clone().or_else(|| other.buckets.clone());
        let mut times: Vec<Second> = self.transitions.iter().map(|it| it.at).collect();
        times.extend(
            other
                .transitions
                .iter()
                .map(|it| it.at)
                .filter(|at| *at < known),
        );
        times.push(known);
        times.sort_unstable();
        times.dedup();
        let state = |at: Second| {
            let own = self.at(at);
            if own.is_some_and(|state| state != State::Unknown) {
                return own;
            }
            let theirs = other.at(at).filter(|_| at < known);
            // Where one begins and the other has ended, nobody watched.
            theirs.or(own).or((at >= known).then_some(State::Unknown))
        };
        let begins = self.begin().is_some() || other.begin().is_some();
        let transitions = times.into_iter().filter_map(|at| {
            let state = state(at).filter(|_| begins)?;
            Some(Transition { at, state })
        });
        Self::of(transitions.collect(), buckets)
    }

    /// The state at a time.
    pub(super) fn at(&self, at: Second) -> Option<State> {
        let next = self.transitions.partition_point(|it| it.at <= at);
        let index = next.checked_sub(1)?;
        self.transitions.get(index).map(|it| it.state)
    }

    /// The heap memory in bytes.
    pub(super) fn bytes(&self) -> usize {
        let buckets = self.buckets.as_ref().map_or(0, |buckets| buckets.bytes());
        self.transitions.capacity() * size_of::<Transition>() + buckets
    }
}
