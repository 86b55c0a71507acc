//! Statistics of the memory allocator. The program chooses the allocator, so it also provides the function that reads
//! them.

use super::metrics::{Registry, collect};

/// Statistics at one time, in bytes, with jemalloc's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocator {
    /// Memory that the program has allocated.
    pub allocated: u64,
    /// Pages that hold allocations.
    pub active: u64,
    /// Resident memory, with the allocator's own.
    pub resident: u64,
    /// Mapped address space.
    pub mapped: u64,
    /// Address space that is reserved without memory.
    pub retained: u64,
}

/// Reads the statistics; none if the allocator does not report them.
pub type ReadAllocator = fn() -> Option<Allocator>;

/// Registers the metrics of the allocator.
pub fn register(registry: &mut Registry, read: ReadAllocator) {
    collect(registry, read, |read, families| {
        let Some(statistics) = read() else {
            return Ok(());
        };
        families.gauges(
            "kubevitals_allocator_bytes",
            "Memory of the allocator by kind: allocated (by the program), active (in pages), resident (in RAM), mapped \
             (address space), retained (address space without memory)",
            ["kind"],
            [
                (["allocated"], statistics.allocated),
                (["active"], statistics.active),
                (["resident"], statistics.resident),
                (["mapped"], statistics.mapped),
                (["retained"], statistics.retained),
            ],
        )
    });
}
