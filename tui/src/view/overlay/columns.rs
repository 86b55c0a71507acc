//! The chooser of columns.

use super::window;
use crate::input::Target;
use crate::model::{Column, State};
use crate::view::canvas::{Canvas, Piece, cells, row_of};
use crate::view::theme::Ink;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, cursor: usize) {
    let view = state.screen().view;
    let columns = view.columns();
    let chosen = state.settings.columns.get(&view);
    let heading = format!("Columns of {}", view.title());
    let area = window(
        canvas,
        60,
        cells(columns.len()),
        &heading,
        "space or a click turns on and off, esc closes",
    );
    // The cursor stays on the screen.
    let first = (cursor + 1).saturating_sub(usize::from(area.height));
    canvas.hit(area, Target::Choices(first));
    for (line, (at, column)) in (0..area.height).zip(columns.iter().enumerate().skip(first)) {
        let shown = match chosen {
            Some(fields) => fields.contains(&column.field),
            None => column.priority != Column::ON_DEMAND,
        };
        let row = row_of(area, line);
        let mark = if shown { "[x] " } else { "[ ] " };
        let pieces = [
            Piece::new(mark, if shown { Ink::Good } else { Ink::Muted }),
            Piece::plain(format!("{:<14} ", column.title)),
            Piece::muted(column.field.about()),
        ];
        canvas.pieces(row, &pieces);
        if at == cursor {
            canvas.patch(row, Ink::Selected);
        }
    }
}
