//! The availability of a workload over a span, as far as rows show it.

use kubevitals_proto::vitals::{Availability, AvailabilityState};

use super::Value;

/// The availability of a workload. Lengths of time are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailabilityCells {
    /// The present state.
    pub state: AvailabilityState,
    ready: u64,
    down: u64,
    unknown: u64,
    outages: u64,
    mttr: Option<u64>,
    mtbf: Option<u64>,
}

impl AvailabilityCells {
    /// Reads the longest span of an object of the API.
    #[must_use]
    pub fn of(object: &Availability) -> Self {
        let span = object.spans.last().copied().unwrap_or_default();
        Self {
            state: object.state,
            ready: span.up_seconds.saturating_add(span.degraded_seconds),
            down: span.down_seconds,
            unknown: span.unknown_seconds,
            outages: span.outages,
            mttr: span.mttr_seconds,
            mtbf: span.mtbf_seconds,
        }
    }

    /// The part of the time in which a pod was ready; none if nothing is known.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a month")]
    fn part(self) -> Option<f64> {
        let all = self.ready.saturating_add(self.down);
        (all > 0).then(|| self.ready as f64 / all as f64)
    }
}

/// The values of the fields; unknown without availability.
type Cells = Option<AvailabilityCells>;

pub(super) fn part(cells: Cells) -> Value<'static> {
    Value::Availability(cells.and_then(AvailabilityCells::part))
}

pub(super) fn down(cells: Cells) -> Value<'static> {
    Value::Duration(cells.map(|it| it.down))
}

pub(super) fn outages(cells: Cells) -> Value<'static> {
    match cells {
        Some(cells) => Value::Count(cells.outages),
        None => Value::Duration(None),
    }
}

pub(super) fn mttr(cells: Cells) -> Value<'static> {
    Value::Duration(cells.and_then(|it| it.mttr))
}

pub(super) fn mtbf(cells: Cells) -> Value<'static> {
    Value::Duration(cells.and_then(|it| it.mtbf))
}

pub(super) fn unknown(cells: Cells) -> Value<'static> {
    Value::Duration(cells.map(|it| it.unknown))
}
