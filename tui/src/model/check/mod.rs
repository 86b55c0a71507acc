//! What is wrong in a cluster at one time, by severity. The rules are those by which the dashboard marks rows: this
//! module only decides which marks are problems, and how severe they are.

mod incidents;
mod judged;
mod nodes;
mod pods;
mod rule;
mod usage;
mod workloads;

use kubevitals_proto::time::Timestamp;

use super::name::{Key, Name};
use super::scope::{Limits, Scope};
use super::tone::{Thresholds, Tone};
use super::world::World;

pub use judged::{Unjudged, Verdict, unjudged};
pub use rule::{Need, Rule};

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
    const fn of(tone: Tone) -> Option<Self> {
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
    pub(super) fn new(kind: &str, key: &Key) -> Self {
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

    fn container(self, name: &str) -> Self {
        Self {
            container: name.to_owned(),
            ..self
        }
    }
}

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
        };
        limits.has_namespace(namespace)
    }

    /// Whether a time is less than the grace ago.
    fn is_in_grace(&self, time: Option<Timestamp>) -> bool {
        let grace = i64::from(self.grace_seconds) * 1_000_000_000;
        time.is_some_and(|time| self.now.since(time) < grace)
    }
}

/// The problems of a cluster: critical ones first, then in the order of the rules and of the objects. The workloads of the
/// world must be derived.
#[must_use]
pub fn problems(world: &World, basis: &Basis<'_>) -> Vec<Problem> {
    let explained = incidents::Explained::of(world, basis);
    let mut problems = Vec::new();
    incidents::check(world, basis, &mut problems);
    if basis.namespaces.is_empty() {
        nodes::check(world, basis, &explained, &mut problems);
    }
    pods::check(world, basis, &explained, &mut problems);
    usage::check(world, basis, &mut problems);
    workloads::check(world, basis, &mut problems);
    problems.retain(|problem| basis.rules.contains(&problem.rule));
    problems.sort_by(|a, b| {
        let severity = b.severity.cmp(&a.severity);
        let rule = || a.rule.cmp(&b.rule);
        severity
            .then_with(rule)
            .then_with(|| a.object.cmp(&b.object))
    });
    problems
}

#[cfg(test)]
mod tests;
