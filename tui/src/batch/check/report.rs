//! The result of a check: the document of `-o json`, and what the other forms print.

use kubevitals_proto::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::check::{
    Basis, Object, Problem, Severity, Unjudged, Verdict, problems, unjudged,
};
use crate::model::{State, View};

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The time of the check, which every document has.
    #[serde(skip)]
    pub now: Timestamp,
    /// `ok`, `warning`, `critical` or `unknown`.
    pub verdict: String,
    /// The exit code: 0, 1, 2 or 3.
    pub exit_code: u8,
    /// The number of critical problems.
    pub critical: usize,
    /// The number of warnings.
    pub warnings: usize,
    /// The number of nodes that were checked.
    pub nodes: usize,
    /// The number of pods that were checked.
    pub pods: usize,
    /// The problems: critical ones first.
    pub problems: Vec<ProblemItem>,
    /// The rules that cannot be judged.
    pub unjudged: Vec<UnjudgedItem>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemItem {
    /// `critical` or `warning`.
    pub severity: String,
    /// The rule that found it.
    pub rule: String,
    /// The kind of the object: `Node`, `Pod`, `Deployment`, …
    pub kind: String,
    /// The namespace of the object; empty for a node.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// The container, if the problem is one container's; else empty.
    pub container: String,
    /// The problem in words.
    pub message: String,
    /// Since when, in RFC 3339, if that is known.
    pub since: Option<String>,
}

/// A rule that cannot be judged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnjudgedItem {
    /// The rule.
    pub rule: String,
    /// Why not.
    pub reason: String,
}

impl Report {
    /// Checks the cluster of a state.
    pub fn of(state: &mut State, basis: &Basis<'_>) -> Self {
        let sums_of_nodes = state.has_separate_usage();
        state.live.derive(View::Workloads, sums_of_nodes);
        let world = &state.live;
        let problems = problems(world, basis);
        let unjudged = unjudged(state, basis);
        let verdict = Verdict::of(&problems, &unjudged);
        let count = |severity| {
            let of_severity = problems.iter().filter(|it| it.severity == severity);
            of_severity.count()
        };
        let pods = world.pods.rows().iter();
        let pods = pods.filter(|pod| basis.has_namespace(&pod.namespace));
        Self {
            now: basis.now,
            verdict: verdict.as_str().to_owned(),
            exit_code: verdict.exit_code(),
            critical: count(Severity::Critical),
            warnings: count(Severity::Warning),
            nodes: match basis.namespaces {
                [] => world.nodes.len(),
                _ => 0,
            },
            pods: pods.count(),
            unjudged: unjudged.into_iter().map(Into::into).collect(),
            problems: problems.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Problem> for ProblemItem {
    fn from(problem: Problem) -> Self {
        let object = problem.object;
        Self {
            severity: problem.severity.as_str().to_owned(),
            rule: problem.rule.name().to_owned(),
            kind: object.kind,
            namespace: object.namespace,
            name: object.name,
            container: object.container,
            message: problem.message,
            since: problem.since.map(|since| since.to_rfc3339_seconds()),
        }
    }
}

impl From<Unjudged> for UnjudgedItem {
    fn from(unjudged: Unjudged) -> Self {
        Self {
            rule: unjudged.rule.name().to_owned(),
            reason: unjudged.why,
        }
    }
}

impl ProblemItem {
    /// The object.
    pub(super) fn object(&self) -> Object {
        Object {
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            container: self.container.clone(),
        }
    }
}
