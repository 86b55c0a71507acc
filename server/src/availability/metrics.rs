//! The metrics of availability.

use std::fmt;

use super::engine::Engine;
use crate::telemetry::metrics::Families;

/// The current values of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AvailabilityMetrics {
    workloads: u64,
    bytes: u64,
    left_out: u64,
}

impl AvailabilityMetrics {
    pub(super) fn of(engine: &Engine) -> Self {
        let size = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        Self {
            workloads: size(engine.records.len()),
            bytes: size(engine.bytes()),
            left_out: engine.left_out,
        }
    }

    /// Writes the families.
    pub(super) fn write(self, families: &mut Families<'_>) -> fmt::Result {
        families.gauge(
            "kubevitals_availability_workloads",
            "Workloads whose availability is stored",
            self.workloads,
        )?;
        families.gauge(
            "kubevitals_availability_bytes",
            "Memory of the stored availability in bytes",
            self.bytes,
        )?;
        families.counter(
            "kubevitals_availability_dropped_changes",
            "Changes of pods whose workload is left out, because the limit of workloads is reached",
            self.left_out,
        )
    }
}
