//! Draws a picker: a list of names with a line that filters them.

use ratatui::layout::Rect;

use super::window::window;
use crate::input::Target;
use crate::model::{Choice, Note, Picker};
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
        Choice::Contexts => ("Contexts", "enter: connect, esc: close"),
        Choice::Containers => ("Containers", "enter: choose, esc: close"),
        Choice::Ports => (
            "Ports: choose one, or type LOCAL:REMOTE",
            "enter: choose, esc: close",
        ),
        Choice::Menu => ("The selected row", "enter: choose, esc: close"),
    };
    let height = cells(visible.len()).clamp(3, 16) + 1;
    // Why an entry cannot be chosen takes more space than a name.
    let wide = if picker.choice == Choice::Menu {
        90
    } else {
        60
    };
    let area = window(canvas, wide, height, heading, hint);
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
        let note = picker.note(at);
        let ink = match note {
            Some(Note::Unavailable(_)) => Ink::Muted,
            _ => Ink::Plain,
        };
        let used = canvas.segments(
            row,
            &[Segment::new(mark, Ink::Good), Segment::new(&**name, ink)],
        );
        if let Some(note) = note {
            draw_note(canvas, right_of(row, used + 1), note);
        }
        if at == picker.cursor() {
            canvas.patch(row, Ink::Selected);
        }
    }
    (!line.is_empty()).then_some(cursor)
}

/// Draws a note at the right end of a row.
fn draw_note(canvas: &mut Canvas<'_>, area: Rect, note: &Note) {
    let (text, ink) = match note {
        Note::Key(id) => (
            canvas
                .keys
                .key(id)
                .map(|key| key.to_string())
                .unwrap_or_default(),
            Ink::Accent,
        ),
        Note::Remark(text) => (text.clone(), Ink::Muted),
        Note::Unavailable(why) => (format!("not available: {why}"), Ink::Muted),
    };
    canvas.segments_right(area, &[Segment::new(text, ink)]);
}
