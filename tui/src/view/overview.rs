//! Draws the overview: the busiest nodes, the recent incidents, and the unhealthy pods.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, below, cells, first_rows, left_of, right_of, row_of};
use super::headings;
use super::names;
use super::table;
use super::theme::Ink;
use crate::input::Target;
use crate::model::row::{IncidentRow, NodeRow, PodRow};
use crate::model::{
    Field, Key, List, OverviewRows, Pane, Part, Resource, Row, State, Table, View, format, lost,
};
use crate::text::{Align, width};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let rows = OverviewRows::of(state, area.height);
    if rows.panes > 0 {
        panes(canvas, first_rows(area, rows.panes), state);
    }
    let area = below(area, rows.panes);
    if rows.heading > 0 {
        let text = headings::unhealthy_pods(state);
        heading(canvas, row_of(area, 0), state, Pane::List, &text);
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
        let left = left_of(area, area.width / 2);
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
        canvas.patch(left_of(area, cells(width(text) + 4)), Ink::Selected);
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
    state: &State,
    (pane, table): (Pane, &Table<R>),
    row: impl Fn(&mut Canvas<'_>, Rect, &R),
) {
    canvas.hit(body, Target::Rows(pane, 0));
    let (_, list) = state.screen().pane(pane);
    for (line, (at, shown)) in (0..body.height).zip(on_screen(list, table).enumerate()) {
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
    let on_screen = on_screen(list, table).take(area.height.into());
    let on_screen = on_screen.map(|node| &*node.name);
    let all = table.rows().iter().map(|node| &*node.name);
    let space = usize::from(area.width.saturating_sub(2 * (bars + 6) + 4));
    let names = names::elide(on_screen, all, space, canvas.theme.signs.ellipsis);
    let draw = |canvas: &mut Canvas<'_>, row, node: &NodeRow| {
        node_row(canvas, row, (node, names.text(&node.name)), bars, state);
    };
    rows(canvas, below(area, 1), state, (Pane::Nodes, table), draw);
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
    let name = left_of(row, row.width.saturating_sub(tail + 1));
    let ink = if node.ready { Ink::Plain } else { Ink::Bad };
    canvas.fitted(name, &format!(" {shown}"), Align::Left, ink);
    let mut rest = right_of(row, name.width + 1);
    for resource in [Resource::Cpu, Resource::Memory] {
        let part = node.usage.part_of(node.allocatable, resource);
        let text = part.map_or(format::UNKNOWN.to_owned(), format::percent);
        let thresholds = state.settings.thresholds;
        let tone = part.map_or(Ink::Muted, |part| thresholds.tone(part).into());
        canvas.fitted(left_of(rest, 5), &text, Align::Right, tone);
        let bar = left_of(right_of(rest, 6), bars);
        if !bar.is_empty() {
            canvas.gauge(bar, part.unwrap_or(0.0), resource.into());
        }
        rest = right_of(rest, 6 + bars + 1);
    }
}

/// Draws the recent incidents.
fn incidents(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = row_of(area, 0);
    heading(canvas, head, state, Pane::Incidents, "Recent incidents");
    let now = state.shown_time();
    let list = &state.screen().panes.incidents;
    let table = &state.world().incidents;
    let on_screen = on_screen(list, table).take(area.height.into());
    let on_screen: Vec<&Arc<IncidentRow>> = on_screen.collect();
    let space = usize::from(area.width.saturating_sub(INCIDENT_PREFIX));
    let incident_names = incident_names(&on_screen, space, canvas.theme.signs.ellipsis);
    let keys = on_screen.iter().map(|row| row.key());
    let incident_names: HashMap<Key, String> = keys.zip(incident_names).collect();
    let draw = |canvas: &mut Canvas<'_>, area, row: &IncidentRow| {
        let age = row.text(Field::LastSeen, now).unwrap_or_default();
        let ink = if row.is_open() { Ink::Bad } else { Ink::Muted };
        let segments = [
            Segment::muted(format!(" {age:>6} ")),
            Segment::new(format!("{:<15} ", row.cause()), ink),
            Segment::plain(incident_names.get(&row.key()).cloned().unwrap_or_default()),
        ];
        canvas.segments(area, &segments);
    };
    rows(
        canvas,
        below(area, 1),
        state,
        (Pane::Incidents, table),
        draw,
    );
}

/// Returns the rows of a pane's list.
fn on_screen<'a, R: Row>(list: &'a List, table: &'a Table<R>) -> impl Iterator<Item = &'a Arc<R>> {
    list.order.iter().filter_map(|at| table.row(*at))
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
    let draw = |canvas: &mut Canvas<'_>, row: Rect, pod: &PodRow| {
        let text = |field| pod.text(field, state.now).unwrap_or_default();
        let usage = format!("{:>7} {:>7}", text(Field::Cpu), text(Field::Memory));
        let name = left_of(row, row.width.saturating_sub(cells(width(&usage))));
        let text = format!(" {}/{}", pod.namespace, pod.name);
        canvas.fitted(name, &text, Align::Left, Ink::Plain);
        canvas.segments_right(row, &[Segment::muted(usage)]);
    };
    rows(canvas, body, state, (Pane::Pods, table), draw);
}

fn no_usage(state: &State) -> String {
    match state.part(Part::Usage).failure() {
        Some((why, _)) => format!("usage: {}", why.text),
        None => "waiting for usage".to_owned(),
    }
}
