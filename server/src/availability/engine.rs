//! The availability of all workloads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use super::listing::Evidence;
use super::record::Record;
use super::standing::PodFacts;
use super::state::{State, Transition};
use super::time::Second;

/// The largest number of workloads, those that were deleted within the retention included.
pub(super) const MAX_WORKLOADS: usize = 20_000;

/// The largest number of transitions of all workloads: 8 bytes each.
const MAX_TRANSITIONS: usize = 1_000_000;

/// The largest and the smallest number of transitions of a workload. Older ones are merged into totals by hour.
const TRANSITIONS: (usize, usize) = (512, 32);

/// How often what is too old is dropped, in seconds.
const SWEEP_INTERVAL: u32 = 3_600;

/// A workload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadKey {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The kind: `Deployment`.
    pub kind: Arc<str>,
    /// The name.
    pub name: Arc<str>,
}

/// A list whose differences are being reported.
#[derive(Debug)]
struct Listing {
    /// The time from which on changes may have been missed; none for the first list.
    known: Option<Second>,
    evidence: BTreeMap<WorkloadKey, Evidence>,
}

/// The records of all workloads.
#[derive(Debug)]
pub(super) struct Engine {
    retention: Duration,
    pub(super) records: BTreeMap<WorkloadKey, Record>,
    listing: Option<Listing>,
    /// Whether there was a complete list.
    is_listed: bool,
    /// The last time at which the watch was up to date.
    current: Second,
    /// Whether the watch may have missed changes since then.
    is_silent: bool,
    swept: Second,
    /// The number of workloads that were left out because of the limit.
    pub(super) left_out: u64,
}

impl Engine {
    /// An engine that stores the past for `retention`.
    pub(super) fn new(retention: Duration) -> Self {
        Self {
            retention,
            records: BTreeMap::new(),
            listing: None,
            is_listed: false,
            current: Second::default(),
            is_silent: false,
            swept: Second::default(),
            left_out: 0,
        }
    }

    /// Applies a change of a pod.
    pub(super) fn pod(
        &mut self,
        key: WorkloadKey,
        before: Option<&PodFacts>,
        after: Option<&PodFacts>,
        now: Second,
    ) {
        let most = self.most_transitions();
        let is_full = self.records.len() >= MAX_WORKLOADS;
        let record = match self.records.entry(key.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(_) if is_full => {
                self.left_out += 1;
                return;
            }
            Entry::Vacant(entry) => entry.insert(Record::default()),
        };
        match &mut self.listing {
            Some(listing) => {
                let evidence = listing.evidence.entry(key);
                let evidence = evidence.or_insert_with(|| Evidence::of(record));
                record.count(before, after);
                evidence.add(before, after, record.known.or(listing.known), now);
            }
            None => {
                record.apply(before, after, now);
                record.compact(most, self.retention, now);
                self.sweep(now);
            }
        }
    }

    /// Handles the begin of a list.
    pub(super) fn listing(&mut self) {
        self.listing = Some(Listing {
            known: self.is_listed.then_some(self.current),
            evidence: BTreeMap::new(),
        });
    }

    /// Handles the end of a list: concludes what happened since the watch was up to date.
    pub(super) fn listed(&mut self, now: Second) {
        let Some(Listing {
            known,
            mut evidence,
        }) = self.listing.take()
        else {
            return;
        };
        for (key, record) in &mut self.records {
            let evidence = match evidence.remove(key) {
                Some(evidence) => evidence,
                // Its pods are as they were, or all gone since it was restored.
                None if record.known.is_none() => continue,
                None => Evidence::of(record),
            };
            let known = record.known.or(known);
            record.conclude(&evidence, known, now);
        }
        self.is_listed = true;
        self.heard(now, false);
        self.swept = Second::default();
        self.sweep(now);
    }

    /// Sets when the watch was up to date for the last time, and whether it may have missed changes since then.
    pub(super) fn heard(&mut self, current: Second, is_silent: bool) {
        self.current = self.current.max(current);
        self.is_silent = is_silent;
    }

    /// Drops what is too old, and workloads that have no pods and no past.
    fn sweep(&mut self, now: Second) {
        if now.since(self.swept) < SWEEP_INTERVAL {
            return;
        }
        self.swept = now;
        let most = self.most_transitions();
        for record in self.records.values_mut() {
            record.compact(most, self.retention, now);
        }
        let has_past = |record: &Record| match record.timeline.transitions() {
            []
            | [
                Transition {
                    state: State::Off, ..
                },
            ] => record.timeline.buckets().is_some(),
            _ => true,
        };
        self.records
            .retain(|_, record| !record.is_gone() || has_past(record));
    }

    fn most_transitions(&self) -> usize {
        let (most, least) = TRANSITIONS;
        let fair = MAX_TRANSITIONS.checked_div(self.records.len());
        fair.unwrap_or(most).clamp(least, most)
    }

    /// The time up to which a record is known at `now`: now, unless the watch is silent.
    pub(super) fn known_until(&self, record: &Record, now: Second) -> Second {
        match record.known {
            Some(known) => known,
            None if self.is_silent => self.current.min(now),
            None => now,
        }
    }

    /// Merges a record that another process wrote, which knew nothing from `known` on.
    pub(super) fn merge(&mut self, key: WorkloadKey, other: Record, known: Second) -> bool {
        let is_full = self.records.len() >= MAX_WORKLOADS;
        let expired = other.expired_seconds;
        match self.records.entry(key) {
            Entry::Occupied(mut entry) => {
                let record = entry.get_mut();
                match record.known {
                    // Both were restored: the newer one counts.
                    Some(own) if own < known => {
                        let timeline = other.timeline.merged(&record.timeline, own);
                        *record = Record { timeline, ..other };
                    }
                    _ => record.timeline = record.timeline.merged(&other.timeline, known),
                }
                record.expired_seconds = record.expired_seconds.max(expired);
                true
            }
            Entry::Vacant(_) if is_full => {
                self.left_out += 1;
                false
            }
            Entry::Vacant(entry) if self.is_listed => {
                // The workload has had no pods since this process watches.
                let mut record = other;
                record.forget_pods();
                if record.timeline.state() != Some(State::Off) {
                    record.timeline.set(known, State::Off);
                }
                record.known = None;
                entry.insert(record);
                true
            }
            Entry::Vacant(entry) => {
                entry.insert(other);
                true
            }
        }
    }

    /// The memory of the records in bytes, names included.
    pub(super) fn bytes(&self) -> usize {
        let each = self.records.iter().map(|(key, record)| {
            size_of::<WorkloadKey>()
                + size_of::<Record>()
                + key.name.len()
                + record.ready.capacity() * size_of::<Second>()
                + record.timeline.bytes()
        });
        each.sum()
    }
}
