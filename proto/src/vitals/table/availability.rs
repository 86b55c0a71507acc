//! An availability's row. The figures are those of the longest span.

use super::cells::Cells;
use crate::age;
use crate::vitals::availability::{Availability, AvailabilitySpan, percent};
use crate::wire::form::Column;

/// The columns.
pub(super) const COLUMNS: [Column; 13] = [
    Column::text("Name", "The kind and the name of the workload.").format("name"),
    Column::text(
        "State",
        "Up, Degraded, Down, Deliberate, Off, Starting or Unknown.",
    ),
    Column::text("For", "How long it has been in this state."),
    Column::text("Span", "The longest span."),
    Column::text(
        "Availability",
        "The part of the time in which a pod was ready.",
    ),
    Column::text("Down", "The length of all outages."),
    Column::integer("Outages", "The number of outages."),
    Column::text("MTTR", "The mean time to repair."),
    Column::text("MTBF", "The mean time between failures."),
    Column::text("Unknown", "How long the server did not watch."),
    Column::text("Degraded", "How long only some pods were ready.").wide(),
    Column::text("Deliberate", "How long rollouts and scale-ups took.").wide(),
    Column::text("Spans", "The availability of each span.").wide(),
];

pub(super) fn row(availability: &Availability, cells: &mut Cells<'_>) {
    let none = AvailabilitySpan::default();
    let span = availability.spans.last().unwrap_or(&none);
    let seconds = |seconds: u64| age::human(i64::try_from(seconds).unwrap_or(i64::MAX));
    let optional = |value: Option<u64>| value.map(seconds).unwrap_or_default();
    cells.text(&availability.metadata.name);
    cells.text(availability.state.as_str());
    cells.age(availability.since);
    cells.text(&length(span));
    cells.text(&span.availability.map(percent).unwrap_or_default());
    cells.text(&seconds(span.down_seconds));
    cells.integer(span.outages);
    cells.text(&optional(span.mttr_seconds));
    cells.text(&optional(span.mtbf_seconds));
    cells.text(&seconds(span.unknown_seconds));
    cells.text(&seconds(span.degraded_seconds));
    cells.text(&seconds(span.deliberate_seconds));
    let spans = availability.spans.iter().map(|span| {
        let part = span.availability.map(percent);
        format!("{}: {}", length(span), part.as_deref().unwrap_or("none"))
    });
    let spans: Vec<String> = spans.collect();
    cells.text(&spans.join(", "));
}

fn length(span: &AvailabilitySpan) -> String {
    age::human(span.span.as_nanos() / 1_000_000_000)
}
