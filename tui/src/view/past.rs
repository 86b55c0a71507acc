//! Draws the title bar for a displayed time that is not now: the time, its age, and the key that returns to now.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, pieces_width};
use super::theme::Ink;
use crate::model::{Link, State, Time, format};

/// Draws the bar.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, with_view: bool) {
    let at = state.shown_time();
    let dot = format!(" {} ", canvas.theme.signs.dot);
    let word = match state.time {
        Time::Paused(_) => "PAUSED",
        Time::Live | Time::Past { .. } => "PAST",
    };
    let waiting = matches!(state.time, Time::Past { here: false, .. });
    let told = state.status_time();
    let screen = state.screen();
    let lost = match &state.link {
        Link::Lost { since, .. } => format!("LOST {}", format::age(*since, state.now)),
        _ => String::new(),
    };
    let back = canvas
        .keys
        .key("live")
        .map_or_else(String::new, |key| format!("{key}: back to now"));
    let view = if with_view {
        format!("{} {}", screen.view.title(), screen.scope.text())
    } else {
        String::new()
    };
    let status = if told == at {
        String::new()
    } else {
        format!("usage; status of {}", state.clock_with_zone(told))
    };
    // In the order of display, each with its rank. If space is short, the highest ranks are left out first.
    let pieces = [
        (0, format!("{word} {}", state.clock_with_zone(at)), Ink::Bad),
        (3, status, Ink::Warn),
        (
            7,
            if waiting { "loading" } else { "" }.to_owned(),
            Ink::Warn,
        ),
        (2, format!("{} ago", format::age(at, state.now)), Ink::Plain),
        (1, back, Ink::Accent),
        (5, lost, Ink::Bad),
        (6, view.trim_end().to_owned(), Ink::Heading),
        (7, state.namespace_text(), Ink::Accent),
        (8, state.session.context.clone(), Ink::Plain),
    ];
    let mut by_rank: Vec<_> = pieces
        .iter()
        .filter(|(_, text, _)| !text.is_empty())
        .collect();
    by_rank.sort_by_key(|(rank, ..)| *rank);
    let mut room = area.width.saturating_sub(1);
    let mut last = None;
    for (rank, text, ink) in by_rank {
        let gap = if last.is_some() { 3 } else { 0 };
        let wide = Piece::new(text, *ink).width() + gap;
        if last.is_some() && wide > room {
            break;
        }
        room = room.saturating_sub(wide);
        last = Some(*rank);
    }
    let mut line = vec![Piece::plain(" ")];
    for (rank, text, ink) in pieces {
        if text.is_empty() || last.is_some_and(|last| rank > last) {
            continue;
        }
        if pieces_width(&line) > 1 {
            line.push(Piece::muted(dot.as_str()));
        }
        line.push(Piece::new(text, ink));
    }
    canvas.pieces(area, &line);
    canvas.patch(area, Ink::Bar);
}
