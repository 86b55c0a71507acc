//! Reads the statistics of jemalloc, the program's allocator.

use kubevitals_server::telemetry::Allocator;
use tikv_jemalloc_ctl::{epoch, stats};

/// The current statistics; none if jemalloc was built without them.
pub(super) fn statistics() -> Option<Allocator> {
    // jemalloc updates its statistics when the epoch advances.
    epoch::advance().ok()?;
    let bytes = |read: tikv_jemalloc_ctl::Result<usize>| read.ok().map(|bytes| bytes as u64);
    Some(Allocator {
        allocated: bytes(stats::allocated::read())?,
        active: bytes(stats::active::read())?,
        resident: bytes(stats::resident::read())?,
        mapped: bytes(stats::mapped::read())?,
        retained: bytes(stats::retained::read())?,
    })
}
