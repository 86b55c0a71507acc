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
pub(super) fn unhealthy_pods(state: &State) -> String {
    let screen = state.screen();
    let list = &screen.list;
    let pods = list.first_group.unwrap_or(list.order.len());
    let mut problems = Vec::new();
    let whole = state.namespaces.is_empty() && list.filter.is_empty();
    // The header counts the whole cluster.
    if whole {
        let cluster = &state.world().cluster;
        let number = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let failing = number(cluster.probes_failing);
        if pods == 0 && failing > 0 {
            problems.push(count(failing, "failing probe"));
        }
        let not_ready = number(cluster.nodes.saturating_sub(cluster.nodes_ready));
        if not_ready > 0 {
            problems.push(format!("{} not ready", count(not_ready, "node")));
        }
        let open = number(cluster.incidents_open.unwrap_or(0));
        if pods == 0 && open > 0 {
            problems.push(count(open, "open incident"));
        }
    }
    let problems = problems.join(", ");
    let heading = match state.namespaces.as_slice() {
        _ if pods > 0 && problems.is_empty() => format!("Unhealthy pods ({pods})"),
        _ if pods > 0 => format!("Unhealthy pods ({pods}), {problems}"),
        _ if !problems.is_empty() => format!("Unhealthy: {problems}"),
        _ if !state.has_answered(Part::Pods) => return "Unhealthy pods".to_owned(),
        _ if !list.filter.is_empty() => "No unhealthy pods match the filter".to_owned(),
        [] => "No unhealthy pods".to_owned(),
        [only] => format!("No unhealthy pods in namespace {only}"),
        several => format!("No unhealthy pods in these {} namespaces", several.len()),
    };
    match screen.panes.acknowledged {
        0 => heading,
        count => format!("{heading}, {count} acknowledged"),
    }
}

/// Returns the heading of the pods that recovered.
pub(super) fn recovered_pods(state: &State) -> String {
    let list = &state.screen().list;
    let pods = list.order.len() - list.first_group.unwrap_or(0).min(list.order.len());
    format!("Recovered pods ({pods})")
}
