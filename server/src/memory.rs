//! The memory limit of this process, and how near it is.
//!
//! The kernel kills a container that exceeds its limit. So the server reads the limit, gives the history what the rest
//! leaves, and stops what it can do without before the limit is reached.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use crate::telemetry::metrics::{Registry, collect};

/// The part of the limit that allocations may use, in quarters: the rest is for what the allocator cannot reuse, for
/// stacks, and for the kernel's buffers.
const USABLE_QUARTERS: u64 = 3;

/// The part of the limit that allocations have reached when the server must not grow, in eighths.
const FULL_EIGHTHS: u64 = 7;

/// Memory is tight until this part of the limit is left for the history.
const RELAXED_PART: u64 = 16;

/// Above this, a limit in the first version of cgroups means none.
const NO_LIMIT: u64 = 1 << 60;

/// The recommended limit for a cluster, as a multiple of what it needs without history: half as much again for an hour
/// of history, and all of it three quarters of the limit.
const RECOMMENDED: u64 = 2;

/// Recommended limits are multiples of this.
const ROUND: u64 = 64 << 20;

/// The time for which a reading of the allocator counts, in milliseconds.
const READING_AGE: u64 = 100;

/// Reads the bytes that the program has allocated; none if the allocator does not report them.
pub type ReadAllocated = Box<dyn Fn() -> Option<u64> + Send + Sync>;

/// What is left of the memory limit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// What the program has allocated besides the history.
    pub rest: u64,
    /// What the history may use.
    pub history: u64,
}

impl Budget {
    /// The budget under `limit` of a program that has allocated `allocated`, of which `history` is history.
    fn of(limit: u64, allocated: u64, history: u64) -> Self {
        let rest = allocated.saturating_sub(history);
        Self {
            rest,
            history: usable(limit).saturating_sub(rest),
        }
    }

    /// The memory limit that a cluster needs whose nodes are scraped but for `left_out` of `nodes`.
    pub fn recommended(&self, nodes: usize, left_out: usize) -> u64 {
        let scraped = nodes.saturating_sub(left_out).max(1) as u64;
        let for_all = u128::from(self.rest) * nodes.max(1) as u128 / u128::from(scraped);
        let for_all = u64::try_from(for_all).unwrap_or(u64::MAX);
        for_all
            .saturating_mul(RECOMMENDED)
            .div_ceil(ROUND)
            .saturating_mul(ROUND)
    }
}

/// The bytes that allocations may use.
fn usable(limit: u64) -> u64 {
    limit / 4 * USABLE_QUARTERS
}

/// The memory limit of this process, and how near it is.
pub struct Memory {
    limit: Option<u64>,
    read: ReadAllocated,
    /// The last reading of the allocator, and its time in milliseconds since `start`.
    allocated: AtomicU64,
    read_at: AtomicU64,
    start: Instant,
    is_tight: AtomicBool,
    left_out: AtomicUsize,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("limit", &self.limit)
            .field("allocated", &self.allocated)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// Memory with this limit, if there is any.
    pub fn new(limit: Option<u64>, read: ReadAllocated) -> Self {
        Self {
            limit,
            read,
            allocated: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
            start: Instant::now(),
            is_tight: AtomicBool::new(false),
            left_out: AtomicUsize::new(0),
        }
    }

    /// Memory without a limit.
    #[cfg(test)]
    pub(crate) fn unlimited() -> Self {
        Self::new(None, Box::new(|| None))
    }

