//! Draws a picker: a list of names with a line that filters them.

use ratatui::layout::Rect;

use super::window::window;
use crate::input::Target;
use crate::model::{Choice, Item, Picker};
use crate::text::width;
use crate::view::canvas::{Canvas, Segment, below, cells, first_rows, left_of, right_of, row_of};
use crate::view::theme::Ink;

/// The width of a list of names, and of one with descriptions.
const NAMES: u16 = 60;
const DESCRIBED: u16 = 76;

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
        Choice::Contexts => ("Contexts", "> ", "enter: connect, esc: close"),
        Choice::Commands => (
            "Commands",
            ": ",
            "enter: run, tab: complete, up: last commands, esc: close",
        ),
    };
    let (wide, tall) = match picker.choice {
        // It keeps its size while the user types.
        Choice::Commands => (DESCRIBED, 16),
        _ => (NAMES, cells(visible.len()).clamp(3, 16)),
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
        entry(canvas, row, item, selected, name_width);
        if at == picker.cursor() {
            canvas.cursor(row);
        }
    }
    (!line.is_empty()).then_some(cursor)
}

/// Draws the name of an entry, its key and its description.
fn entry(canvas: &mut Canvas<'_>, row: Rect, item: &Item, selected: bool, name_width: usize) {
    const KEY: usize = 6;
    let mark = if selected { "* " } else { "  " };
    let mut segments = vec![Segment::new(mark, Ink::Good), Segment::plain(&*item.name)];
    if !item.about.is_empty() || !item.key.is_empty() {
        let blanks = " ".repeat(name_width.saturating_sub(width(&item.name)) + 2);
        let gap = " ".repeat(KEY.saturating_sub(width(&item.key)) + 1);
        segments.push(Segment::new(
            format!("{blanks}{}{gap}", item.key),
            Ink::Accent,
        ));
        segments.push(Segment::muted(&item.about));
    }
    canvas.segments(left_of(row, row.width), &segments);
}
