//! The pages of nodes, workloads and namespaces: their facts above the table of their pods.
//!
//! The source reads the objects while the page is open. [`lines`] puts their facts and what follows from the rows into
//! lines, the most important ones first, because a small terminal shows only the first.

mod namespace;
mod node;
mod shared;
mod workload;

use super::facts::{FactLine, flow};
use super::scope::Scope;
use super::state::State;
use super::view::View;

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
        Scope::Namespace(name) => namespace::groups(state, name, facts),
        Scope::All | Scope::Pod(_) | Scope::Claim(..) | Scope::Problem(_) => Vec::new(),
    };
    // Below the first line: further lines may not have space.
    let below = groups.len().min(1);
    groups.splice(below..below, shared::missing(facts));
    flow(groups, width)
}
