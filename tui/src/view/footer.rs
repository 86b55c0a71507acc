//! The last row: what has just been done, or the keys that are wanted most.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, pieces_width};
use super::theme::Ink;
use crate::input::KeyMap;
use crate::model::{Link, Mode, State, View, format};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, keys: &KeyMap) {
    if let Some(notice) = &state.notice {
        let ink = if notice.bad { Ink::Bad } else { Ink::Good };
        canvas.text(area, &format!(" {}", notice.text), ink);
        return;
    }
    if let Link::Lost { why, again, .. } = &state.link {
        let wait =
            again.map(|again| u64::try_from(again.since(state.now) / 1_000_000_000).unwrap_or(0));
        let wait = wait.map_or(String::new(), |seconds| {
            format!(" in {}", format::duration(seconds))
        });
        canvas.text(
            area,
            &format!(" lost the cluster: {why}; trying again{wait}"),
            Ink::Bad,
        );
        return;
    }
    let hints: &[(&str, &str)] = match (state.mode(), state.screen().view) {
        (Mode::Write, _) => &[("line-accept", "keep"), ("line-cancel", "give up")],
        (_, View::Pod) => &[
            ("back", "back"),
            ("down", "scroll"),
            ("step-back", "back in time"),
            ("live", "live"),
            ("shorter-span", "span"),
            ("help", "help"),
            ("quit", "quit"),
        ],
        _ => &[
            ("enter", "open"),
            ("back", "back"),
            ("filter", "filter"),
            ("next-sort", "sort"),
            ("pause", "pause"),
            ("step-back", "back in time"),
            ("namespace", "namespace"),
            ("columns", "columns"),
            ("help", "help"),
            ("quit", "quit"),
        ],
    };
    let mut pieces = vec![Piece::plain(" ")];
    for (id, word) in hints {
        let Some(key) = keys.key(id) else { continue };
        let hint = [
            Piece::new(key.to_string(), Ink::Accent),
            Piece::muted(format!(" {word}  ")),
        ];
        // Help and quit are found by anyone; what does not fit is in the help.
        if pieces_width(&pieces) + pieces_width(&hint) <= area.width {
            pieces.extend(hint);
        }
    }
    canvas.pieces(area, &pieces);
}
