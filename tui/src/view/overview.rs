//! Draws the overview: the verdict, the problems, what runs out, what has changed, and the busiest nodes and pods.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, below, cells, left_of, right_of, row_of};
use super::map;
use super::names;
use super::table;
use super::theme::Ink;
use super::verdict;
use crate::input::Target;
use crate::model::row::{ChangeRow, ForecastRow, NodeRow, PodRow};
use crate::model::{
    Field, List, OverviewLayout, Pane, PanePlace, Part, Resource, Row, State, Table, format,
};
use crate::text::{Align, width};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let layout = OverviewLayout::of(state, area.width, area.height);
    let place = |place: PanePlace| Rect {
        x: area.x + place.x,
        y: area.y + place.y,
        width: place.width,
        height: place.height,
    };
    verdict::draw(canvas, place(layout.verdict), state);
    let list = place(layout.list);
    if layout.heading > 0 {
        let text = super::headings::problems(state);
        heading(canvas, row_of(list, 0), state, Pane::List, &text);
    }
    if !list.is_empty() {
        table::draw(canvas, below(list, layout.heading), state);
    }
    let beside = place(layout.map);
    if !beside.is_empty() {
        map::draw_beside(canvas, beside, state);
    }
    for (pane, at) in layout.panes {
        let area = place(at);
        match pane {
            Pane::List => {}
            Pane::Forecasts => forecasts(canvas, area, state),
            Pane::Changes => changes(canvas, area, state),
            Pane::Nodes => nodes(canvas, area, state),
            Pane::Pods => pods(canvas, area, state, (Pane::Pods, "Busiest pods by CPU")),
        }
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

/// Returns the rows of a pane's list.
fn on_screen<'a, R: Row>(list: &'a List, table: &'a Table<R>) -> impl Iterator<Item = &'a R> {
    list.order
        .iter()
        .filter_map(|at| table.row(*at).map(|row| &**row))
}

/// Returns the number of cells for the names of rows: that of the longest, but not more than `most`.
fn name_width<'a>(names: impl Iterator<Item = &'a str>, most: u16) -> u16 {
    cells(names.map(width).max().unwrap_or(0)).min(most)
}

/// Draws what runs out at the present trend, the soonest first.
fn forecasts(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    heading(
        canvas,
        row_of(area, 0),
        state,
        Pane::Forecasts,
        "Full soon, at the present trend",
    );
    let (table, list) = (&state.world().forecasts, &state.screen().panes.forecasts);
    let shown = || on_screen(list, table).map(|row| row.object.as_str());
    let wide = name_width(shown(), area.width.saturating_sub(34).max(area.width / 3));
    let names = names::elide(shown(), [], wide.into(), canvas.theme.signs.ellipsis);
    let now = state.shown_time();
    let draw = |canvas: &mut Canvas<'_>, row: Rect, forecast: &ForecastRow| {
        let seconds = u64::try_from(forecast.full_at.since(now) / 1_000_000_000).unwrap_or(0);
        let soon = if seconds < SOON_SECONDS {
            Ink::Bad
        } else {
            Ink::Warn
        };
        let name = names.text(&forecast.object);
        let gap = " ".repeat(usize::from(wide).saturating_sub(width(name)));
        let used = format::percent(forecast.used);
        let namespace = match &*forecast.key.namespace {
            "" => String::new(),
            namespace => format!(", namespace {namespace}"),
        };
        canvas.segments(
            row,
            &[
                Segment::new(
                    format!(" {:>9} ", format!("in {}", format::about(seconds))),
                    soon,
                ),
                Segment::plain(format!("{name}{gap} {}", forecast.what)),
                Segment::muted(format!(", {used} now{namespace}")),
            ],
        );
    };
    rows(
        canvas,
        below(area, 1),
        state,
        (Pane::Forecasts, table),
        draw,
    );
}

/// What is full within this time is as urgent as a critical problem.
const SOON_SECONDS: u64 = 3_600;

