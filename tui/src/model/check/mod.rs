//! What is wrong in a cluster at one time, by severity. The rules are those by which the dashboard marks rows: this
//! module only decides which marks are problems, and how severe they are.

mod incidents;
mod judged;
mod nodes;
mod pods;
mod problem;
mod rule;
mod usage;
mod workloads;

pub use judged::{Unjudged, Verdict, unjudged};
pub(in crate::model) use pods::{changed, severity_of_pod};
pub use problem::{Basis, Object, Problem, Severity};
pub use rule::{Need, Rule};

use super::world::World;

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
