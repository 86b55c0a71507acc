//! The program itself: its build, its process, its allocator.

use std::fmt;

use super::Known;
use super::families::Families;
use crate::telemetry::{Allocator, Process};

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    families.gauge(
        "kubevitals_build_info",
        "Always 1; the version is in the label.",
        |family| family.value(&[("version", env!("CARGO_PKG_VERSION"))], 1),
    )?;
    process(families, &Process::read())?;
    match known.allocator.and_then(|ask| ask()) {
        Some(figures) => allocator(families, &figures),
        None => Ok(()),
    }
}

/// Under the names that every Prometheus client gives them; what the system does not say has no family.
fn process(families: &mut Families<'_>, process: &Process) -> fmt::Result {
    if let Some(seconds) = process.cpu_seconds {
        families.counter(
            "process_cpu_seconds",
            "Processor time, user and system, in seconds.",
            |family| family.total_seconds(&[], seconds),
        )?;
    }
    let whole = [
        (
            "process_resident_memory_bytes",
            "Memory in RAM.",
            process.resident_bytes,
        ),
        (
            "process_virtual_memory_bytes",
            "Address space.",
            process.virtual_bytes,
        ),
        (
            "process_open_fds",
            "Open files and sockets.",
            process.open_files,
        ),
        (
            "process_max_fds",
            "How many files and sockets may be open.",
            process.max_files,
        ),
    ];
    for (name, help, value) in whole {
        if let Some(value) = value {
            families.gauge(name, help, |family| family.value(&[], value))?;
        }
    }
    if let Some(started) = process.started {
        families.gauge(
            "process_start_time_seconds",
            "When the process started, in seconds since the Unix epoch.",
            |family| family.fraction(&[], started),
        )?;
    }
    Ok(())
}

fn allocator(families: &mut Families<'_>, figures: &Allocator) -> fmt::Result {
    families.gauge(
        "kubevitals_allocator_bytes",
        "What the allocator says of memory, by kind: allocated (asked for), active (in pages), resident (in RAM), \
         mapped (address space), retained (address space without memory).",
        |family| {
            for (kind, bytes) in [
                ("allocated", figures.allocated),
                ("active", figures.active),
                ("resident", figures.resident),
                ("mapped", figures.mapped),
                ("retained", figures.retained),
            ] {
                family.value(&[("kind", kind)], bytes)?;
            }
            Ok(())
        },
    )
}
