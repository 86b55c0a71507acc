//! How much memory a target's input may cost: the most that is allocated at any moment while it is read, against its
//! length. `server/tests/bodies.rs` holds the same for inputs that were thought of.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes for each byte of an input, however short: a pod of two bytes is 856 in memory, in a list that doubles.
const EACH_OF_FEW: usize = 1024;

/// Bytes for any input beside that.
const LEAST: usize = 1 << 20;

/// Bytes for each byte of an input, however long: copies of it, in a buffer that doubles.
const EACH_OF_MANY: usize = 8;

/// Bytes for any input beside that: as many elements of lists as are taken.
const MOST: usize = 64 << 20;

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; counting neither allocates nor touches the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        PEAK.fetch_max(
            NOW.fetch_add(layout.size(), Relaxed) + layout.size(),
            Relaxed,
        );
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Reads an input of so many bytes.
///
/// # Panics
/// When that takes more memory than such an input may.
pub fn bounded<T>(bytes: usize, read: impl FnOnce() -> T) -> T {
    let before = NOW.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = read();
    let peak = PEAK.load(Relaxed).saturating_sub(before);
    let most = (EACH_OF_FEW * bytes + LEAST).min(EACH_OF_MANY * bytes + MOST);
    assert!(
        peak <= most,
        "{bytes} bytes cost {peak}, at most {most} are allowed"
    );
    result
}
