//! Draws the overview: the busiest nodes, the recent incidents, and the unhealthy pods.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, below, cells, first_rows, right_of, row_of};
use super::headings;
use super::names;
use super::table;
use super::theme::Ink;
use crate::input::Target;
use crate::model::row::{IncidentRow, NodeRow};
use crate::model::{
    Field, Key, List, OverviewRows, Pane, Part, Row, State, Table, View, format, lost,
};
use crate::text::{Align, width};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let rows = OverviewRows::of(state, area.height);
    if rows.panes > 0 {
        panes(canvas, first_rows(area, rows.panes), state);
    }
    let area = below(area, rows.panes);
    if rows.heading > 0 {
        heading(
            canvas,
            row_of(area, 0),
            state,
            Pane::List,
            &headings::unhealthy_pods(state),
        );
    }
    let area = below(area, rows.heading);
    if rows.lost > 0 {
        let row = row_of(area, 0);
        canvas.text(row, &format!(" {}", lost_nodes(state)), Ink::Bad);
        canvas.hit(row, Target::View(View::Nodes));
    }
    if rows.list > 0 {
        table::draw(canvas, below(area, rows.lost), state);
    }
}

/// The least width for two panes beside each other.
const ONE_PANE: u16 = 64;

/// Draws two panes beside each other. If the area is narrow, draws the pane with the cursor, or else the second.
fn panes(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let beside = |canvas: &mut Canvas<'_>, area| {
        if state.world().incidents.is_empty() {
            pods(canvas, area, state);
        } else {
            incidents(canvas, area, state);
        }
    };
    if area.width >= ONE_PANE {
        let left = Rect {
            width: area.width / 2,
            ..area
        };
        nodes(canvas, left, state);
        beside(canvas, right_of(area, left.width + 1));
    } else if state.screen().is_in(Pane::Nodes) {
        nodes(canvas, area, state);
    } else {
        beside(canvas, area);
    }
}

/// Draws the heading of a pane, highlighted while the cursor is in the pane.
fn heading(canvas: &mut Canvas<'_>, area: Rect, state: &State, pane: Pane, text: &str) {
    canvas.rule(area, text);
    canvas.hit(area, Target::Pane(pane));
    if state.screen().is_in(pane) {
        let marked = cells(width(text) + 4).min(area.width);
        canvas.patch(
            Rect {
                width: marked,
                ..area
            },
            Ink::Selected,
        );
    }
}

