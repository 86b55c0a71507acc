//! Draws the overlays: help, the list of columns, pickers.

mod columns;
mod help;
mod picker;
mod window;

use super::canvas::Canvas;
use crate::model::{Overlay, State};

/// What drawing an overlay returns.
#[derive(Debug, Default)]
pub(super) struct Drawn {
    /// The position of the cursor, if the overlay has a line to edit.
    pub(super) cursor: Option<(u16, u16)>,
    /// The scroll offset, if the overlay is a page.
    pub(super) scrolled: Option<u16>,
}

/// Draws an overlay.
pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, overlay: &Overlay) -> Drawn {
    let mut drawn = Drawn::default();
    match overlay {
        Overlay::Help(page, scroll) => {
            drawn.scrolled = Some(help::draw(canvas, state, *page, *scroll));
        }
        Overlay::Columns(cursor) => columns::draw(canvas, state, *cursor),
        Overlay::Picker(picker) => drawn.cursor = picker::draw(canvas, picker),
    }
    drawn
}
