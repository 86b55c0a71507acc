//! The form of the records in the state: protobuf messages.

use std::sync::Arc;

use prost::Message;

use super::buckets::{Bucket, Buckets};
use super::engine::WorkloadKey;
use super::record::{Loss, Record};
use super::state::{State, Transition};
use super::time::Second;
use super::timeline::Timeline;

/// The largest number of transitions and of totals of a workload that are restored.
const MAX_RESTORED: usize = 4_096;

/// The largest number of ready pods that a restored workload counts: a DaemonSet on each node of the largest cluster.
const MAX_READY: usize = 5_000;

/// Why records are not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no message.
    #[error("it is no list of workloads: {0}")]
    Malformed(#[from] prost::DecodeError),
}

/// The records of some workloads.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Records {
    /// From then on nothing is known, in seconds since the epoch.
    #[prost(uint32, tag = "1")]
    pub(super) known: u32,
    #[prost(message, repeated, tag = "2")]
    pub(super) workloads: Vec<Workload>,
}

/// The record of a workload. Times are in seconds since the epoch.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Workload {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    kind: String,
    #[prost(string, tag = "3")]
    name: String,
    /// Each time as the seconds since the one before.
    #[prost(uint32, repeated, tag = "4")]
    times: Vec<u32>,
    /// The states by number.
    #[prost(bytes = "vec", tag = "5")]
    states: Vec<u8>,
    /// The numbers of each bucket, one bucket after the other.
    #[prost(uint32, repeated, tag = "6")]
    buckets: Vec<u32>,
    /// The number of ready pods.
    #[prost(uint32, tag = "7")]
    ready: u32,
    #[prost(uint32, tag = "8")]
    revision: u32,
    #[prost(uint32, tag = "9")]
    lost: u32,
    #[prost(bool, tag = "10")]
    deleted: bool,
    #[prost(uint32, tag = "11")]
    gone: u32,
    /// The number of the state before the pods were deleted, plus one.
    #[prost(uint32, tag = "12")]
    before_off: u32,
    #[prost(uint64, tag = "13")]
    expired_seconds: u64,
}

impl Workload {
    pub(super) fn of(key: &WorkloadKey, record: &Record) -> Self {
        let transitions = record.timeline.transitions();
        let before = transitions.iter().map(|it| it.at.0);
        let before = std::iter::once(0).chain(before);
        let times = transitions.iter().zip(before);
        let buckets = record.timeline.buckets();
        let buckets = buckets.into_iter().flat_map(Buckets::iter);
        Self {
            namespace: key.namespace.to_string(),
            kind: key.kind.to_string(),
            name: key.name.to_string(),
            times: times.map(|(it, before)| it.at.0 - before).collect(),
            states: transitions.iter().map(|it| it.state as u8).collect(),
            buckets: buckets.flat_map(Bucket::numbers).collect(),
            ready: u32::try_from(record.ready.len()).unwrap_or(u32::MAX),
            revision: record.revision,
            lost: record.lost.0,
            deleted: record.loss == Loss::Deletion,
            gone: record.gone.0,
            before_off: record.before_off.map_or(0, |state| state as u32 + 1),
            expired_seconds: record.expired_seconds,
        }
    }

    /// The record, of which nothing is known from `known` on. Returns `None` if the numbers contradict each other.
    pub(super) fn restore(self, known: Second) -> Option<(WorkloadKey, Record)> {
        let is_named = [&self.namespace, &self.kind, &self.name]
            .iter()
            .all(|name| !name.is_empty() && name.len() <= 253);
        let is_bounded = self.times.len() <= MAX_RESTORED
            && self.times.len() == self.states.len()
            && self.buckets.len() <= MAX_RESTORED * Bucket::NUMBERS;
        if !is_named || !is_bounded {
            return None;
        }
        let mut transitions = Vec::with_capacity(self.times.len());
        let mut at = Second::default();
        for (seconds, state) in self.times.iter().zip(&self.states) {
            at = at.after(*seconds);
            let state = state_of((*state).into())?;
            transitions.push(Transition {
                at: at.min(known),
                state,
            });
        }
        let buckets: Option<Vec<Bucket>> = self
            .buckets
            .chunks(Bucket::NUMBERS)
            .map(Bucket::of)
            .collect();
        let buckets = match buckets? {
            none if none.is_empty() => None,
            buckets => Some(Box::new(Buckets::of(buckets)?)),
        };
        let record = Record {
            timeline: Timeline::of(transitions, buckets),
            // Only their number counts, until the pods are listed.
            ready: vec![Second::default(); usize::try_from(self.ready).ok()?.min(MAX_READY)],
            revision: self.revision,
            lost: Second(self.lost).min(known),
            loss: match self.deleted {
                true => Loss::Deletion,
                false => Loss::Failure,
            },
            gone: Second(self.gone).min(known),
            before_off: self.before_off.checked_sub(1).and_then(state_of),
            known: Some(known),
            expired_seconds: self.expired_seconds,
            ..Record::default()
        };
        let key = WorkloadKey {
            namespace: Arc::from(self.namespace),
            kind: Arc::from(self.kind),
            name: Arc::from(self.name),
        };
        Some((key, record))
    }
}

fn state_of(number: u32) -> Option<State> {
    let number = usize::try_from(number).ok()?;
    State::ALL.get(number).copied()
}
