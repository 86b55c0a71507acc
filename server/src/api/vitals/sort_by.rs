//! The orders of a list.

/// The order of a list: names ascending, all other values descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    /// By name, then by namespace.
    Name,
    /// By namespace, then by name: the default order.
    Namespace,
    Cpu,
    Memory,
    Restarts,
    CpuOfLimit,
    MemoryOfLimit,
    CpuOfRequest,
    MemoryOfRequest,
    Growth,
}

impl SortBy {
    /// Whether the order is by current usage.
    pub(super) const fn is_of_usage(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory)
    }

    /// All orders, with their names in a query string.
    pub(super) const ALL: [(&str, Self); 10] = [
        ("name", Self::Name),
        ("namespace", Self::Namespace),
        ("cpu", Self::Cpu),
        ("memory", Self::Memory),
        ("restarts", Self::Restarts),
        ("cpuOfLimit", Self::CpuOfLimit),
        ("memoryOfLimit", Self::MemoryOfLimit),
        ("cpuOfRequest", Self::CpuOfRequest),
        ("memoryOfRequest", Self::MemoryOfRequest),
        ("growth", Self::Growth),
    ];
}
