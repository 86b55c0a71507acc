//! The pages of nodes, workloads, HPAs and namespaces: their facts above the table of their pods.
//!
//! The source reads the objects while the page is open. [`lines`] puts their facts and what follows from the rows into
//! lines, the most important ones first, because a small terminal shows only the first.

mod hpa;
mod namespace;
mod node;
mod shared;
mod workload;

use kubevitals_proto::time::Timestamp;

use super::facts::{FactLine, HpaFacts, flow};
use super::row::HpaRow;
use super::scope::Scope;
use super::state::State;
use super::view::View;

/// The page of an HPA, each group of its facts in a line.
#[must_use]
pub fn hpa_lines(row: &HpaRow, facts: &HpaFacts, now: Timestamp) -> Vec<FactLine> {
    hpa::groups_of(row, Some(facts), (now, now))
}

/// The lines of the open page; none in other views.
pub(super) fn lines(state: &State, width: u16) -> Vec<FactLine> {
    let screen = state.screen();
    if screen.view != View::Pods || !screen.scope.has_facts() {
        return Vec::new();
    }
    let facts = screen.facts.as_deref();
    let mut groups = match &screen.scope {
        Scope::Node(name) => node::groups(state, name, facts),
        Scope::Workload(namespace, workload) => workload::groups(state, namespace, workload, facts),
        Scope::Hpa(key, _) => hpa::groups(state, key, facts),
        Scope::Namespace(name) => namespace::groups(state, name, facts),
        Scope::All | Scope::Pod(_) | Scope::Claim(..) | Scope::Problem(_) => Vec::new(),
    };
    // Below the first line: further lines may not have space.
    let below = groups.len().min(1);
    groups.splice(below..below, shared::missing(facts));
    flow(groups, width)
}
