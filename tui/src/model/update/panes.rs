//! Updates the panes of the overview.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::model::geometry::Rows;
use crate::model::overview_layout::OverviewLayout;
use crate::model::pane::Pane;
use crate::model::panes::PanesBasis;
use crate::model::row::{NodeRow, PodRow, Row};
use crate::model::state::State;
use crate::model::table::Table;

/// Updates the panes, and moves the cursor to a pane that is on the screen.
pub(super) fn refresh(state: &mut State) {
    let layout = OverviewLayout::of(state, state.size.width, Rows::of(state).body);
    let places = layout
        .panes
        .iter()
        .map(|(pane, place)| (*pane, place.rows()));
    let world = state.frozen.as_ref().unwrap_or(&state.live);
    let basis = PanesBasis {
        nodes: world.nodes.version(),
        pods: world.pods.version(),
        forecasts: world.forecasts.version(),
        changes: world.changes.version(),
        namespaces: state.namespaces.clone(),
        panes: places.collect(),
    };
    let Some(screen) = state.stack.last_mut() else {
        return;
    };
    let panes = &mut screen.panes;
    let is_shown = |pane: &Pane| basis.panes.iter().any(|(it, rows)| it == pane && *rows > 0);
    if !is_shown(&panes.focus) {
        panes.focus = Pane::List;
    }
    if panes.basis.as_ref() == Some(&basis) {
        return;
    }
    let is_in = |namespace: &str| {
        let names = &basis.namespaces;
        names.is_empty() || names.iter().any(|name| **name == *namespace)
    };
    for (pane, rows) in &basis.panes {
        let limit = usize::from(*rows);
        let order = match pane {
            Pane::List => continue,
            Pane::Nodes => fullest(&world.nodes, limit),
            Pane::Pods => busiest(&world.pods, limit, |pod| {
                pod.usage.cpu.number().filter(|_| is_in(&pod.namespace))
            }),
            Pane::Forecasts => first(&world.forecasts, limit, |row| row.full_at),
            Pane::Changes => first(&world.changes, limit, |row| {
                (row.at.is_none(), Reverse(row.at))
            }),
        };
        let (view, list) = screen.pane_mut(*pane);
        list.reorder(order, world.table(view), limit);
    }
    screen.panes.basis = Some(basis);
}

/// The first rows in an order; rows without a difference are in the order of their keys.
fn first<R: Row, K: Ord>(table: &Table<R>, limit: usize, by: impl Fn(&R) -> K) -> Vec<u32> {
    let mut rows: Vec<(K, u32)> = table.rows().iter().map(|row| by(row)).zip(0..).collect();
    rows.sort_unstable();
    rows.into_iter().take(limit).map(|(_, at)| at).collect()
}

/// Moves the cursor this many panes further. Returns whether there is such a pane.
pub(super) fn next(state: &mut State, by: i32) -> bool {
    let ring = state.panes();
    let focus = state.screen().panes.focus;
    let at = ring.iter().position(|pane| *pane == focus).unwrap_or(0);
    let steps = isize::try_from(by).unwrap_or(0);
    let next = at.checked_add_signed(steps).and_then(|at| ring.get(at));
    if let Some(pane) = next {
        state.screen_mut().panes.focus = *pane;
    }
    next.is_some()
}

/// Moves the cursor to the first pane of a view, or to the last one if the user went backwards.
pub(super) fn enter(state: &mut State, by: i32) {
    let ring = state.panes();
    let pane = if by < 0 { ring.last() } else { ring.first() };
    state.screen_mut().panes.focus = pane.copied().unwrap_or_default();
}

/// Moves the cursor to the next pane above or below if it is at the end of its list. Returns whether it did.
pub(super) fn cross(state: &mut State, rows: i32) -> bool {
    let panes = state.panes();
    let screen = state.screen();
    let (_, list) = screen.focused();
    let last = list.order.len().saturating_sub(1);
    let focus = screen.panes.focus;
    let Some(at) = panes.iter().position(|pane| *pane == focus) else {
        return false;
    };
    let has_rows = |pane: &&Pane| !screen.pane(**pane).1.order.is_empty();
    let (above, below) = panes.split_at(at);
    let next = match rows {
        -1 if list.cursor == 0 => above.iter().rfind(has_rows),
        1 if list.cursor >= last => below.iter().skip(1).find(has_rows),
        _ => None,
    };
    let Some(next) = next.copied() else {
        return false;
    };
    let screen = state.screen_mut();
    screen.panes.focus = next;
    let (_, list) = screen.focused_mut();
    // The first row from above, the last row from below.
    list.select_first();
    list.cursor = 0;
    list.top = 0;
    if rows < 0 {
        select(state, usize::MAX);
    }
    true
}

/// Moves the cursor to a row of the focused pane.
pub(super) fn select(state: &mut State, at: usize) {
    let height = state.list_height();
    let world = state.frozen.as_ref().unwrap_or(&state.live);
    if let Some(screen) = state.stack.last_mut() {
        let height = match screen.panes.focus {
            Pane::List => height,
            // The other panes show all their rows.
            _ => usize::MAX,
        };
        let (view, list) = screen.focused_mut();
        list.select(at, world.table(view), height);
    }
}

/// The nodes that are not ready, then those with the highest usage.
fn fullest(nodes: &Table<NodeRow>, limit: usize) -> Vec<u32> {
    let fullness = |node: &NodeRow| {
        let cpu = node.usage.cpu.of(node.allocatable.cpu).unwrap_or(0.0);
        cpu.max(node.usage.memory.of(node.allocatable.memory).unwrap_or(0.0))
    };
    let rows = (0_u32..).zip(nodes.rows());
    let mut rows: Vec<(bool, f64, u32)> = rows
        .map(|(at, node)| (node.ready, fullness(node), at))
        .collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
    rows.into_iter().take(limit).map(|(_, _, at)| at).collect()
}

/// The pods with the highest usage.
fn busiest(pods: &Table<PodRow>, limit: usize, usage: impl Fn(&PodRow) -> Option<f64>) -> Vec<u32> {
    let busy = |(at, pod): (u32, &Arc<PodRow>)| Some((usage(pod)?, at));
    let mut rows: Vec<(f64, u32)> = (0_u32..).zip(pods.rows()).filter_map(busy).collect();
    let busier = |a: &(f64, u32), b: &(f64, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    let count = limit.min(rows.len());
    if count == 0 {
        return Vec::new();
    }
    rows.select_nth_unstable_by(count - 1, busier);
    rows.truncate(count);
    rows.sort_unstable_by(busier);
    rows.into_iter().map(|(_, at)| at).collect()
}
