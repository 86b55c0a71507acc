//! The headings of the list of pods in the overview.

use crate::model::{Part, State};

/// Renders a number of things: `1 pod`, `3 pods`.
fn count(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}

/// Returns the heading of the unhealthy pods. It includes the problems that the header counts, so that the two agree.
pub(super) fn attention(state: &State) -> String {
    let screen = state.screen();
    let list = &screen.list;
    let pods = list.first_group.unwrap_or(list.order.len());
    let mut parts = Vec::new();
    if pods > 0 {
        parts.push(count(pods, "pod"));
    }
    let whole = state.namespaces.is_empty() && list.filter.is_empty();
    // The header counts the whole cluster.
    if whole {
        let cluster = &state.world().cluster;
        let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let failing = number(cluster.probes_failing);
        if pods == 0 && failing > 0 {
            parts.push(count(failing, "failing probe"));
        }
        let not_ready = number(cluster.nodes.saturating_sub(cluster.nodes_ready));
        if not_ready > 0 {
            parts.push(format!("{} not ready", count(not_ready, "node")));
        }
        let open = number(cluster.incidents_open.unwrap_or(0));
        if pods == 0 && open > 0 {
            parts.push(count(open, "open incident"));
        }
    }
    let acknowledged = match screen.panes.acknowledged {
        0 => String::new(),
        count => format!(" ({count} acknowledged)"),
    };
    if !parts.is_empty() {
        return format!("Needs attention: {}{acknowledged}", parts.join(", "));
    }
    if !state.has_answered(Part::Pods) {
        return "Needs attention".to_owned();
    }
    if !list.filter.is_empty() {
        return format!("Nothing that matches the filter needs attention{acknowledged}");
    }
    match state.namespaces.as_slice() {
        [] => format!("Nothing needs attention{acknowledged}"),
        [only] => format!("Nothing in {only} needs attention{acknowledged}"),
        several => format!(
            "Nothing in these {} namespaces needs attention{acknowledged}",
            several.len()
        ),
    }
}

/// Returns the heading of the pods that recovered.
pub(super) fn recently(state: &State) -> String {
    let list = &state.screen().list;
    let pods = list.order.len() - list.first_group.unwrap_or(0).min(list.order.len());
    format!("Recently: {}, well again", count(pods, "pod"))
}
