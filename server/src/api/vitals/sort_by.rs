//! The orders in which a list can be had.

/// By what a list is sorted. By names the first come first, by all else the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    /// By name, whatever the namespace; those of one name by namespace.
    Name,
    /// By namespace, and in it by name: the order of a list that is not sorted.
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
    /// Whether it is by what is used now, as it lies in memory.
    pub(super) const fn is_of_usage(self) -> bool {
        matches!(self, Self::Cpu | Self::Memory)
    }

    /// Each with its name in a query string.
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
