//! The orders in which a list can be had.

/// By what a list is sorted; by all but the name the largest come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SortBy {
    Name,
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
    pub(super) const ALL: [(&str, Self); 9] = [
        ("name", Self::Name),
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
