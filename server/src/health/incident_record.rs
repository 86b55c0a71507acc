//! A stored incident, its evidence, and changes to both.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash};
use std::sync::Arc;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Cause, Certainty, Evidence, Incident, IncidentKind, Involved, Source,
};
use serde::{Deserialize, Serialize};

/// The number of a group of incidents.
pub(super) type GroupId = u64;

/// The ID of a stored incident. IDs are in the order of opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Option<u64>", into = "Option<u64>")]
pub(super) struct IncidentId(pub(super) u64);

impl IncidentId {
    /// The ID of an incident that is no longer stored.
    pub(super) const DROPPED: Self = Self(u64::MAX);
}

impl From<Option<u64>> for IncidentId {
    fn from(id: Option<u64>) -> Self {
        id.map_or(Self::DROPPED, Self)
    }
}

impl From<IncidentId> for Option<u64> {
    fn from(id: IncidentId) -> Self {
        (id != IncidentId::DROPPED).then_some(id.0)
    }
}

/// The number of first items of evidence that are always stored.
pub(super) const FIRST: usize = 8;
/// The number of last items of evidence that are stored.
pub(super) const LAST: usize = 16;

/// The largest number of items of evidence of one incident.
pub(super) const EVIDENCE: usize = FIRST + LAST;

/// The largest length of an item of evidence, in bytes.
pub(super) const MAX_TEXT: usize = 400;

/// Identifies an item of evidence that is added again: a hash of the Event's UID, or of the termination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EvidenceKey(pub(super) u64);

impl EvidenceKey {
    pub(super) fn of(what: impl Hash) -> Self {
        Self(BuildHasherDefault::<DefaultHasher>::default().hash_one(what))
    }
}

/// An item of evidence with its key.
#[derive(Debug, Clone)]
pub(super) struct KeyedEvidence {
    pub(super) key: EvidenceKey,
    pub(super) evidence: Evidence,
}

impl KeyedEvidence {
    pub(super) fn new(key: EvidenceKey, time: Timestamp, source: Source, mut text: String) -> Self {
        if text.len() > MAX_TEXT {
            text.truncate(text.floor_char_boundary(MAX_TEXT - '…'.len_utf8()));
            text.push('…');
        }
        let evidence = Evidence { time, source, text };
        Self { key, evidence }
    }
}

/// A new incident.
#[derive(Debug)]
pub(super) struct NewIncident {
    pub(super) reason: IncidentKind,
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) involved: Involved,
    pub(super) labels: Labels,
    pub(super) began: Timestamp,
    /// What else incidents with a common cause share, if the cause may affect several pods.
    pub(super) shared_detail: Option<Box<str>>,
}

/// A stored incident, and its data besides the API object.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) incident: Arc<Incident>,
    /// The keys of the evidence, in the same order.
    pub(super) keys: Vec<EvidenceKey>,
    pub(super) version: u64,
    /// What else incidents with a common cause share, if the cause may affect several pods.
    pub(super) shared_detail: Option<Box<str>>,
    /// The role of the incident in a group.
    pub(super) role: GroupRole,
}

/// The role of an incident in a group of incidents with one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum GroupRole {
    /// The incident is in no group of several pods.
    #[default]
    Single,
    /// The incident is part of this joint incident, and hidden.
    Member(IncidentId),
    /// The joint incident of a group.
    Joint(GroupId),
}

/// An incident during a change.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    pub(super) incident: &'a mut Incident,
    pub(super) keys: &'a mut Vec<EvidenceKey>,
}

impl Edit<'_> {
    /// Adds an item of evidence in the order of time, or replaces the one with the same key.
    pub(super) fn add_evidence(&mut self, clue: KeyedEvidence) {
        self.seen(clue.evidence.time);
        let evidence = &mut self.incident.evidence;
        if let Some(at) = self.keys.iter().position(|key| *key == clue.key) {
            if evidence.get(at) == Some(&clue.evidence) {
                return;
            }
            evidence.remove(at);
            self.keys.remove(at);
        }
        let at = evidence.partition_point(|item| item.time <= clue.evidence.time);
        evidence.insert(at, clue.evidence);
        self.keys.insert(at, clue.key);
        if evidence.len() > EVIDENCE {
            evidence.remove(FIRST);
            self.keys.remove(FIRST);
        }
    }

    /// Whether there is evidence with this key.
    pub(super) fn has(&self, key: EvidenceKey) -> bool {
        self.keys.contains(&key)
    }

    /// Removes and returns the evidence with these keys.
    pub(super) fn take(&mut self, keys: &[EvidenceKey]) -> Vec<KeyedEvidence> {
        let mut taken = Vec::new();
        for key in keys {
            if let Some(at) = self.keys.iter().position(|other| other == key) {
                self.keys.remove(at);
                let evidence = self.incident.evidence.remove(at);
                taken.push(KeyedEvidence {
                    key: *key,
                    evidence,
                });
            }
        }
        taken
    }

    /// Sets last-seen to this time or later.
    pub(super) fn seen(&mut self, at: Timestamp) {
        self.incident.last_seen = self.incident.last_seen.max(at);
    }

    /// Sets the begin to this time or earlier.
    pub(super) fn began(&mut self, at: Timestamp) {
        if at < self.incident.began {
            self.incident.began = at;
            self.incident.metadata.creation_timestamp = Some(at);
        }
    }
}
