//! The first row: where one is, who tells, how fresh that is, which time is shown.

use ratatui::layout::Rect;

use kubevitals_proto::time::Timestamp;

use super::canvas::{Canvas, Piece, pieces_width};
use super::theme::Ink;
use crate::model::{Link, State, Time, format};

/// How old the newest usage may be before its age is said loudly, in seconds: two of metrics-server's minutes.
const OLD_SECONDS: i64 = 120;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State, with_view: bool) {
    if state.time != Time::Live {
        canvas.patch(area, Ink::Bar);
    }
    let right = right(state);
    let dot = canvas.theme.signs.dot;
    let mut left = vec![Piece::new(" vitals", Ink::Heading)];
    let add = |piece: Piece, pieces: &mut Vec<Piece>| {
        let used = pieces_width(pieces) + 3 + piece.width() + pieces_width(&right) + 2;
        if used <= area.width {
            pieces.push(Piece::muted(format!(" {dot} ")));
            pieces.push(piece);
        }
    };
    if with_view {
        let screen = state.screen();
        add(
            Piece::new(
                format!("{} {}", screen.view.title(), screen.scope.text()).trim_end(),
                Ink::Heading,
            ),
            &mut left,
        );
    }
    let session = &state.session;
    if !session.context.is_empty() {
        add(Piece::plain(&session.context), &mut left);
    }
    if !state.namespaces.is_empty() {
        add(
            Piece::new(format!("ns {}", state.namespaces.join(",")), Ink::Accent),
            &mut left,
        );
    }
    if session.cluster != session.context && !session.cluster.is_empty() {
        add(Piece::plain(&session.cluster), &mut left);
    }
    match &state.source {
        Some((kind, why)) => {
            add(Piece::plain(format!("source {kind}")), &mut left);
            add(Piece::muted(why), &mut left);
        }
        None => add(Piece::muted("choosing a source"), &mut left),
    }
    canvas.pieces(area, &left);
    canvas.pieces_right(area, &right);
}

/// How fresh, and which time.
fn right(state: &State) -> Vec<Piece> {
    let mut pieces = Vec::new();
    match &state.link {
        Link::Connecting => pieces.push(Piece::new("connecting", Ink::Warn)),
        Link::Lost { since, .. } => {
            pieces.push(Piece::new(
                format!("LOST {}", format::age(*since, state.now)),
                Ink::Bad,
            ));
        }
        Link::Up => {
            if let Some(measured) = state.world().cluster.measured {
                let age = state.shown_time().since(measured) / 1_000_000_000;
                let ink = if age > OLD_SECONDS {
                    Ink::Warn
                } else {
                    Ink::Muted
                };
                let age = format::duration(u64::try_from(age).unwrap_or(0));
                pieces.push(Piece::new(format!("{age} old"), ink));
            }
        }
    }
    pieces.push(Piece::muted(format!(
        "  span {}",
        format::duration(state.span_seconds().into())
    )));
    let (word, ink) = match state.time {
        Time::Live => ("  LIVE ".to_owned(), Ink::Good),
        Time::Paused(at) => (format!("  PAUSED {} ", clock(at)), Ink::Warn),
        Time::Past { at, here } => {
            let waiting = if here { "" } else { " .." };
            let ago = format::age(at, state.now);
            (format!("  {} -{ago}{waiting} ", clock(at)), Ink::Warn)
        }
    };
    pieces.push(Piece::new(word, ink));
    pieces
}

/// The time of day, UTC, as Kubernetes' own times are.
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_rfc3339_seconds();
    text.get(11..20).unwrap_or_default().to_owned()
}
