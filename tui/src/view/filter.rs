//! Draws the filter line, and the error below the wrong part.

use ratatui::layout::Rect;

use super::canvas::{Canvas, cells, left_of, right_of};
use super::theme::Ink;
use crate::model::State;
use crate::text::width;

/// Draws both. Returns the position of the cursor while the filter is edited.
pub(super) fn draw(
    canvas: &mut Canvas<'_>,
    area: Rect,
    wrong_area: Rect,
    state: &State,
) -> Option<(u16, u16)> {
    let list = &state.screen().list;
    if area.is_empty() {
        return None;
    }
    let ink = if state.writing {
        Ink::Accent
    } else {
        Ink::Muted
    };
    let used = canvas.text(area, " / ", ink);
    let space = right_of(area, used);
    let (before, after) = list.line.halves();
    // The text before the cursor scrolls, so that its end is visible.
    let mut hidden = 0;
    let mut start = before;
    while width(start) + 1 > usize::from(space.width) {
        let mut rest = start.chars();
        let Some(c) = rest.next() else { break };
        hidden += width(c.encode_utf8(&mut [0; 4]));
        start = rest.as_str();
    }
    let taken = canvas.text(
        space,
        start,
        if list.wrong.is_some() {
            Ink::Warn
        } else {
            Ink::Plain
        },
    );
    canvas.text(right_of(space, taken), after, Ink::Plain);
    if let Some(wrong) = &list.wrong {
        let places = wrong.cells(list.line.text());
        let from = cells(places.start.saturating_sub(hidden));
        let place = left_of(right_of(space, from), cells(places.len()));
        canvas.patch(place, Ink::Bad);
        let indent = from.min(
            wrong_area
                .width
                .saturating_sub(cells(width(&wrong.message)) + used + 2),
        );
        let line = right_of(wrong_area, used + indent);
        canvas.text(line, &format!("^ {}", wrong.message), Ink::Bad);
    }
    state
        .writing
        .then(|| (space.x + taken.min(space.width.saturating_sub(1)), space.y))
}
