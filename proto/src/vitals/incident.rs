//! `Incident`: something that went wrong, since when, why, and how that is known.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pod::Workload;
use super::{Cause, Certainty, Ended, Meta};
use crate::time::Timestamp;

/// A problem, with its cause and evidence. Related problems are one incident: a crash loop is one, however often it
/// crashes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Incident {
    /// Always `Incident`.
    #[serde(rename = "kind")]
    pub type_kind: String,
    /// Always `kubevitals.io/v1alpha1`.
    pub api_version: String,
    /// A name that is unique in the pod's namespace; a node's incident is in `default`.
    pub metadata: Meta,
    /// The kind of the problem.
    pub reason: IncidentKind,
    /// The cause.
    pub cause: Cause,
    /// The certainty of the cause.
    pub certainty: Certainty,
    /// The reason as a sentence.
    pub message: String,
    /// The object that the incident is about.
    pub involved: Involved,
    /// The begin of the incident.
    pub began: Timestamp,
    /// The last occurrence.
    pub last_seen: Timestamp,
    /// The end of the incident; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// The number of occurrences: restarts, failed attempts.
    pub count: u64,
    /// The last termination of the container, for restarts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_ended: Option<Ended>,
    /// The evidence, oldest first; of a long list the first and the last entries.
    pub evidence: Vec<Evidence>,
    /// The pods that one cause affects, if there are several: the first 20. They are in the namespace of the incident.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub affected: Vec<Affected>,
    /// The number of affected pods; left out if the incident is about one pod or a node.
    #[serde(skip_serializing_if = "is_zero")]
    pub affected_count: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Incident {
    /// The severity. It follows from the object alone, so it stays the same while the incident lasts.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match &*self.involved.kind {
            "Node" => Severity::Critical,
            _ => Severity::Warning,
        }
    }
}

/// How severe an incident is, in the words of Alertmanager's and Prometheus' examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// A node is lost or evicts pods.
    Critical,
    /// Pods have a problem.
    Warning,
}

impl Severity {
    /// The word, as a label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
        }
    }
}

/// One of the pods that an incident affects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Affected {
    /// The name.
    pub name: String,
    /// The UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

api_enum! {
    /// The kind of the problem.
    pub enum IncidentKind {
        /// A container ended and is started again.
        Restart,
        /// A probe fails.
        ProbeFailing,
        /// A pod is no longer ready, and no other incident explains it.
        PodNotReady,
        /// A node is not ready.
        NodeNotReady,
        /// A pod was evicted.
        Eviction,
        /// An image cannot be pulled.
        ImagePull,
        /// A pod failed, or a container that is not started again failed, for example of a Job.
        PodFailed,
        /// A value of a later version.
        #[default]
        #[serde(other)]
        Other,
    }
}

/// The object that an incident is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Involved {
    /// `Pod` or `Node`; or, of pods of one workload that fail alike, the workload's kind.
    pub kind: String,
    /// The pod's namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The UID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// The container, if the incident is about one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container: String,
    /// The pod's node.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// The workload of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
}

/// A fact from which an incident follows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Evidence {
    /// The time.
    pub time: Timestamp,
    /// The source of the fact.
    pub source: Source,
    /// The fact: the text of an event, the increase of a counter, the memory before a kill.
    pub text: String,
}

impl Evidence {
    /// The text of an event's message as evidence. A message that ends before a probe's output says that there was none.
    #[must_use]
    pub fn of_event(message: &str) -> Cow<'_, str> {
        let message = message.trim_end();
        match message.strip_suffix(" failed:") {
            Some(what) => format!("{what} failed (no output)").into(),
            None => message.into(),
        }
    }
}

api_enum! {
    /// Where evidence comes from.
    pub enum Source {
        /// An event.
        Event,
        /// The pod's or node's status.
        Status,
        /// The kubelet's counters of probes.
        ProbeCounter,
        /// Samples of usage.
        History,
        /// A value of a later version.
        #[default]
        #[serde(other)]
        Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_failure_without_output_is_reported_as_such() {
        for (message, text) in [
            (
                "Liveness probe failed: ",
                "Liveness probe failed (no output)",
            ),
            (
                "Liveness probe failed: dial tcp\n",
                "Liveness probe failed: dial tcp",
            ),
            ("Back-off restarting", "Back-off restarting"),
        ] {
            assert_eq!(Evidence::of_event(message), text);
        }
    }
}
