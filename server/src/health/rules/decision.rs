//! What a rule decides.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty};

use crate::health::container_index::ContainerIndex;
use crate::health::facts::{CountedFailures, EndedReadiness};
use crate::health::topic::Topic;

/// A change of a pod's incidents, or of the facts about the pod.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::health) enum Decision {
    /// Opens an incident.
    Open(Opening),
    /// Opens an ended incident again.
    Reopen {
        topic: Topic,
        incident: EndedReadiness,
        /// The time of the failure that continues the incident.
        at: Timestamp,
    },
    /// An open incident turns out to be about another topic and cause.
    ChangeTopic {
        from: Topic,
        to: Topic,
        cause: Cause,
    },
    /// Adds to the open incident about a topic.
    Extend(Extension),
    /// Ends the open incident about a topic, if there is one.
    End { topic: Topic, at: Timestamp },
    /// Removes the open incident about a topic: another incident explains it.
    Withdraw(Topic),
    /// Reviews the pod again at this time, even if nothing happens.
    Wake(Timestamp),
    /// Stores or clears the last incident about readiness, which a later failure may reopen.
    SetEndedReadiness(ContainerIndex, Option<EndedReadiness>),
    /// Stores or clears the failed attempts that the incident about readiness already counts.
    SetCountedFailures(ContainerIndex, Option<CountedFailures>),
}

/// A new incident.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::health) struct Opening {
    pub(in crate::health) topic: Topic,
    pub(in crate::health) cause: Cause,
    pub(in crate::health) certainty: Certainty,
    pub(in crate::health) began: Timestamp,
    /// The time and the text of evidence from the pod's status.
    pub(in crate::health) evidence: Option<(Timestamp, String)>,
}

/// An addition to an open incident, with direct certainty.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::health) struct Extension {
    pub(in crate::health) topic: Topic,
    /// The incident began at this time, or earlier.
    pub(in crate::health) began: Option<Timestamp>,
    /// The incident counts at least this many occurrences.
    pub(in crate::health) count: u64,
    pub(in crate::health) last_seen: Option<Timestamp>,
}