/// Lists the nodes that do not report, by name.
fn lost_nodes(state: &State) -> String {
    /// The most names in the line.
    const NAMED: usize = 4;
    let lost = lost(state.world());
    let named = |what: &str, names: &[&crate::model::Name]| {
        let first: Vec<&str> = names.iter().take(NAMED).map(|name| &***name).collect();
        let more = match names.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let nodes = if names.len() == 1 { "node" } else { "nodes" };
        (!names.is_empty()).then(|| format!("{nodes} {what}: {}{more}", first.join(", ")))
    };
    let parts = [
        named("not ready", &lost.not_ready),
        named("without usage", &lost.silent),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join("; ")
}

/// Draws the rows of a pane and its cursor.
fn rows<R: Row>(
    canvas: &mut Canvas<'_>,
    body: Rect,
    (pane, list): (Pane, &List),
    state: &State,
    table: &Table<R>,
    mut row: impl FnMut(&mut Canvas<'_>, Rect, &R),
) {
    canvas.hit(body, Target::Rows(pane, 0));
    for (line, (at, index)) in (0..body.height).zip(list.order.iter().enumerate()) {
        let found = usize::try_from(*index).ok();
        let Some(shown) = found.and_then(|index| table.rows().get(index)) else {
            continue;
        };
        let area = row_of(body, line);
        row(canvas, area, shown);
        if at == list.cursor && state.screen().is_in(pane) {
            canvas.cursor(area);
        }
    }
}

/// Draws the nodes with the highest usage.
fn nodes(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = row_of(area, 0);
    heading(canvas, head, state, Pane::Nodes, "Busiest nodes");
    let bars = if area.width >= 60 { 12 } else { 5 };
    // The name of each bar stands above its number.
    for (at, word) in (0..).zip(["CPU", "MEM"]) {
        let before = head.width.saturating_sub((2 - at) * (bars + 7));
        if before >= 15 {
            canvas.text(right_of(head, before), &format!(" {word} "), Ink::Muted);
        }
    }
    let list = &state.screen().panes.nodes;
    let table = &state.world().nodes;
    let on_screen = on_screen(list, table, area.height).map(|node| &*node.name);
    let all = table.rows().iter().map(|node| &*node.name);
    let space = usize::from(area.width.saturating_sub(2 * (bars + 6) + 4));
    let names = names::elide(on_screen, all, space, canvas.theme.signs.ellipsis);
    rows(
        canvas,
        below(area, 1),
        (Pane::Nodes, list),
        state,
        table,
        |canvas, row, node| node_row(canvas, row, (node, names.text(&node.name)), bars, state),
    );
}

/// Draws a node. `shown` is its shortened name.
fn node_row(
    canvas: &mut Canvas<'_>,
    row: Rect,
    (node, shown): (&NodeRow, &str),
    bars: u16,
    state: &State,
) {
    let tail = 2 * (bars + 6) + 2;
    let name = Rect {
        width: row.width.saturating_sub(tail + 1),
        ..row
    };
    let ink = if node.ready { Ink::Plain } else { Ink::Bad };
    canvas.fitted(name, &format!(" {shown}"), Align::Left, ink);
    let mut x = name.x + name.width + 1;
    for (part, ink) in [
        (node.usage.cpu.of(node.allocatable.cpu), Ink::Cpu),
        (node.usage.memory.of(node.allocatable.memory), Ink::Memory),
    ] {
        let text = part.map_or(format::UNKNOWN.to_owned(), format::percent);
        let tone = part.map_or(Ink::Muted, |part| {
            state.settings.thresholds.tone(part).into()
        });
        canvas.fitted(
            Rect {
                x,
                width: 5.min(row.right().saturating_sub(x)),
                ..row
            },
            &text,
            Align::Right,
            tone,
        );
        let bar = Rect {
            x: x + 6,
            width: bars.min(row.right().saturating_sub(x + 6)),
            ..row
        };
        if !bar.is_empty() {
            canvas.gauge(bar, part.unwrap_or(0.0), ink);
        }
        x += 6 + bars + 1;
    }
}

/// Draws the recent incidents.
fn incidents(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    heading(
        canvas,
        row_of(area, 0),
        state,
        Pane::Incidents,
        "Recent incidents",
    );
    let now = state.shown_time();
    let list = &state.screen().panes.incidents;
    let table = &state.world().incidents;
    let on_screen: Vec<&Arc<IncidentRow>> = on_screen(list, table, area.height).collect();
    let space = usize::from(area.width.saturating_sub(INCIDENT_PREFIX));
    let incident_names = incident_names(&on_screen, space, canvas.theme.signs.ellipsis);
    let keys = on_screen.iter().map(|row| row.key());
    let incident_names: HashMap<Key, String> = keys.zip(incident_names).collect();
    rows(
        canvas,
        below(area, 1),
        (Pane::Incidents, list),
        state,
        table,
        |canvas, area, row| {
            let text = |field| row.text(field, now).unwrap_or_default().into_owned();
            let ink = if row.is_open() { Ink::Bad } else { Ink::Muted };
            let segments = [
                Segment::muted(format!(" {:>6} ", text(Field::LastSeen))),
                Segment::new(format!("{:<15} ", row.cause()), ink),
                Segment::plain(incident_names.get(&row.key()).cloned().unwrap_or_default()),
            ];
            canvas.segments(area, &segments);
        },
    );
}

/// Returns the rows of a list that are on the screen, in an area with a heading.
fn on_screen<'a, R: Row>(
    list: &'a List,
    table: &'a Table<R>,
    height: u16,
) -> impl Iterator<Item = &'a Arc<R>> {
    let shown = list.order.iter().skip(list.top).take(height.into());
    shown.filter_map(|at| table.rows().get(usize::try_from(*at).ok()?))
}

