//! Draws the selected incident: its message and its evidence.

use ratatui::layout::Rect;

use super::canvas::{Canvas, Line, Segment, below, paragraph, row_of};
use super::theme::Ink;
use crate::model::row::IncidentRow;
use crate::model::{State, Zone, format};
use crate::text::wrap;
use kubevitals_proto::time::Timestamp;
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
    let dot = canvas.theme.signs.dot;
    let heading = format!(
        "{} {} {dot} {}",
        incident.involved.namespace,
        row.who(),
        when(&row, now, &state.settings.zone)
    );
    let acknowledged = if state.acknowledgements.has_incident(&row) {
        format!(" {dot} acknowledged")
    } else {
        String::new()
    };
    let heading = format!("{}{acknowledged}", heading.trim_start());
    canvas.rule(row_of(area, 0), &heading);
    let mut lines: Vec<Line> = paragraph(&incident.message, area.width, 1, Ink::Plain).collect();
    let width = usize::from(area.width.saturating_sub(2)).max(1);
    // The newest first, because there may be space for some only.
    let evidence = incident.evidence.iter().filter(|it| it.time <= now);
    let later = incident.evidence.len() - evidence.clone().count();
    if later > 0 {
        lines.push(vec![Segment::muted(format!(
            " {later} after {}: not shown",
            state.clock(now)
        ))]);
    }
    for evidence in evidence.rev() {
        let source = match evidence.source {
            Source::Event => "event",
            Source::Status => "status",
            Source::ProbeCounter => "probes",
            Source::History => "usage",
            Source::Other => "",
        };
        let head = format!(" {:>7} ago  {source:<7} ", format::age(evidence.time, now));
        let space = width.saturating_sub(head.len()).max(1);
        for (at, line) in wrap(&evidence.text, space).into_iter().enumerate() {
            let head = if at == 0 {
                head.clone()
            } else {
                " ".repeat(head.len())
            };
            lines.push(vec![Segment::muted(head), Segment::plain(line)]);
        }
    }
    canvas.lines(below(area, 1), &lines);
}

/// Returns the times and the count of an incident: `since 06:06:40Z (12m), last 20s ago, 7 times`. For a displayed time
/// in the past, count and end are still those of now.
pub(super) fn when(row: &IncidentRow, shown: Timestamp, zone: &Zone) -> String {
    let incident = &row.incident;
    let last = row.last();
    let began = zone.time(incident.began);
    let long = format::age(incident.began, shown);
    let times = |of: &str| match incident.count {
        0 | 1 => String::new(),
        count => format!(", {count} times{of}"),
    };
    if last > shown {
        let last = zone.time(last);
        return format!("since {began} ({long}), until {last}{}", times(" in total"));
    }
    let ago = format::age(last, shown);
    match incident.ended.filter(|ended| *ended <= shown) {
        None => format!("since {began} ({long}), last {ago} ago{}", times("")),
        Some(ended) => format!(
            "from {began} to {}, {} ago{}",
            zone.time(ended),
            format::age(ended, shown),
            times("")
        ),
    }
}
