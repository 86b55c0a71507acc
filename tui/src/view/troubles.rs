//! Draws the failing parts of the view, with the reason and the time of the retry.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, row_of};
use super::theme::Ink;
use crate::model::{Failing, State, format};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let failing = state.failing();
    let more = failing.len().saturating_sub(usize::from(area.height));
    for (at, failing) in (0..area.height).zip(&failing) {
        let row = row_of(area, at);
        let mut space = row;
        if at + 1 == area.height && more > 0 {
            let more = Segment::new(format!(" and {more} more "), Ink::Warn);
            space.width -= canvas.segments_right(row, &[more]).min(space.width);
        }
        // The time of the retry is visible, however long the reason is.
        let next = next_try(failing, state);
        canvas.message(space, &format!(" {}", text(failing)), &next, Ink::Warn);
    }
}

/// Renders a failing part: `usage: forbidden: User "jane" cannot list pods.metrics.k8s.io; next try in 12s`.
pub(super) fn line(failing: &Failing<'_>, state: &State) -> String {
    text(failing) + &next_try(failing, state)
}

fn text(failing: &Failing<'_>) -> String {
    format!("{}: {}", failing.part, failing.why.text)
}

fn next_try(failing: &Failing<'_>, state: &State) -> String {
    let wait = failing.retry_at.map(|at| format::age(state.now, at));
    wait.map_or(String::new(), |wait| format!("; next retry in {wait}"))
}
