//! What jemalloc, this program's allocator, says of itself.

use kubevitals_server::telemetry::Allocator;
use tikv_jemalloc_ctl::{epoch, stats};

/// Its figures as of now; nothing when it was built without them.
pub(super) fn figures() -> Option<Allocator> {
    // jemalloc gathers its figures when the epoch is moved.
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
