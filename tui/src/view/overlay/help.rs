//! The help, made from the table of bindings.

use super::window;
use crate::input::KeyMap;
use crate::view::canvas::{Canvas, Piece, cells, row_of};
use crate::view::text::width;
use crate::view::theme::Ink;

/// Draws it; says how far it is scrolled.
pub(super) fn draw(canvas: &mut Canvas<'_>, scroll: u16, keys: &KeyMap) -> u16 {
    let sections = keys.help();
    let all = sections.iter().flat_map(|(_, lines)| lines);
    let key_room = all.map(|(keys, _)| width(keys)).max().unwrap_or(0);
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for (section, bindings) in &sections {
        if bindings.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![Piece::new(section.title(), Ink::Heading)]);
        for (keys, what) in bindings {
            let blanks = " ".repeat(key_room.saturating_sub(width(keys)));
            lines.push(vec![
                Piece::new(format!("  {keys}{blanks}  "), Ink::Accent),
                Piece::plain(*what),
            ]);
        }
    }
    let room = canvas.buffer.area.height.saturating_sub(2);
    let hint = if lines.len() > usize::from(room) {
        "down and up scroll, esc closes"
    } else {
        "esc closes"
    };
    let area = window(canvas, 76, cells(lines.len()), "Help", hint);
    let scroll = scroll.min(cells(lines.len()).saturating_sub(area.height));
    for (at, line) in (0..area.height).zip(lines.iter().skip(scroll.into())) {
        canvas.pieces(row_of(area, at), line);
    }
    scroll
}
