//! Draws the title bar for a displayed time that is not now: the time, its age, and the key that returns to now.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, segments_width};
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
    let status_time = state.status_time();
    let screen = state.screen();
    let lost = match &state.link {
        Link::Lost { since, .. } => format!("LOST {}", format::age(*since, state.now)),
        _ => String::new(),
    };
    let back = canvas
        .keys
        .key("live")
        .map_or_else(String::new, |key| format!("{key}: return to now"));
    let view = if with_view {
        format!("{} {}", screen.view.title(), screen.scope.text())
    } else {
        String::new()
    };
    let status = if status_time == at {
        String::new()
    } else {
        format!("usage; status at {}", state.clock_with_zone(status_time))
    };
    // In the order of display, each with its rank. If space is short, the highest ranks are left out first.
    let segments = [
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
    let mut by_rank: Vec<_> = segments
        .iter()
        .filter(|(_, text, _)| !text.is_empty())
        .collect();
    by_rank.sort_by_key(|(rank, ..)| *rank);
    let mut space = area.width.saturating_sub(1);
    let mut last = None;
    for (rank, text, ink) in by_rank {
        let gap = if last.is_some() { 3 } else { 0 };
        let width = Segment::new(text, *ink).width() + gap;
        if last.is_some() && width > space {
            break;
        }
        space = space.saturating_sub(width);
        last = Some(*rank);
    }
    let mut line = vec![Segment::plain(" ")];
    for (rank, text, ink) in segments {
        if text.is_empty() || last.is_some_and(|last| rank > last) {
            continue;
        }
        if segments_width(&line) > 1 {
            line.push(Segment::muted(dot.as_str()));
        }
        line.push(Segment::new(text, ink));
    }
    canvas.segments(area, &line);
    canvas.patch(area, Ink::Bar);
}
