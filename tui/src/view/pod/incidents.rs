//! Lists the incidents of a pod.

use super::text::heading;
use crate::model::row::IncidentRow;
use crate::model::{Key, State, Tone, format};
use crate::view::canvas::{Line, Segment, paragraph};
use crate::view::incident::when;
use crate::view::theme::Ink;

/// The most incidents on the page of a pod.
const MAX_INCIDENTS: usize = 8;

/// Returns the lines of the pod's incidents.
pub(super) fn lines(state: &State, key: &Key, width: u16) -> Vec<Line> {
    let rows = state.world().incidents.rows().iter();
    let rows = rows.map(|row| &**row).filter(|row| is_of(row, key));
    let mut rows: Vec<&IncidentRow> = rows.collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.last()));
    lines_of(state, rows, width)
}

/// Whether an incident is about a pod, or about several of which it is one.
pub(in crate::view) fn is_of(row: &IncidentRow, key: &Key) -> bool {
    let involved = &row.incident.involved;
    let own = row.is_of_pod() && *involved.name == *key.name;
    let mut affected = row.incident.affected.iter();
    (own || affected.any(|pod| *pod.name == *key.name)) && *involved.namespace == *key.namespace
}

/// Returns the lines of incidents, as far as they had begun at the displayed time.
pub(in crate::view) fn lines_of(
    state: &State,
    mut rows: Vec<&IncidentRow>,
    width: u16,
) -> Vec<Line> {
    let now = state.shown_time();
    let zone = &state.settings.zone;
    rows.retain(|row| row.incident.began <= now);
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading("INCIDENTS")];
    let more = rows.len().saturating_sub(MAX_INCIDENTS);
    for row in rows.into_iter().take(MAX_INCIDENTS) {
        let incident = &row.incident;
        let (state, tone) = if row.is_open_at(now) {
            ("open", Tone::Bad)
        } else {
            ("ended", Tone::Dim)
        };
        lines.push(vec![
            Segment::muted(format!("   {state}  ")),
            Segment::new(format!("{} {}", row.reason(), row.cause()), tone.into()),
            Segment::muted(format!("  {}", when(row, now, zone))),
        ]);
        lines.extend(paragraph(&incident.message, width, 5, Ink::Plain));
    }
    if more > 0 {
        lines.push(vec![Segment::muted(format!(
            "   {}: see the view Incidents",
            format::count(more, "older incident")
        ))]);
    }
    lines
}
