//! The verdict: how many problems there are, since when, and how much they affect.

use std::collections::HashSet;

use kubevitals_proto::time::Timestamp;

use crate::model::name::Name;
use crate::model::row::{ProblemRow, Urgency};

/// How many problems there are, since when, and how much they affect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Critical problems.
    pub critical: usize,
    /// Warnings.
    pub warnings: usize,
    /// Since when the oldest of the most urgent problems has been there, if that is known.
    pub since: Option<Timestamp>,
    /// Affected pods.
    pub pods: u64,
    /// Affected nodes.
    pub nodes: usize,
}

/// The verdict on these problems. Those that are not urgent do not count.
#[must_use]
pub fn verdict<'a>(problems: impl Iterator<Item = &'a ProblemRow>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut nodes: HashSet<&Name> = HashSet::new();
    let mut worst = Urgency::Warning;
    for problem in problems.filter(|problem| problem.urgency.is_urgent()) {
        match problem.urgency {
            Urgency::Critical => verdict.critical += 1,
            _ => verdict.warnings += 1,
        }
        if problem.urgency > worst {
            (worst, verdict.since) = (problem.urgency, None);
        }
        if problem.urgency == worst {
            let earliest = [verdict.since, problem.since].into_iter().flatten().min();
            verdict.since = earliest;
        }
        verdict.pods = verdict.pods.saturating_add(problem.affected);
        nodes.extend(&problem.node);
    }
    verdict.nodes = nodes.len();
    verdict
}
