//! Draws the legend of the map: the grouping, and the states that occur with their numbers.

use ratatui::layout::Rect;

use super::signs;
use super::titles::groups_text;
use crate::model::map::{GroupKind, Layout, MapSize, Zoom};
use crate::model::{Extent, State};
use crate::view::canvas::{Canvas, Line, Segment, below, cells, right_of, row_of, segments_width};
use crate::view::theme::Ink;

/// The columns from which the grouping has a row of its own.
const WIDE: u16 = 60;

/// Draws the legend into one row or two. If space is short, the words of the least urgent states are left out first.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, layout: &Layout<'_>) {
    let grouping = grouping(state, layout);
    let states = states(canvas, state, layout);
    if area.height > 1 && area.width >= WIDE {
        canvas.segments(row_of(area, 0), &fitting(&grouping, area.width));
        canvas.lines(below(area, 1), &wrapped(states, area.width, 1));
        return;
    }
    // The states are what the map is for. The grouping gets the rest.
    let lines = wrapped(states, area.width, area.height.into());
    canvas.lines(area, &lines);
    let last = lines.last().map_or(0, |line| segments_width(line));
    let at = cells(lines.len()).saturating_sub(1);
    let rest = right_of(row_of(area, at), last);
    let grouping = fitting(&grouping, rest.width);
    canvas.segments_right(rest, &grouping);
}

/// The states in this many rows. If they do not fit, the least urgent ones lose their words.
fn wrapped(mut states: Vec<(Line, Line)>, width: u16, rows: usize) -> Vec<Line> {
    let wrap = |states: &[(Line, Line)]| {
        let mut lines: Vec<Line> = vec![Vec::new()];
        for (state, _) in states {
            let wide = segments_width(state);
            match lines.last_mut() {
                Some(line) if line.is_empty() || segments_width(line) + wide <= width => {
                    line.extend(state.iter().cloned());
                }
                _ => lines.push(state.clone()),
            }
        }
        lines
    };
    for at in (0..states.len()).rev() {
        if wrap(&states).len() <= rows {
            break;
        }
        if let Some((state, brief)) = states.get_mut(at) {
            *state = std::mem::take(brief);
        }
    }
    wrap(&states)
}

/// The first parts that fit.
fn fitting(parts: &[Segment], space: u16) -> Vec<Segment> {
    let mut line = vec![Segment::plain(" ")];
    for part in parts {
        if segments_width(&line) + part.width() > space {
            break;
        }
        line.push(part.clone());
    }
    line
}

/// What is grouped by what, and what is not the whole.
fn grouping(state: &State, layout: &Layout<'_>) -> Vec<Segment> {
    let by = &state.map.by;
    let groups = layout.groups();
    let mut parts = vec![Segment::new(format!("by {}", by.text()), Ink::Accent)];
    let alike = groups.groups.iter();
    let alike = alike.filter(|group| group.kind == GroupKind::Alike);
    let count = groups_text(by, alike.count());
    let order = if layout.worst_first {
        ", worst first"
    } else {
        ""
    };
    if layout.zoom == Zoom::Summary {
        parts.push(Segment::muted(format!("  {count}{order}")));
    }
    if let Some(extent) = &state.world().extent {
        parts.push(Segment::new(
            format!("  {}", some_pods(extent, groups.cells.len())),
            Ink::Warn,
        ));
    }
    let has_nodes = groups
        .groups
        .iter()
        .any(|group| group.allocatable.cpu.is_known());
    if layout.zoom != Zoom::Summary {
        if let Some(unit) = groups.unit.filter(|_| state.map.size != MapSize::One) {
            parts.push(Segment::muted(format!("  a cell: {}", unit.text())));
        }
        let whole = if has_nodes {
            "of allocatable"
        } else {
            "of requests"
        };
        parts.push(Segment::muted(format!("  usage {whole}")));
    }
    parts
}

/// Says that not all pods are on the map.
fn some_pods(extent: &Extent, listed: usize) -> String {
    format!(
        "{listed} of {} pods; nodes by their own usage",
        extent.total
    )
}

/// The states that occur, each with its sign, number and words, and the same without words.
fn states(canvas: &Canvas<'_>, state: &State, layout: &Layout<'_>) -> Vec<(Line, Line)> {
    let groups = layout.groups();
    let counts = match layout.zoom {
        Zoom::Summary => &groups.boxes,
        Zoom::Small | Zoom::Large | Zoom::Names => &groups.pods,
    };
    let part = |sign: &str, ink, count: usize, words: &str| {
        let sign = Segment::new(format!(" {sign}"), ink);
        let long = Segment::muted(format!(" {count} {words} "));
        let brief = Segment::muted(format!(" {count} "));
        (vec![sign.clone(), long], vec![sign, brief])
    };
    let thresholds = state.settings.thresholds;
    let mut parts: Vec<(Line, Line)> = counts
        .iter()
        .map(|(mark, count)| {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let words = signs::words(mark, thresholds);
            part(
                signs::sign(mark, canvas.theme),
                signs::ink(mark),
                count,
                &words,
            )
        })
        .collect();
    if let Some(matching) = &state.map.matching {
        let others = groups.cells.iter().filter(|pod| {
            let at = usize::try_from(pod.row).unwrap_or(usize::MAX);
            matching.get(at) == Some(&false)
        });
        let sign = signs::dimmed(canvas.theme);
        parts.push(part(sign, Ink::Faint, others.count(), "do not match"));
    }
    parts
}
