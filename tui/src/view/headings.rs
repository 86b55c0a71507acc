//! The headings of the list of problems in the overview.

use crate::model::State;
use crate::model::format::count;

/// Returns the problems that the header counts, if none of them is listed: header and pods arrive one after the other, or
/// the header counts more pods than the source sends. So the two agree.
pub(super) fn counted_problems(state: &State) -> Option<String> {
    // The header counts the whole cluster.
    if !state.namespaces.is_empty()
        || !state.screen().list.filter.is_empty()
        || state.screen().panes.acknowledged > 0
    {
        return None;
    }
    let cluster = &state.world().cluster;
    let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let mut problems = Vec::new();
    let failing = number(cluster.probes_failing);
    if failing > 0 {
        problems.push(count(failing, "failing probe"));
    }
    let not_ready = number(cluster.nodes.saturating_sub(cluster.nodes_ready));
    if not_ready > 0 {
        problems.push(format!("{} not ready", count(not_ready, "node")));
    }
    let open = number(cluster.incidents_open.unwrap_or(0));
    if open > 0 {
        problems.push(count(open, "open incident"));
    }
    (!problems.is_empty()).then(|| format!("Not well: {}", problems.join(", ")))
}

/// Returns the heading of the problems.
pub(super) fn problems(state: &State) -> String {
    let screen = state.screen();
    let list = &screen.list;
    let heading = match list.first_group.unwrap_or(list.order.len()) {
        // The first group is empty, and the second one has a heading of its own.
        0 => "Problems".to_owned(),
        count => format!("Problems ({count})"),
    };
    match screen.panes.acknowledged {
        0 => heading,
        count => format!("{heading}, {count} acknowledged"),
    }
}

/// Returns the heading of the problems that are not urgent.
pub(super) fn not_urgent(state: &State) -> String {
    let list = &state.screen().list;
    let count = list.order.len() - list.first_group.unwrap_or(0).min(list.order.len());
    format!("Starting or ended ({count})")
}
