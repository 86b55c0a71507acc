//! What the allocator says of itself. The allocator is the program's choice, so the program says how to ask it.

use super::metrics::{Registry, collect};

/// Figures of one moment, in bytes; jemalloc's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocator {
    /// What the program asked for and still has.
    pub allocated: u64,
    /// The pages that hold it.
    pub active: u64,
    /// What is in RAM of it, and of what the allocator needs for itself.
    pub resident: u64,
    /// Address space that the allocator has.
    pub mapped: u64,
    /// Address space that it keeps, but without memory behind it.
    pub retained: u64,
}

/// How to ask it; nothing when it does not answer.
pub type AskAllocator = fn() -> Option<Allocator>;

/// Registers the metrics of the allocator.
pub fn register(registry: &mut Registry, ask: AskAllocator) {
    collect(registry, ask, |ask, families| {
        let Some(figures) = ask() else {
            return Ok(());
        };
        families.gauges(
            "kubevitals_allocator_bytes",
            "Memory of the allocator by kind: allocated (by the program), active (in pages), resident (in RAM), mapped \
             (address space), retained (address space without memory)",
            ["kind"],
            [
                (["allocated"], figures.allocated),
                (["active"], figures.active),
                (["resident"], figures.resident),
                (["mapped"], figures.mapped),
                (["retained"], figures.retained),
            ],
        )
    });
}
