//! Draws a question.

use super::window::window;
use crate::model::{Dialog, Then};
use crate::text::{width, wrap};
use crate::view::canvas::{Canvas, Line, Segment, below, cells, right_of, row_of};
use crate::view::theme::Ink;

/// The widest window.
const WIDE: u16 = 100;

pub(super) fn draw(canvas: &mut Canvas<'_>, dialog: &Dialog) -> Option<(u16, u16)> {
    let space = canvas.buffer.area.width.saturating_sub(4).min(WIDE);
    let text = dialog.text.iter().flat_map(|text| wrap(text, space.into()));
    let mut lines: Vec<Line> = text.map(|line| vec![Segment::plain(line)]).collect();
    let wrong = dialog
        .wrong
        .iter()
        .flat_map(|wrong| wrap(wrong, space.into()));
    lines.extend(wrong.map(|line| vec![Segment::new(line, Ink::Bad)]));
    let typed = u16::from(dialog.line.is_some());
    let hint = match dialog.then {
        Then::Run(_) => "enter: run, y: copy, esc: cancel",
        Then::Store(_) => "enter: store, esc: cancel",
        Then::Change(_) | Then::Scale(_) => "enter: confirm, esc: cancel",
    };
    let height = cells(lines.len()).saturating_add(typed);
    let area = window(canvas, space, height, &dialog.title, hint);
    canvas.lines(area, &lines);
    let line = dialog.line.as_ref()?;
    // The line is in the window however small it is.
    let at = cells(lines.len()).min(area.height.saturating_sub(1));
    let row = row_of(below(area, at), 0);
    let used = canvas.text(row, "> ", Ink::Accent);
    let space = right_of(row, used);
    let (before, after) = line.halves();
    let written = canvas.text(space, before, Ink::Plain);
    canvas.text(right_of(space, written), after, Ink::Plain);
    let column = space.x + cells(width(before)).min(space.width.saturating_sub(1));
    (!row.is_empty()).then_some((column, row.y))
}
