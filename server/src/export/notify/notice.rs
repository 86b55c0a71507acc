//! A notice: what happened to an incident, for a target outside the server.

use serde::Serialize;

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
