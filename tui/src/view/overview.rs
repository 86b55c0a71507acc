//! The cluster at a glance: its fullest nodes, what went wrong lately, and the pods that want to be looked at.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, below, cells, first_rows, right_of, row_of};
use super::table;
use super::text::{Align, width};
use super::theme::Ink;
use crate::model::row::{NodeRow, PodRow};
use crate::model::{Field, Fields, Part, Row, State, format, overview_panes};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let list = &state.screen().list;
    let pods_are_told = state.has_answered(Part::Pods);
    let calm = list.order.is_empty() && list.line.text().is_empty() && pods_are_told;
    let panes = match overview_panes(area.height) {
        0 => 0,
        // Without a list the panes have its room.
        _ if calm => area.height,
        panes => panes,
    };
    if panes > 0 {
        let above = first_rows(area, panes - 1);
        let left = Rect {
            width: above.width / 2,
            ..above
        };
        let right = Rect {
            x: above.x + left.width + 1,
            width: above.width.saturating_sub(left.width + 1),
            ..above
        };
        nodes(canvas, left, state);
        if state.world().incidents.is_empty() {
            pods(canvas, right, state);
        } else {
            incidents(canvas, right, state);
        }
        let heading = match list.order.len() {
            0 if !pods_are_told => "Pods that want to be looked at".to_owned(),
            0 => "Nothing wants to be looked at".to_owned(),
            1 => "1 pod wants to be looked at".to_owned(),
            count => format!("{count} pods want to be looked at"),
        };
        canvas.rule(row_of(area, panes - 1), &heading);
    }
    if panes < area.height {
        table::draw(canvas, below(area, panes), state, state.world().pods.rows());
    }
}

/// The fullest nodes.
fn nodes(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let head = row_of(area, 0);
    canvas.rule(head, "Fullest nodes");
    let bars = if area.width >= 60 { 12 } else { 5 };
    // Which bar is which, above its number.
    for (at, word) in (0..).zip(["CPU", "MEM"]) {
        let right = right_of(head, head.width.saturating_sub((2 - at) * (bars + 7)));
        canvas.text(right, &format!(" {word} "), Ink::Muted);
    }
    let body = below(area, 1);
    let fullness = |node: &NodeRow| {
        let cpu = node.usage.cpu.of(node.allocatable.cpu).unwrap_or(0.0);
        cpu.max(node.usage.memory.of(node.allocatable.memory).unwrap_or(0.0))
    };
    let mut nodes: Vec<&NodeRow> = state
        .world()
        .nodes
        .rows()
        .iter()
        .map(|node| &**node)
        .collect();
    nodes.sort_by(|a, b| {
        a.ready
            .cmp(&b.ready)
            .then(fullness(b).total_cmp(&fullness(a)))
    });
    for (at, node) in (0..body.height).zip(nodes) {
        let row = row_of(body, at);
        let tail = 2 * (bars + 6) + 2;
        let name = Rect {
            width: row.width.saturating_sub(tail + 1),
            ..row
        };
        let ink = if node.ready { Ink::Plain } else { Ink::Bad };
        canvas.fitted(name, &format!(" {}", node.name), Align::Left, ink);
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
}

/// What went wrong lately.
fn incidents(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    canvas.rule(row_of(area, 0), "Latest incidents");
    let body = below(area, 1);
    let now = state.shown_time();
    let mut latest: Vec<_> = state
        .world()
        .incidents
        .rows()
        .iter()
        .filter(|row| row.incident.began <= now)
        .collect();
    latest.sort_by_key(|row| std::cmp::Reverse((row.is_open(), row.last())));
    for (at, row) in (0..body.height).zip(latest) {
        let text = |field| row.text(field, now).unwrap_or_default().into_owned();
        let ink = if row.is_open() { Ink::Bad } else { Ink::Muted };
        let pieces = [
            Piece::muted(format!(" {:>6} ", text(Field::LastSeen))),
            Piece::new(format!("{:<15} ", row.cause()), ink),
            Piece::plain(row.who()),
        ];
        canvas.pieces(row_of(body, at), &pieces);
    }
}

/// The pods that use most, where nothing is told of incidents.
fn pods(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    canvas.rule(row_of(area, 0), "Busiest pods");
    let words = format!(" {:>6} {:>7} ", "CPU", "MEM");
    canvas.pieces_right(row_of(area, 0), &[Piece::muted(words)]);
    let body = below(area, 1);
    let mut pods: Vec<&PodRow> = state
        .world()
        .pods
        .rows()
        .iter()
        .map(|pod| &**pod)
        .filter(|pod| pod.usage.cpu.is_known())
        .collect();
    let count = usize::from(body.height).min(pods.len());
    if count == 0 {
        canvas.text(
            row_of(body, 0),
            &format!(" {}", no_usage(state)),
            Ink::Muted,
        );
        return;
    }
    let busier = |a: &&PodRow, b: &&PodRow| {
        let cpu = |pod: &PodRow| pod.usage.cpu.number().unwrap_or(0.0);
        cpu(b)
            .total_cmp(&cpu(a))
            .then_with(|| a.key().cmp(&b.key()))
    };
    pods.select_nth_unstable_by(count - 1, busier);
    pods.truncate(count);
    pods.sort_by(busier);
    for (at, pod) in (0..body.height).zip(pods) {
        let row = row_of(body, at);
        let figures = format!(
            "{:>7} {:>7}",
            pod.usage
                .cpu
                .get()
                .map_or(format::UNKNOWN.to_owned(), format::cpu),
            pod.usage
                .memory
                .get()
                .map_or(format::UNKNOWN.to_owned(), format::bytes),
        );
        let wide = cells(width(&figures));
        let name = Rect {
            width: row.width.saturating_sub(wide),
            ..row
        };
        canvas.fitted(
            name,
            &format!(" {}/{}", pod.namespace, pod.name),
            Align::Left,
            Ink::Plain,
        );
        canvas.pieces_right(row, &[Piece::muted(figures)]);
    }
}

fn no_usage(state: &State) -> String {
    match state.part(Part::Usage).failure() {
        Some((why, _)) => format!("no usage: {}", why.text),
        None => "no usage has been told yet".to_owned(),
    }
}
