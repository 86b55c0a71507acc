//! Draws the list for choosing columns.

use super::window::window;
use crate::input::Target;
use crate::model::columns::ColumnChoice;
use crate::model::{Field, State, placement};
use crate::view::canvas::{Canvas, Segment, cells, row_of};
use crate::view::theme::Ink;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, cursor: usize) {
    let view = state.screen().view;
    let columns = &view.columns();
    let choice = ColumnChoice {
        selected: state.settings.columns.get(&view).map(Vec::as_slice),
        ..ColumnChoice::default()
    };
    let selected = choice.fields(columns);
    let placed: Vec<Field> = placement::columns(state, canvas.buffer.area.width)
        .iter()
        .map(|placed| placed.column.field)
        .collect();
    let heading = format!("Columns of {}", view.title());
    let area = window(
        canvas,
        60,
        cells(columns.len()),
        &heading,
        "space: toggle, left, right: move, ctrl-r: reset, esc: close",
    );
    // The list scrolls, so that the cursor is visible.
    let first = (cursor + 1).saturating_sub(usize::from(area.height));
    canvas.hit(area, Target::Choices(first));
    let order = placement::in_order(state);
    let ordered = order
        .iter()
        .filter_map(|field| columns.iter().find(|it| it.field == *field));
    for (line, (at, column)) in (0..area.height).zip(ordered.enumerate().skip(first)) {
        let is_selected = selected.contains(&column.field);
        let (mark, ink) = match (is_selected, placed.contains(&column.field)) {
            (true, true) => ("[x] ", Ink::Good),
            (true, false) => ("[x] ", Ink::Warn),
            (false, _) => ("[ ] ", Ink::Muted),
        };
        let row = row_of(area, line);
        let mut segments = vec![
            Segment::new(mark, ink),
            Segment::plain(format!("{:<15} ", column.title)),
        ];
        if is_selected && !placed.contains(&column.field) {
            segments.push(Segment::new("(no space) ", Ink::Warn));
        }
        segments.push(Segment::muted(column.field.about()));
        canvas.segments(row, &segments);
        if at == cursor {
            canvas.patch(row, Ink::Selected);
        }
    }
}