/// The cells before the name in the list of incidents: age and cause.
const INCIDENT_PREFIX: u16 = 8 + 16;

/// Returns the names of the objects of incidents, in `space` cells: with the namespace if it fits, or if a name would
/// otherwise occur twice.
fn incident_names(incidents: &[&Arc<IncidentRow>], space: usize, ellipsis: &str) -> Vec<String> {
    let namespace = |row: &Arc<IncidentRow>| row.incident.involved.namespace.clone();
    let with_namespace = |row: &&Arc<IncidentRow>| match namespace(row) {
        none if none.is_empty() => row.who(),
        namespace => format!("{namespace}/{}", row.who()),
    };
    let full: Vec<String> = incidents.iter().map(with_namespace).collect();
    if full.iter().all(|text| width(text) <= space) {
        return full;
    }
    let names: Vec<String> = incidents.iter().map(|row| row.who()).collect();
    let namespaces: Vec<String> = incidents.iter().map(|row| namespace(row)).collect();
    fn elided<'a>(texts: &'a [String], space: usize, ellipsis: &str) -> names::Elided<'a> {
        names::elide(texts.iter().map(String::as_str), [], space, ellipsis)
    }
    let different = |texts: &[String]| texts.iter().collect::<HashSet<_>>().len();
    if different(&names) == different(&full) {
        let elided = elided(&names, space, ellipsis);
        return names
            .iter()
            .map(|name| elided.text(name).to_owned())
            .collect();
    }
    let half = space.saturating_sub(1) / 2;
    let elided_namespaces = elided(&namespaces, half, ellipsis);
    let wide = namespaces
        .iter()
        .map(|namespace| width(elided_namespaces.text(namespace)))
        .max();
    let elided = elided(
        &names,
        space.saturating_sub(wide.unwrap_or(0) + 1),
        ellipsis,
    );
    namespaces
        .iter()
        .zip(&names)
        .map(
            |(namespace, name)| match elided_namespaces.text(namespace) {
                "" => elided.text(name).to_owned(),
                namespace => format!("{namespace}/{}", elided.text(name)),
            },
        )
        .collect()
}

/// Draws the pods with the highest usage, for a cluster without incidents.
fn pods(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = row_of(area, 0);
    heading(canvas, head, state, Pane::Pods, "Busiest pods");
    if head.width > 32 {
        let words = format!(" {:>6} {:>7} ", "CPU", "MEM");
        canvas.segments_right(head, &[Segment::muted(words)]);
    }
    let body = below(area, 1);
    let list = &state.screen().panes.pods;
    if list.order.is_empty() {
        let text = format!(" {}", no_usage(state));
        canvas.text(row_of(body, 0), &text, Ink::Muted);
        return;
    }
    let table = &state.world().pods;
    rows(
        canvas,
        body,
        (Pane::Pods, list),
        state,
        table,
        |canvas, row, pod| {
            let cpu = pod.usage.cpu.get();
            let memory = pod.usage.memory.get();
            let usage = format!(
                "{:>7} {:>7}",
                cpu.map_or(format::UNKNOWN.to_owned(), format::cpu),
                memory.map_or(format::UNKNOWN.to_owned(), format::bytes),
            );
            let name = Rect {
                width: row.width.saturating_sub(cells(width(&usage))),
                ..row
            };
            let text = format!(" {}/{}", pod.namespace, pod.name);
            canvas.fitted(name, &text, Align::Left, Ink::Plain);
            canvas.segments_right(row, &[Segment::muted(usage)]);
        },
    );
}

fn no_usage(state: &State) -> String {
    match state.part(Part::Usage).failure() {
        Some((why, _)) => format!("usage: {}", why.text),
        None => "waiting for usage".to_owned(),
    }
}