/// Draws what has changed, the latest first.
fn changes(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let (table, list) = (&state.world().changes, &state.screen().panes.changes);
    let Some(baseline) = state.baseline() else {
        return;
    };
    let now = state.shown_time();
    let since = format!(
        "{} ({})",
        state.clock(baseline.at),
        format::age(baseline.at, now)
    );
    if table.is_empty() {
        let text = format!("No changes of workloads and nodes since {since}");
        return canvas.rule(row_of(area, 0), &text);
    }
    let text = match table.len() {
        count if count > list.order.len() => {
            format!("Changed since {since}: {} of {count}", list.order.len())
        }
        _ => format!("Changed since {since}"),
    };
    heading(canvas, row_of(area, 0), state, Pane::Changes, &text);
    let shown = || on_screen(list, table).map(|row| row.object.as_str());
    let wide = name_width(shown(), area.width.saturating_sub(30).max(area.width / 3));
    let names = names::elide(shown(), [], wide.into(), canvas.theme.signs.ellipsis);
    let draw = |canvas: &mut Canvas<'_>, row: Rect, change: &ChangeRow| {
        let age = change
            .at
            .map_or(format::UNKNOWN.to_owned(), |at| format::age(at, now));
        let name = names.text(&change.object);
        let gap = " ".repeat(usize::from(wide).saturating_sub(width(name)));
        let text = match canvas.theme.is_ascii() {
            true => change.text.replace('→', "->").into(),
            false => Cow::from(&change.text),
        };
        let namespace = match &*change.key.namespace {
            "" => String::new(),
            namespace => format!(", namespace {namespace}"),
        };
        canvas.segments(
            row,
            &[
                Segment::muted(format!(" {age:>6} ")),
                Segment::plain(format!("{name}{gap} {text}")),
                Segment::muted(namespace),
            ],
        );
    };
    rows(canvas, below(area, 1), state, (Pane::Changes, table), draw);
}

/// Draws the nodes with the highest usage.
fn nodes(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = row_of(area, 0);
    heading(canvas, head, state, Pane::Nodes, "Busiest nodes");
    let bars = match area.width {
        100.. => 24,
        60.. => 12,
        _ => 5,
    };
    // The name of each bar stands above its number.
    for (at, word) in (0..).zip(["CPU", "MEM"]) {
        let before = head.width.saturating_sub((2 - at) * (bars + 7));
        if before >= 15 {
            canvas.text(right_of(head, before), &format!(" {word} "), Ink::Muted);
        }
    }
    let list = &state.screen().panes.nodes;
    let table = &state.world().nodes;
    let on_screen = on_screen(list, table).map(|node| &*node.name);
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

/// Draws the pods with the highest usage.
fn pods(canvas: &mut Canvas<'_>, area: Rect, state: &State, (pane, text): (Pane, &str)) {
    let head = row_of(area, 0);
    heading(canvas, head, state, pane, text);
    if head.width > 32 {
        let words = format!(" {:>6} {:>7} ", "CPU", "MEM");
        canvas.segments_right(head, &[Segment::muted(words)]);
    }
    let body = below(area, 1);
    if state.screen().pane(pane).1.order.is_empty() {
        let text = format!(" {}", no_usage(state));
        canvas.text(row_of(body, 0), &text, Ink::Muted);
        return;
    }
    let table = &state.world().pods;
    let draw = |canvas: &mut Canvas<'_>, row: Rect, pod: &PodRow| {
        let text = |field| pod.text(field, state.now).unwrap_or_default();
        let usage = format!("{:>7} {:>7} ", text(Field::Cpu), text(Field::Memory));
        let name = left_of(row, row.width.saturating_sub(cells(width(&usage))));
        let text = format!(" {}/{}", pod.namespace, pod.name);
        canvas.fitted(name, &text, Align::Left, Ink::Plain);
        canvas.segments_right(row, &[Segment::muted(usage)]);
    };
    rows(canvas, body, state, (pane, table), draw);
}

fn no_usage(state: &State) -> String {
    match state.part(Part::Usage).failure() {
        Some((why, _)) => format!("usage: {}", why.text),
        None => "waiting for usage".to_owned(),
    }
}
