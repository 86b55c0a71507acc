//! The orders of a list.

use std::time::Duration;

use crate::query::Measure;

/// The time over which memory growth is computed.
const GROWTH: Duration = Duration::from_secs(15 * 60);

/// The order of a list: names ascending, values descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    /// By name, then by namespace.
    Name,
    /// By namespace, then by name: the default order.
    Namespace,
    /// By a value.
    Value(Measure),
}

impl SortBy {
    /// Whether the order is by current usage.
    pub(super) const fn is_of_usage(self) -> bool {
        matches!(self, Self::Value(Measure::Cpu | Measure::Memory))
    }

    /// All orders, with their names in a query string.
    pub(super) const ALL: [(&str, Self); 10] = [
        ("name", Self::Name),
        ("namespace", Self::Namespace),
        ("cpu", Self::Value(Measure::Cpu)),
        ("memory", Self::Value(Measure::Memory)),
        ("restarts", Self::Value(Measure::Restarts)),
        ("cpuOfLimit", Self::Value(Measure::CpuOfLimit)),
        ("memoryOfLimit", Self::Value(Measure::MemoryOfLimit)),
        ("cpuOfRequest", Self::Value(Measure::CpuOfRequest)),
        ("memoryOfRequest", Self::Value(Measure::MemoryOfRequest)),
        ("growth", Self::Value(Measure::MemoryGrowth(GROWTH))),
    ];
}
