//! Draws the pane below the list of clusters: the latest open incidents of all.

use std::cmp::Reverse;

use ratatui::layout::Rect;

use super::canvas::{Canvas, Segment, below, row_of};
use super::theme::Ink;
use crate::input::Target;
use crate::model::row::MemberIncidentRow;
use crate::model::{State, View, format};

pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.is_empty() {
        return;
    }
    let rows = state.live.member_incidents.rows().iter();
    let mut open: Vec<&MemberIncidentRow> = rows
        .map(|all| &**all)
        .filter(|all| all.row.is_open())
        .collect();
    open.sort_by_key(|all| (Reverse(all.last()), all.context.clone()));
    let key = canvas.keys.key("next-view");
    let hint = key.map_or_else(String::new, |key| format!(" ({key}: all)"));
    let heading = match open.len() {
        0 => "No open incidents".to_owned(),
        count => format!("{}{hint}", format::count(count, "open incident")),
    };
    canvas.rule(row_of(area, 0), &heading);
    canvas.hit(area, Target::View(View::AllIncidents));
    let body = below(area, 1);
    for (at, all) in (0..body.height).zip(open) {
        let namespace = &all.row.namespace;
        let separator = if namespace.is_empty() { "" } else { "/" };
        let segments = [
            Segment::muted(format!(" {:>6} ", format::age(all.last(), state.now))),
            Segment::new(format!("{:<15} ", all.row.cause()), Ink::Bad),
            Segment::new(format!("{} ", all.context), Ink::Accent),
            Segment::plain(format!("{namespace}{separator}{}", all.row.who())),
        ];
        canvas.segments(row_of(body, at), &segments);
    }
}
