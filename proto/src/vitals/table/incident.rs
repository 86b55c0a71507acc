//! An incident's row, with the columns in the order of kubectl's events.

use super::cells::Cells;
use crate::vitals::Incident;
use crate::wire::form::Column;

/// The columns.
pub(super) const COLUMNS: [Column; 12] = [
    Column::text("Last-Seen", "How long ago it was last seen."),
    Column::text("Began", "How long ago it began."),
    Column::text("State", "Open while it goes on, over afterwards."),
    Column::text("Reason", "What went wrong."),
    Column::text("Object", "Whom it befell."),
    Column::text("Container", "The container, where it is about one."),
    Column::integer("Count", "How often: restarts, failed attempts."),
    Column::text("Cause", "Why."),
    Column::text("Message", "One sentence."),
    Column::text("Name", "The incident's own name.")
        .format("name")
        .wide(),
    Column::text("Certainty", "How sure the cause is.").wide(),
    Column::text("Node", "The node.").wide(),
];

pub(super) fn row(incident: &Incident, cells: &mut Cells<'_>) {
    cells.age(Some(incident.last_seen));
    cells.age(Some(incident.began));
    cells.text(if incident.ended.is_none() {
        "Open"
    } else {
        "Over"
    });
    cells.text(incident.reason.as_str());
    let involved = &incident.involved;
    cells.text(&format!(
        "{}/{}",
        involved.kind.to_ascii_lowercase(),
        involved.name
    ));
    cells.text(&involved.container);
    cells.integer(incident.count);
    cells.text(incident.cause.as_str());
    cells.text(&incident.message);
    cells.text(&incident.metadata.name);
    cells.text(incident.certainty.as_str());
    cells.text(&involved.node);
}