    /// Registers the metrics.
    pub(crate) fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |memory, families| {
            if let Some(limit) = memory.limit {
                families.gauge(
                    "kubevitals_memory_limit_bytes",
                    "The memory limit of the process: --memory-limit, or that of the container",
                    limit,
                )?;
            }
            families.gauge(
                "kubevitals_memory_tight",
                "Whether the memory limit leaves nothing for history: 1 or 0; then optional pages and watches are off",
                u64::from(memory.is_tight()),
            )?;
            families.gauge(
                "kubevitals_memory_nodes_left_out",
                "Nodes that are not scraped, because the memory limit is near",
                memory.left_out() as u64,
            )
        });
    }

    /// The limit.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Reads the allocator and returns what is left, where the history has `history` bytes. None without a limit.
    pub fn measure(&self, history: u64) -> Option<Budget> {
        let limit = self.limit?;
        let allocated = self.read_now()?;
        let budget = Budget::of(limit, allocated, history);
        // Not back and forth with every reading.
        let least = if self.is_tight() {
            limit / RELAXED_PART
        } else {
            1
        };
        self.is_tight.store(budget.history < least, Relaxed);
        Some(budget)
    }

    /// Whether the history has nothing left. Then the server does without whatever is optional.
    pub fn is_tight(&self) -> bool {
        self.is_tight.load(Relaxed)
    }

    /// Whether the limit is so near that the server must not grow.
    pub fn is_full(&self) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        let now = self.now();
        let age = now.saturating_sub(self.read_at.load(Relaxed));
        if age >= READING_AGE {
            self.read_now();
        }
        self.allocated.load(Relaxed) >= limit / 8 * FULL_EIGHTHS
    }

    /// The number of nodes that are not scraped because the limit is near.
    pub fn left_out(&self) -> usize {
        self.left_out.load(Relaxed)
    }

    /// Leaves out a node until the guard is dropped.
    pub(crate) fn leave_out(&self) -> LeftOut<'_> {
        self.left_out.fetch_add(1, Relaxed);
        LeftOut(&self.left_out)
    }

    fn read_now(&self) -> Option<u64> {
        let allocated = (self.read)()?;
        self.allocated.store(allocated, Relaxed);
        self.read_at.store(self.now(), Relaxed);
        Some(allocated)
    }

    /// Milliseconds since the start, from [`READING_AGE`] on: nothing was read at zero.
    fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.start.elapsed().as_millis());
        elapsed.unwrap_or(u64::MAX).saturating_add(READING_AGE)
    }
}

/// A node that is not scraped because the memory limit is near.
pub(crate) struct LeftOut<'a>(&'a AtomicUsize);

impl Drop for LeftOut<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The memory limit of this process's cgroup or of one around it, whichever is lower. None on other systems than Linux
/// and without a limit.
pub fn of_cgroup() -> Option<u64> {
    cgroup_under(Path::new("/"))
}

fn cgroup_under(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let limits = groups.lines().filter_map(|line| {
        // `hierarchy:controllers:path`; the second version has no controllers.
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let (mount, file) = if controllers.is_empty() {
            ("sys/fs/cgroup", "memory.max")
        } else if controllers.split(',').any(|it| it == "memory") {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        } else {
            return None;
        };
        lowest(&root.join(mount), path, file)
    });
    limits.min()
}

