//! Draws the facts of a node, a workload or a namespace above the table of its pods.

use ratatui::layout::Rect;

use super::canvas::{Canvas, below, left_of, right_of, row_of};
use super::theme::{Depth, Ink, mark};
use crate::model::{BAR, Fact, FactLine, State, Time, Tone};

/// Draws the lines that fit, and says how many do not.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let lines = &state.screen().fact_lines;
    if area.height <= 1 {
        draw_lines(canvas, area, lines);
        return;
    }
    let mut heading = state.screen().scope.text();
    // Objects are read as they are now; rows are of the displayed time.
    if matches!(state.time, Time::Past { .. }) {
        let dot = canvas.theme.signs.dot;
        heading.push_str(&format!(" {dot} the objects are as they are now"));
    }
    let hidden = lines.len().saturating_sub(usize::from(area.height - 1));
    if hidden > 0 {
        let dot = canvas.theme.signs.dot;
        let lines = if hidden == 1 { "line" } else { "lines" };
        heading.push_str(&format!(
            " {dot} {hidden} more {lines} in a taller terminal"
        ));
    }
    canvas.rule(row_of(area, 0), &heading);
    draw_lines(canvas, below(area, 1), lines);
}

fn draw_lines(canvas: &mut Canvas<'_>, area: Rect, lines: &[FactLine]) {
    for (at, line) in (0..area.height).zip(lines) {
        let mut rest = right_of(row_of(area, at), 1);
        for fact in line {
            let used = draw_fact(canvas, rest, fact);
            rest = right_of(rest, used + 2);
        }
    }
}

/// Draws the label, the bar and the text. Returns their width.
fn draw_fact(canvas: &mut Canvas<'_>, area: Rect, fact: &Fact) -> u16 {
    let mut used = 0;
    if !fact.label.is_empty() {
        used += canvas.text(area, &fact.label, Ink::Muted) + 1;
    }
    if let Some(part) = fact.part {
        let ink = match fact.tone {
            Tone::Plain | Tone::Dim => Ink::Accent,
            tone => tone.into(),
        };
        canvas.gauge(left_of(right_of(area, used), BAR), part, ink);
        used += BAR + 1;
    }
    let text = right_of(area, used);
    // A bar has no other mark in a terminal without colours.
    let is_marked = fact.part.is_some() && canvas.theme.depth == Depth::None;
    let mark = if is_marked { mark(fact.tone) } else { "" };
    used + canvas.text(text, &format!("{}{mark}", fact.text), fact.tone.into())
}
