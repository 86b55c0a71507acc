//! Draws a picker: a list of names with a line that filters them.

use super::window::window;
use crate::input::Target;
use crate::model::{Choice, Picker};
use crate::text::width;
use crate::view::canvas::{Canvas, Segment, below, cells, right_of, row_of};
use crate::view::theme::Ink;

pub(super) fn draw(canvas: &mut Canvas<'_>, picker: &Picker) -> Option<(u16, u16)> {
    let visible = picker.matches();
    let (heading, hint) = match picker.choice {
        Choice::Namespaces => (
            "Namespaces",
            "enter: choose, space: choose several, esc: close",
        ),
        Choice::MapBy => (
            "Group by",
            "enter: choose, any other label key can be typed, esc: close",
        ),
        Choice::Contexts => ("Contexts", "enter: connect, esc: close"),
    };
    let height = cells(visible.len()).clamp(3, 16) + 1;
    let area = window(canvas, 60, height, heading, hint);
    let line = row_of(area, 0);
    let used = canvas.text(line, "> ", Ink::Accent);
    let space = right_of(line, used);
    let (before, after) = picker.line.halves();
    let written = canvas.text(space, before, Ink::Plain);
    canvas.text(right_of(space, written), after, Ink::Plain);
    let cursor = (
        space.x + cells(width(before)).min(space.width.saturating_sub(1)),
        space.y,
    );
    let list = below(area, 1);
    if visible.len() == 0 {
        canvas.text(row_of(list, 0), "No matches", Ink::Muted);
    }
    let first = (picker.cursor() + 1).saturating_sub(usize::from(list.height));
    canvas.hit(list, Target::Choices(first));
    for (line, (at, (name, selected))) in (0..list.height).zip(visible.enumerate().skip(first)) {
        let row = row_of(list, line);
        let mark = if selected { "* " } else { "  " };
        canvas.segments(
            row,
            &[Segment::new(mark, Ink::Good), Segment::plain(&**name)],
        );
        if at == picker.cursor() {
            canvas.patch(row, Ink::Selected);
        }
    }
    (!line.is_empty()).then_some(cursor)
}
