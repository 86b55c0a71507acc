//! Problems: their severity, their object, and what finding them depends on.

use kubevitals_proto::time::Timestamp;

use super::rule::Rule;
use crate::model::name::{Key, Name};
use crate::model::scope::{Limits, Scope};
use crate::model::tone::{Thresholds, Tone};

/// How severe a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something needs attention before it fails.
    Warning,
    /// Something fails now.
    Critical,
}

impl Severity {
    /// The word in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// The severity of a mark; `None` for marks that are no problem.
    pub(super) const fn of(tone: Tone) -> Option<Self> {
        match tone {
            Tone::Bad => Some(Self::Critical),
            Tone::Warn => Some(Self::Warning),
            Tone::Dim | Tone::Plain => None,
        }
    }
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How severe it is.
    pub severity: Severity,
    /// The rule that found it.
    pub rule: Rule,
    /// The object that has it.
    pub object: Object,
    /// The problem in words.
    pub message: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
}

/// The object that has a problem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// `Node`, `Pod`, `Deployment`, …
    pub kind: String,
    /// The namespace; empty for a node.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The container, if the problem is one container's; else empty.
    pub container: String,
}

impl Object {
    /// The object of this kind and key.
    pub(in crate::model) fn new(kind: &str, key: &Key) -> Self {
        Self {
            kind: kind.to_owned(),
            namespace: key.namespace.to_string(),
            name: key.name.to_string(),
            container: String::new(),
        }
    }

    /// The object in words: `Pod shop/web-1 (web)`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} ", self.kind);
        if !self.namespace.is_empty() {
            text.push_str(&format!("{}/", self.namespace));
        }
        text.push_str(&self.name);
        if !self.container.is_empty() {
            text.push_str(&format!(" ({})", self.container));
        }
        text
    }

    /// The object as kubectl names it: `pod/web-1`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("{}/{}", self.kind.to_lowercase(), self.name)
    }

    pub(super) fn container(self, name: &str) -> Self {
        Self {
            container: name.to_owned(),
            ..self
        }
    }
}

/// How long a pod may usually be starting or ending, in seconds.
pub(super) const GRACE_SECONDS: u32 = 300;

/// What a check depends on beside the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The time.
    pub now: Timestamp,
    /// The parts of a limit at which usage is high and too high.
    pub thresholds: Thresholds,
    /// How long a pod may be starting or ending, in seconds.
    pub grace_seconds: u32,
    /// The namespaces to check; empty for all, and for nodes.
    pub namespaces: &'a [Name],
    /// The rules to apply.
    pub rules: &'a [Rule],
}

impl Basis<'_> {
    /// Whether objects of this namespace are checked.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        let limits = Limits {
            scope: &Scope::All,
            namespaces: self.namespaces,
            now: self.now,
            names_probe: false,
        };
        limits.has_namespace(namespace)
    }

    /// Whether a time is less than the grace ago.
    pub(super) fn is_in_grace(&self, time: Option<Timestamp>) -> bool {
        let grace = i64::from(self.grace_seconds) * 1_000_000_000;
        time.is_some_and(|time| self.now.since(time) < grace)
    }
}
