//! Draws a picker: a list of names with a line that filters them.

use ratatui::layout::Rect;

use super::window::window;
use crate::input::Target;
use crate::model::{Choice, Item, Note, Picker};
use crate::text::width;
use crate::view::canvas::{Canvas, Segment, below, cells, first_rows, right_of, row_of};
use crate::view::theme::Ink;

/// The width of a list of names, and of one with descriptions.
const NAMES: u16 = 60;
const DESCRIBED: u16 = 76;

/// The width of a list with notes.
const NOTED: u16 = 90;

/// The widest column of names beside descriptions.
const LONGEST_NAME: usize = 24;

pub(super) fn draw(canvas: &mut Canvas<'_>, picker: &Picker) -> Option<(u16, u16)> {
    let visible = picker.matches();
    let (heading, sign, hint) = match picker.choice {
        Choice::Namespaces => (
            "Namespaces",
            "> ",
            "enter: choose, space: choose several, esc: close",
        ),
        Choice::Bookmarks => (
            "Bookmarks",
            "> ",
            "enter: go there, delete: remove, esc: close",
        ),
        Choice::Filters => (
            "Saved filters",
            "> ",
            "enter: use, delete: remove, esc: close",
        ),
        Choice::MapBy => (
            "Group by",
            "> ",
            "enter: choose, any other label key can be typed, esc: close",
        ),
        Choice::Contexts => ("Contexts", "> ", "enter: connect, esc: close"),
        Choice::Commands => (
            "Commands",
            ": ",
            "enter: run, tab: complete, up: last commands, esc: close",
        ),
        Choice::Containers => ("Containers", "> ", "enter: choose, esc: close"),
        Choice::Ports => (
            "Ports: choose one, or type LOCAL:REMOTE",
            "> ",
            "enter: choose, esc: close",
        ),
        Choice::Menu => ("The selected row", "> ", "enter: choose, esc: close"),
    };
    let fitting = cells(visible.len()).clamp(3, 16);
    let (wide, tall) = match picker.choice {
        // It keeps its size while the user types.
        Choice::Commands => (DESCRIBED, 16),
        // Why an entry cannot be chosen takes more space than a name.
        Choice::Menu | Choice::Bookmarks | Choice::Filters => (NOTED, fitting),
        _ => (NAMES, fitting),
    };
    let area = window(canvas, wide, tall + 1, heading, hint);
    let line = row_of(area, 0);
    let used = canvas.text(line, sign, Ink::Accent);
    let space = right_of(line, used);
    let (before, after) = picker.line.halves();
    let written = canvas.text(space, before, Ink::Plain);
    canvas.text(right_of(space, written), after, Ink::Plain);
    let cursor = (
        space.x + cells(width(before)).min(space.width.saturating_sub(1)),
        space.y,
    );
    let mut list = below(area, 1);
    let wrong = picker.wrong.as_deref();
    let wrong = wrong.or(visible.is_empty().then_some("No matches"));
    if let Some(wrong) = wrong {
        let ink = picker.wrong.as_ref().map_or(Ink::Muted, |_| Ink::Bad);
        canvas.text(first_rows(list, 1), wrong, ink);
        list = below(list, 1);
    }
    let names = visible.iter().map(|(item, _)| width(&item.name));
    let name_width = names.max().unwrap_or(0).min(LONGEST_NAME);
    let first = (picker.cursor() + 1).saturating_sub(usize::from(list.height));
    canvas.hit(list, Target::Choices(first));
    for (line, (at, (item, selected))) in
        (0..list.height).zip(visible.into_iter().enumerate().skip(first))
    {
        let row = row_of(list, line);
        let note = picker.note(at);
        let ink = match note {
            Some(Note::Unavailable(_)) => Ink::Muted,
            _ => Ink::Plain,
        };
        // The pointer of the selected row is before the mark.
        let mark = if selected { " * " } else { "   " };
        let name = [
            Segment::new(mark, Ink::Good),
            Segment::new(&*item.name, ink),
        ];
        let used = entry(canvas, row, item, name, name_width);
        if let Some(note) = note {
            draw_note(canvas, right_of(row, used + 1), note);
        }
        if at == picker.cursor() {
            canvas.cursor(row);
        }
    }
    (!line.is_empty()).then_some(cursor)
}

/// Draws the name of an entry, its key and its description. Returns the cells that are used.
fn entry(
    canvas: &mut Canvas<'_>,
    row: Rect,
    item: &Item,
    name: [Segment; 2],
    name_width: usize,
) -> u16 {
    const KEY: usize = 6;
    let mut segments = Vec::from(name);
    if !item.about.is_empty() || !item.key.is_empty() {
        let blanks = " ".repeat(name_width.saturating_sub(width(&item.name)) + 2);
        let gap = " ".repeat(KEY.saturating_sub(width(&item.key)) + 1);
        segments.push(Segment::new(
            format!("{blanks}{}{gap}", item.key),
            Ink::Accent,
        ));
        segments.push(Segment::muted(&item.about));
    }
    canvas.segments(row, &segments)
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
        Note::Unavailable(why) => {
            let long = format!("not available: {why}");
            let fits = width(&long) <= usize::from(area.width);
            (if fits { long } else { why.clone() }, Ink::Muted)
        }
    };
    canvas.segments_right(area, &[Segment::new(text, ink)]);
}
