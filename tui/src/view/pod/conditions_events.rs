//! Lists the conditions and the events of a pod.

use kubevitals_proto::time::Timestamp;

use super::text::heading_at;
use crate::model::{Detail, State, Time, format};
use crate::text::wrap;
use crate::view::canvas::{Line, Segment, paragraph};
use crate::view::theme::Ink;

pub(super) fn conditions(lines: &mut Vec<Line>, detail: &Detail, state: &State, width: u16) {
    let now = state.status_time();
    // Only the current conditions are stored. One that changed after the displayed time was different then.
    let has_begun = |since: Option<Timestamp>| since.is_none_or(|since| since <= now);
    let mut conditions = detail
        .conditions
        .iter()
        .filter(|condition| has_begun(condition.since))
        .peekable();
    if conditions.peek().is_none() {
        return;
    }
    lines.push(heading_at("CONDITIONS", state));
    let count = conditions.clone().count();
    let changed = detail.conditions.len() - count;
    if changed > 0 {
        lines.push(vec![Segment::muted(format!(
            "   {changed} changed after this time: their status then is not stored"
        ))]);
    }
    for condition in conditions {
        let good = condition.status == "True";
        let since = condition
            .since
            .map(|since| format!(" for {}", format::age(since, now)))
            .unwrap_or_default();
        lines.push(vec![
            Segment::plain(format!("   {:<28} ", condition.kind)),
            Segment::new(
                format!("{}{since}", condition.status),
                if good { Ink::Plain } else { Ink::Warn },
            ),
            Segment::muted(format!("  {}", condition.reason)),
        ]);
        if !condition.message.is_empty() && !good {
            lines.extend(paragraph(&condition.message, width, 5, Ink::Muted));
        }
    }
}

pub(super) fn events(lines: &mut Vec<Line>, detail: &Detail, state: &State, width: u16) {
    let now = state.status_time();
    lines.push(heading_at("EVENTS", state));
    // An event that was repeated later has the time of its last occurrence.
    let has_happened = |last: Option<Timestamp>| last.is_none_or(|last| last <= now);
    let events = detail.events.iter();
    let (events, later): (Vec<_>, Vec<_>) = events.partition(|event| has_happened(event.last));
    if events.is_empty() {
        lines.push(vec![Segment::muted(
            "   none: the API server stores events for about an hour",
        )]);
    }
    if !later.is_empty() {
        let what = if state.time == Time::Live {
            "with a time in the future"
        } else {
            "repeated after this time"
        };
        lines.push(vec![Segment::muted(format!(
            "   {} {what}: not shown",
            later.len()
        ))]);
    }
    let times = |count: u64| match count {
        0 | 1 => String::new(),
        count => format!("x{count}"),
    };
    let times_width = detail.events.iter().map(|event| times(event.count).len());
    let times_width = times_width.max().unwrap_or(0);
    for event in events {
        let ago = event
            .last
            .map_or(format::UNKNOWN.to_owned(), |last| format::age(last, now));
        let ink = if event.kind == "Warning" {
            Ink::Warn
        } else {
            Ink::Plain
        };
        let head = format!("   {ago:>6} ago {:<times_width$} ", times(event.count));
        let reason = format!("{:<18} ", event.reason);
        let indent = head.len() + reason.len();
        let space = usize::from(width).saturating_sub(indent + 1).max(20);
        for (at, line) in wrap(&event.message, space).into_iter().enumerate() {
            if at == 0 {
                lines.push(vec![
                    Segment::muted(head.clone()),
                    Segment::new(reason.clone(), ink),
                    Segment::plain(line),
                ]);
            } else {
                lines.push(vec![Segment::plain(format!(
                    "{}{line}",
                    " ".repeat(indent)
                ))]);
            }
        }
    }
}
