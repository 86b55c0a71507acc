//! What cannot be had, and why; what is waited for.

use ratatui::layout::Rect;

use super::canvas::{Canvas, row_of};
use super::theme::Ink;
use crate::model::State;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let more = state
        .troubles
        .len()
        .saturating_sub(usize::from(area.height));
    for (at, (part, why)) in (0..area.height).zip(&state.troubles) {
        let more = if at + 1 == area.height && more > 0 {
            format!(" (and {more} more)")
        } else {
            String::new()
        };
        canvas.text(
            row_of(area, at),
            &format!(" no {part}: {why}{more}"),
            Ink::Warn,
        );
    }
}