/// The lowest limit from the cgroup at `path` up to the root of the mount. A container may see its own cgroup as the root.
fn lowest(mount: &Path, path: &str, file: &str) -> Option<u64> {
    let own = PathBuf::from(path.trim_start_matches('/'));
    let limits = own.ancestors().filter_map(|group| {
        let text = fs::read_to_string(mount.join(group).join(file)).ok()?;
        text.trim().parse().ok().filter(|limit| *limit < NO_LIMIT)
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn the_lowest_limit_of_all_cgroups_counts() {
        for (groups, files, expected) in [
            // A container that sees its own cgroup as the root.
            (
                "0::/\n",
                &[("memory.max", "536870912\n")][..],
                Some(512 * MIB),
            ),
            ("0::/\n", &[("memory.max", "max\n")], None),
            (
                "0::/kubepods/pod1/c1\n",
                &[
                    ("kubepods/pod1/c1/memory.max", "max\n"),
                    ("kubepods/pod1/memory.max", "268435456\n"),
                    ("kubepods/memory.max", "1073741824\n"),
                ],
                Some(256 * MIB),
            ),
            (
                "12:cpu,cpuacct:/a\n7:memory:/docker/c1\n0::/\n",
                &[
                    (
                        "memory/docker/c1/memory.limit_in_bytes",
                        "9223372036854771712\n",
                    ),
                    ("memory/memory.limit_in_bytes", "134217728\n"),
                ],
                Some(128 * MIB),
            ),
            (
                "7:memory:/\n",
                &[("memory/memory.limit_in_bytes", "9223372036854771712\n")],
                None,
            ),
            ("0::/\n", &[("memory.max", "a lot\n")], None),
            ("what is this", &[], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let root = folder.path();
            fs::create_dir_all(root.join("proc/self")).unwrap();
            fs::write(root.join("proc/self/cgroup"), groups).unwrap();
            for (file, text) in files {
                let file = root.join("sys/fs/cgroup").join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, text).unwrap();
            }
            assert_eq!(cgroup_under(root), expected, "{groups}");
        }
        assert_eq!(cgroup_under(Path::new("/nowhere")), None);
    }

    #[test]
    fn the_history_has_what_the_rest_leaves() {
        // The limit, all allocations, the history; then what the history may have, and whether memory is tight and full.
        for (limit, allocated, history, left, tight, full) in [
            (1024, 100, 30, 768 - 70, false, false),
            (1024, 700, 300, 368, false, false),
            (1024, 900, 300, 168, false, true),
            (1024, 790, 10, 0, true, false),
            (1024, 1000, 0, 0, true, true),
        ] {
            let read = Box::new(move || Some(allocated * MIB));
            let memory = Memory::new(Some(limit * MIB), read);
            let budget = memory.measure(history * MIB).unwrap();
            assert_eq!(budget.history, left * MIB, "{allocated}");
            assert_eq!(budget.rest, (allocated - history) * MIB);
            assert_eq!((memory.is_tight(), memory.is_full()), (tight, full));
        }
    }

    #[test]
    fn memory_is_tight_until_a_sixteenth_is_left() {
        let allocated = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&allocated);
        let memory = Memory::new(Some(1024), Box::new(move || Some(read.load(Relaxed))));
        for (bytes, tight) in [
            (700, false),
            (768, true),
            (705, true),
            (704, false),
            (767, false),
        ] {
            allocated.store(bytes, Relaxed);
            memory.measure(0);
            assert_eq!(memory.is_tight(), tight, "{bytes}");
        }
    }

    #[test]
    fn without_a_limit_or_a_reading_nothing_is_near() {
        let unlimited = Memory::new(None, Box::new(|| Some(u64::MAX)));
        assert_eq!((unlimited.measure(0), unlimited.is_full()), (None, false));
        let unread = Memory::new(Some(MIB), Box::new(|| None));
        assert_eq!((unread.measure(0), unread.is_full()), (None, false));
        assert!(!unlimited.is_tight() && !unread.is_tight());
    }

    #[test]
    fn the_recommended_limit_is_for_all_nodes() {
        let budget = Budget::of(256 * MIB, 230 * MIB, 0);
        // 230 MiB for all 1,000 nodes: 460 MiB.
        assert_eq!(budget.recommended(1_000, 0), 512 * MIB);
        // 230 MiB for 500 of 5,000 nodes.
        assert_eq!(budget.recommended(5_000, 4_500), 4_608 * MIB);
        assert_eq!(budget.recommended(0, 0), 512 * MIB);
    }

    #[test]
    fn a_node_is_left_out_until_its_guard_is_dropped() {
        let memory = Arc::new(Memory::new(Some(MIB), Box::new(|| Some(MIB))));
        let guard = memory.leave_out();
        assert_eq!(memory.left_out(), 1);
        drop(guard);
        assert_eq!(memory.left_out(), 0);
    }
}
