//! What cannot be had, and why; what is waited for.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, row_of};
use super::theme::Ink;
use crate::model::State;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let more = state
        .troubles
        .len()
        .saturating_sub(usize::from(area.height));
    for (at, (part, why)) in (0..area.height).zip(&state.troubles) {
        let row = row_of(area, at);
        let mut room = row;
        if at + 1 == area.height && more > 0 {
            let more = Piece::new(format!(" and {more} more "), Ink::Warn);
            room.width -= canvas.pieces_right(row, &[more]).min(room.width);
        }
        canvas.text(room, &format!(" no {part}: {why}"), Ink::Warn);
    }
}
