//! Lists the conditions and the events of a pod.

use kubevitals_proto::time::Timestamp;

use super::{Text, heading_at};
use crate::model::{Detail, State, Time, format};
use crate::text::wrap;
use crate::view::canvas::Piece;
use crate::view::theme::Ink;

pub(super) fn conditions(lines: &mut Vec<Text>, detail: &Detail, state: &State, width: u16) {
    let now = state.status_time();
    // Only the current conditions are stored. One that changed after the displayed time was different then.
    let held = |since: Option<Timestamp>| since.is_none_or(|since| since <= now);
    let mut conditions = detail
        .conditions
        .iter()
        .filter(|condition| held(condition.since))
        .peekable();
    if conditions.peek().is_none() {
        return;
    }
    lines.push(heading_at("CONDITIONS", state));
    let count = conditions.clone().count();
    let changed = detail.conditions.len() - count;
    if changed > 0 {
        lines.push(vec![Piece::muted(format!(
            "   {changed} changed after this time: their state then is not stored"
        ))]);
    }
    for condition in conditions {
        let good = condition.status == "True";
        let since = condition
            .since
            .map(|since| format!(" for {}", format::age(since, now)))
            .unwrap_or_default();
        lines.push(vec![
            Piece::plain(format!("   {:<28} ", condition.kind)),
            Piece::new(
                format!("{}{since}", condition.status),
                if good { Ink::Plain } else { Ink::Warn },
            ),
            Piece::muted(format!("  {}", condition.reason)),
        ]);
        if !condition.message.is_empty() && !good {
            for line in wrap(
                &condition.message,
                usize::from(width.saturating_sub(6)).max(1),
            ) {
                lines.push(vec![Piece::muted(format!("     {line}"))]);
            }
        }
    }
}

pub(super) fn events(lines: &mut Vec<Text>, detail: &Detail, state: &State, width: u16) {
    let now = state.status_time();
    lines.push(heading_at("EVENTS", state));
    // An event that was repeated later has the time of its last occurrence.
    let told = |last: Option<Timestamp>| last.is_none_or(|last| last <= now);
    let later = detail.events.iter().filter(|event| !told(event.last));
    let later = later.count();
    if detail.events.len() == later {
        lines.push(vec![Piece::muted(
            "   none: the API server keeps events for about an hour",
        )]);
    }
    if later > 0 {
        let what = if state.time == Time::Live {
            "with a time in the future are"
        } else if later == 1 {
            "was seen again after this time and is"
        } else {
            "were seen again after this time and are"
        };
        lines.push(vec![Piece::muted(format!("   {later} {what} not shown"))]);
    }
    let times = |count: u64| match count {
        0 | 1 => String::new(),
        count => format!("x{count}"),
    };
    let room_of_times = detail.events.iter().map(|event| times(event.count).len());
    let room_of_times = room_of_times.max().unwrap_or(0);
    for event in detail.events.iter().filter(|event| told(event.last)) {
        let ago = event
            .last
            .map_or(format::UNKNOWN.to_owned(), |last| format::age(last, now));
        let ink = if event.kind == "Warning" {
            Ink::Warn
        } else {
            Ink::Plain
        };
        let head = format!("   {ago:>6} ago {:<room_of_times$} ", times(event.count));
        let reason = format!("{:<18} ", event.reason);
        let indent = head.len() + reason.len();
        let room = usize::from(width).saturating_sub(indent + 1).max(20);
        for (at, line) in wrap(&event.message, room).into_iter().enumerate() {
            if at == 0 {
                lines.push(vec![
                    Piece::muted(head.clone()),
                    Piece::new(reason.clone(), ink),
                    Piece::plain(line),
                ]);
            } else {
                lines.push(vec![Piece::plain(format!("{}{line}", " ".repeat(indent)))]);
            }
        }
    }
}
