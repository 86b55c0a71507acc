//! Failed attempts of probes in a row.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::ProbeKind;

/// Failures in a row, by kind of probe.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Streaks(BTreeMap<ProbeKind, Streak>);

/// Failures of a probe in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Streak {
    /// The time of the first failure, if it is known.
    pub(super) since: Option<Timestamp>,
    /// The time of the last known failure.
    pub(super) last: Timestamp,
    /// The number of failures according to Events.
    pub(super) by_events: u32,
    /// The number of failures according to the kubelet's counters.
    pub(super) by_counters: u32,
    /// The number of failures before those, of a container that was never ready: according to Events, and to counters.
    pub(super) before: (u32, u32),
    /// The kubelet's message about the last failure.
    pub(super) message: Box<str>,
}

impl Streaks {
    pub(super) fn of(&self, kind: ProbeKind) -> Option<&Streak> {
        self.0.get(&kind)
    }

    /// The kinds of the failing probes.
    pub(super) fn kinds(&self) -> Vec<ProbeKind> {
        self.0.keys().copied().collect()
    }

    /// Adds failures.
    pub(super) fn failed(&mut self, kind: ProbeKind, more: Streak) {
        match self.0.entry(kind) {
            Entry::Vacant(entry) => {
                entry.insert(more);
            }
            Entry::Occupied(entry) => {
                let streak = entry.into_mut();
                streak.by_events = streak.by_events.saturating_add(more.by_events);
                streak.since = streak.since.or(more.since);
                if more.last >= streak.last {
                    streak.last = more.last;
                    if !more.message.is_empty() {
                        streak.message = more.message;
                    }
                }
            }
        }
    }

    /// Adds failures of the counters, as of a time. `in_a_row` if no attempt succeeded meanwhile.
    pub(super) fn counted(&mut self, kind: ProbeKind, failed: u32, in_a_row: bool, at: Timestamp) {
        let streak = self.0.entry(kind).or_insert_with(|| Streak::at(at));
        streak.by_counters = if in_a_row {
            streak.by_counters.saturating_add(failed)
        } else {
            // The order of the attempts is unknown, so at least one failure counts.
            1
        };
        streak.last = streak.last.max(at);
    }

    /// Records that all attempts have failed according to the counters, `before` of them before this reading.
    pub(super) fn all_failed(&mut self, kind: ProbeKind, before: u32, at: Timestamp) {
        let streak = self.0.entry(kind).or_insert_with(|| Streak::at(at));
        if streak.before.1 == 0 {
            streak.before.1 = before;
        }
        streak.last = streak.last.max(at);
    }

    /// Ends the streak: an attempt succeeded.
    pub(super) fn end(&mut self, kind: ProbeKind, at: Timestamp) {
        if self.of(kind).is_some_and(|streak| streak.last <= at) {
            self.0.remove(&kind);
        }
    }

    pub(super) fn clear(&mut self, kind: ProbeKind) {
        self.0.remove(&kind);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Streak {
    /// A streak without counted failures.
    fn at(last: Timestamp) -> Self {
        Self {
            since: None,
            last,
            by_events: 0,
            by_counters: 0,
            before: (0, 0),
            message: Box::default(),
        }
    }

    /// The number of failures in a row: the larger of both counts, since Events may be lost and counters arrive later.
    pub(super) fn failures(&self) -> u32 {
        let by_events = self.by_events.saturating_add(self.before.0);
        by_events.max(self.by_counters.saturating_add(self.before.1))
    }

    /// The number of failures since the start of this streak.
    pub(super) fn newly(&self) -> u32 {
        self.by_events.max(self.by_counters)
    }
}
