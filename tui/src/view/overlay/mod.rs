//! Draws the overlays: help, the list of columns, pickers.

mod columns;
mod dialog;
mod drain;
mod help;
mod picker;
mod window;

use super::canvas::Canvas;
use crate::model::{Overlay, State};

/// Draws an overlay. Returns the position of the cursor, if the overlay has a line to edit, and the scroll offset, if it is
/// a page.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    state: &State,
    overlay: &Overlay,
) -> (Option<(u16, u16)>, Option<u16>) {
    match overlay {
        Overlay::Help(page, scroll) => (None, Some(help::draw(canvas, state, *page, *scroll))),
        Overlay::Columns(cursor) => {
            columns::draw(canvas, state, *cursor);
            (None, None)
        }
        Overlay::Picker(picker) => (picker::draw(canvas, picker), None),
        Overlay::Dialog(dialog) => (dialog::draw(canvas, dialog), None),
        Overlay::Drain(node) => {
            drain::draw(canvas, state, node);
            (None, None)
        }
    }
}
