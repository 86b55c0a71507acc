//! What is told of the selected incident: the sentence, how it is known, what was used before.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Piece, below, row_of};
use super::text::wrap;
use crate::model::{State, format};
use kubevitals_proto::vitals::Source;

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let Some(row) = state
        .current()
        .and_then(|key| state.world().incidents.get(&key).cloned())
    else {
        canvas.rule(row_of(area, 0), "");
        return;
    };
    let incident = &row.incident;
    let now = state.shown_time();
    canvas.rule(
        row_of(area, 0),
        &format!("{} {}", incident.involved.namespace, row.who()),
    );
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let width = usize::from(area.width.saturating_sub(2)).max(1);
    for line in wrap(&incident.message, width) {
        lines.push(vec![Piece::plain(format!(" {line}"))]);
    }
    for evidence in &incident.evidence {
        let who = match evidence.source {
            Source::Event => "event",
            Source::Status => "status",
            Source::ProbeCounter => "probes",
            Source::History => "usage",
            Source::Other => "",
        };
        let head = format!(" {:>7} ago  {who:<7} ", format::age(evidence.time, now));
        let room = width.saturating_sub(head.len()).max(1);
        for (at, line) in wrap(&evidence.text, room).into_iter().enumerate() {
            let head = if at == 0 {
                head.clone()
            } else {
                " ".repeat(head.len())
            };
            lines.push(vec![Piece::muted(head), Piece::plain(line)]);
        }
    }
    let body = below(area, 1);
    for (at, line) in (0..body.height).zip(&lines) {
        canvas.pieces(row_of(body, at), line);
    }
}
