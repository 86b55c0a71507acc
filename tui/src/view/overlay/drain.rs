//! Draws the progress of the drain of a node.

use super::window::window;
use crate::model::{Name, State};
use crate::text::wrap;
use crate::view::canvas::{Canvas, Line, Segment, cells};

/// The widest window.
const WIDE: u16 = 100;

pub(super) fn draw(canvas: &mut Canvas<'_>, state: &State, node: &Name) {
    let Some(drain) = state.drains.get(node) else {
        return;
    };
    let space = canvas.buffer.area.width.saturating_sub(4).min(WIDE);
    let texts = drain.texts(node, &state.session.context);
    let lines = texts.iter().flat_map(|text| wrap(text, space.into()));
    let lines: Vec<Line> = lines.map(|line| vec![Segment::plain(line)]).collect();
    let hint = if drain.is_cancelled {
        "enter: close"
    } else {
        "esc: cancel the drain, enter: hide"
    };
    let area = window(canvas, space, cells(lines.len()), "Drain", hint);
    canvas.lines(area, &lines);
}
