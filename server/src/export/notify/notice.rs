//! A notice: what happened to an incident, for a target outside the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Incident, Severity};
use serde::{Serialize, Serializer};

use crate::health::{Announcement, Health};
use crate::query::VitalsBuilder;

/// Labels that the administrator adds to every notice and alert.
pub(super) type ExtraLabels = Arc<BTreeMap<String, String>>;

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Action {
    /// The incident was opened, or continues after it was resolved.
    Opened,
    /// Its cause, its certainty or its extent has changed.
    Changed,
    /// The problem is over.
    Resolved,
    /// Another incident includes this one.
    Withdrawn,
}

impl Action {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Changed => "changed",
            Self::Resolved => "resolved",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A notice, as it is encoded for the log and for webhooks.
#[derive(Debug, Serialize)]
pub(super) struct Notice {
    /// Equal for all replicas and after a restart, so that a receiver can ignore a repetition.
    pub(super) id: String,
    pub(super) action: Action,
    /// When the server concluded it.
    pub(super) time: Timestamp,
    pub(super) severity: Severity,
    #[serde(skip_serializing_if = "no_labels", serialize_with = "labels")]
    pub(super) labels: ExtraLabels,
    /// The incident, encoded as `kubevitals.io/v1alpha1` has it.
    #[serde(serialize_with = "api_object")]
    pub(super) incident: Arc<Incident>,
    #[serde(skip)]
    pub(super) receipt: Receipt,
}

fn no_labels(labels: &ExtraLabels) -> bool {
    labels.is_empty()
}

fn labels<S: Serializer>(labels: &ExtraLabels, serializer: S) -> Result<S::Ok, S::Error> {
    (**labels).serialize(serializer)
}

fn api_object<S: Serializer>(incident: &Incident, serializer: S) -> Result<S::Ok, S::Error> {
    VitalsBuilder::incident(incident).serialize(serializer)
}

/// Counts the targets that have not handled a notice yet. When all have, the announcement is stored, so that the next
/// process does not repeat it.
#[derive(Debug, Default)]
pub(super) struct Receipt {
    pending: AtomicUsize,
    /// None if the incident is gone.
    pub(super) announcement: Option<Announcement>,
}

impl Receipt {
    /// For this number of targets.
    pub(super) fn new(targets: usize, announcement: Option<Announcement>) -> Self {
        Self {
            pending: AtomicUsize::new(targets),
            announcement,
        }
    }
}

impl Notice {
    /// A target has handled the notice: delivered it, or lost it for good.
    pub(super) fn handled(&self, health: &Health) {
        if self.receipt.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.announced(health);
        }
    }

    /// Stores the announcement.
    pub(super) fn announced(&self, health: &Health) {
        health.set_announced(&self.incident.metadata, self.receipt.announcement);
    }

    /// The notice as JSON.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // Encoding these types cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
