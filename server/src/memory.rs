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

use crate::telemetry::Allocator;
use crate::telemetry::metrics::{Registry, collect};

/// The part of the limit that allocations may use, in quarters: the rest is for what the allocator cannot reuse, for
/// stacks, and for the kernel's buffers.
const USABLE_QUARTERS: u64 = 3;

/// The part of the limit that the allocator's resident pages have reached when the server must not grow, in eighths. Then
/// it scrapes no more nodes, and its watches store no more objects.
const FULL_EIGHTHS: u64 = 7;

/// Memory is tight until this part of the limit is left for the history.
const RELAXED_PART: u64 = 16;

/// Above this, a limit in the first version of cgroups means none.
const NO_LIMIT: u64 = 1 << 60;

/// The recommended limit for a cluster, as a multiple of what it needs without history: half as much again for an hour
/// of history, and all of it three quarters of the limit.
const RECOMMENDED: u64 = 2;

/// What a node with thirty pods needs besides their objects: its connection, its series and its usage
/// (docs/benchmarks.md).
const NODE: u64 = 64 << 10;

/// What the object of a pod needs, with what the server derives from it.
const POD: u64 = 1 << 10;

/// Recommended limits are multiples of this.
const ROUND: u64 = 64 << 20;

const MIB: u64 = 1 << 20;

/// The time for which a reading of the allocator counts, in milliseconds: at the start some tens of nodes are scraped in
/// it. A reading takes some ten microseconds.
const READING_AGE: u64 = 10;

/// What the first scrape of a node may take while it lasts: the handshake, buffers, and pages of some hundred kilobytes.
const FIRST_SCRAPE: u64 = 256 << 10;

/// Reads the allocator; none if it does not report anything.
pub type ReadAllocator = Box<dyn Fn() -> Option<Allocator> + Send + Sync>;

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

    /// The memory limit that the cluster needs, if so much of it is left out.
    pub fn recommended(&self, left_out: &LeftOut) -> u64 {
        let nodes = left_out.nodes.saturating_mul(NODE);
        let pods = left_out.pods.saturating_mul(POD);
        self.rest
            .saturating_add(nodes)
            .saturating_add(pods)
            .saturating_mul(RECOMMENDED)
            .div_ceil(ROUND)
            .saturating_mul(ROUND)
    }
}

/// What the server leaves out because the memory limit is near.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Nodes that are not scraped.
    pub nodes: u64,
    /// Pods that are not stored.
    pub pods: u64,
}

/// The bytes that allocations may use.
fn usable(limit: u64) -> u64 {
    limit / 4 * USABLE_QUARTERS
}

/// The memory limit of this process, and how near it is.
pub struct Memory {
    limit: Option<u64>,
    read: ReadAllocator,
    /// The resident bytes at the last reading of the allocator, and its time in milliseconds since `start`.
    resident: AtomicU64,
    read_at: AtomicU64,
    start: Instant,
    is_tight: AtomicBool,
    left_out: AtomicUsize,
    /// The first scrapes of nodes that are under way.
    first_scrapes: AtomicUsize,
    /// The limit that the cluster needs; zero before it is computed.
    recommended: AtomicU64,
}

/// Without a limit.
impl Default for Memory {
    fn default() -> Self {
        Self::new(None, Box::new(|| None))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("limit", &self.limit)
            .field("resident", &self.resident)
            .finish_non_exhaustive()
    }
}

impl Memory {
    /// Memory with this limit, if there is any.
    pub fn new(limit: Option<u64>, read: ReadAllocator) -> Self {
        Self {
            limit,
            read,
            resident: AtomicU64::new(0),
            read_at: AtomicU64::new(0),
            start: Instant::now(),
            is_tight: AtomicBool::new(false),
            left_out: AtomicUsize::new(0),
            first_scrapes: AtomicUsize::new(0),
            recommended: AtomicU64::new(0),
        }
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

    /// Reads the allocator and returns what is left, where the history has `history` bytes. None without a limit.
    pub fn measure(&self, history: u64) -> Option<Budget> {
        let limit = self.limit?;
        let allocated = self.read_now()?.allocated;
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

    /// Whether the limit is so near that the server must not grow. The kernel counts resident pages: those in use and those
    /// that the allocator has not given back yet.
    pub fn is_full(&self) -> bool {
        self.is_full_with(0)
    }

    /// Whether it is so near with this many bytes more.
    fn is_full_with(&self, more: u64) -> bool {
        let Some(limit) = self.limit else {
            return false;
        };
        let now = self.now();
        let age = now.saturating_sub(self.read_at.load(Relaxed));
        if age >= READING_AGE {
            self.read_now();
        }
        self.resident.load(Relaxed).saturating_add(more) >= limit / 8 * FULL_EIGHTHS
    }

    /// The number of nodes that are not scraped because the limit is near.
    pub fn left_out(&self) -> usize {
        self.left_out.load(Relaxed)
    }

    /// Leaves out a node until the guard is dropped.
    pub(crate) fn leave_out(&self) -> Counted<'_> {
        Counted::new(&self.left_out)
    }

    /// Reserves memory for the first scrape of a node, until the guard is dropped. None near the limit. Scrapes that begin
    /// at the same time have allocated nothing yet, so the reservations count too.
    pub(crate) fn reserve_first_scrape(&self) -> Option<Counted<'_>> {
        let reserved = Counted::new(&self.first_scrapes);
        let all = self.first_scrapes.load(Relaxed) as u64 * FIRST_SCRAPE;
        (!self.is_full_with(all)).then_some(reserved)
    }

    /// Sets the limit that the cluster needs.
    pub fn recommend(&self, limit: u64) {
        self.recommended.store(limit, Relaxed);
    }

    /// What to do about the limit.
    pub fn hint(&self) -> String {
        let limit = self.limit.unwrap_or_default() / MIB;
        let raise = format!(
            "raise the memory limit of the container of vitals-server, or --memory-limit, from {limit}Mi"
        );
        match self.recommended.load(Relaxed) / MIB {
            0 => raise,
            recommended => format!("{raise} to {recommended}Mi"),
        }
    }

    fn read_now(&self) -> Option<Allocator> {
        let allocator = (self.read)()?;
        self.resident.store(allocator.resident, Relaxed);
        self.read_at.store(self.now(), Relaxed);
        Some(allocator)
    }

    /// Milliseconds since the start, from [`READING_AGE`] on: nothing was read at zero.
    fn now(&self) -> u64 {
        let elapsed = u64::try_from(self.start.elapsed().as_millis());
        elapsed.unwrap_or(u64::MAX).saturating_add(READING_AGE)
    }
}

/// Counts as one until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
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
pub(crate) mod tests {
    use super::*;

    /// An allocator without a byte that is not allocated.
    pub(crate) fn allocator(allocated: u64) -> Allocator {
        Allocator {
            allocated,
            active: allocated,
            resident: allocated,
            mapped: allocated,
            retained: 0,
        }
    }

    /// Memory with this limit, and the bytes that are allocated.
    pub(crate) fn with_allocated(limit: u64) -> (Memory, Arc<AtomicU64>) {
        let allocated = Arc::new(AtomicU64::new(0));
        let read = Arc::clone(&allocated);
        let read = move || Some(allocator(read.load(Relaxed)));
        (Memory::new(Some(limit), Box::new(read)), allocated)
    }

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
            let read = Box::new(move || Some(allocator(allocated * MIB)));
            let memory = Memory::new(Some(limit * MIB), read);
            let budget = memory.measure(history * MIB).unwrap();
            assert_eq!(budget.history, left * MIB, "{allocated}");
            assert_eq!(budget.rest, (allocated - history) * MIB);
            assert_eq!((memory.is_tight(), memory.is_full()), (tight, full));
        }
    }

    #[test]
    fn memory_is_tight_until_a_sixteenth_is_left() {
        let (memory, allocated) = with_allocated(1024);
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
        let unlimited = Memory::new(None, Box::new(|| Some(allocator(u64::MAX))));
        assert_eq!((unlimited.measure(0), unlimited.is_full()), (None, false));
        let unread = Memory::new(Some(MIB), Box::new(|| None));
        assert_eq!((unread.measure(0), unread.is_full()), (None, false));
        assert!(!unlimited.is_tight() && !unread.is_tight());
    }

    #[test]
    fn the_recommended_limit_is_for_the_whole_cluster() {
        let budget = Budget::of(256 * MIB, 230 * MIB, 0);
        // What is left out, and what the cluster needs in all, in MiB.
        for (nodes, pods, recommended) in [
            (0, 0, 512),
            // 281 MiB more.
            (4_500, 0, 1_024),
            // 98 MiB more.
            (0, 100_000, 704),
            (4_500, 100_000, 1_280),
        ] {
            let left_out = LeftOut { nodes, pods };
            assert_eq!(
                budget.recommended(&left_out),
                recommended * MIB,
                "{left_out:?}"
            );
        }
        let all = LeftOut {
            nodes: u64::MAX,
            pods: u64::MAX,
        };
        assert!(budget.recommended(&all) > 1 << 60);
    }

    #[test]
    fn the_hint_names_the_limit_and_the_one_to_set() {
        let memory = Memory::new(Some(64 * MIB), Box::new(|| None));
        let raise = "raise the memory limit of the container of vitals-server, or --memory-limit, from 64Mi";
        assert_eq!(memory.hint(), raise);
        memory.recommend(256 * MIB);
        assert_eq!(memory.hint(), format!("{raise} to 256Mi"));
    }

    #[test]
    fn first_scrapes_at_the_same_time_fit_the_limit() {
        // Seven eighths of 8 MiB leave 1 MiB: three reservations are below.
        let memory = Memory::new(Some(8 * MIB), Box::new(|| Some(allocator(6 * MIB))));
        let reserve = || memory.reserve_first_scrape();
        let mut reserved: Vec<_> = (0..5).map(|_| reserve()).collect();
        let fits: Vec<bool> = reserved.iter().map(Option::is_some).collect();
        assert_eq!(fits, [true, true, true, false, false]);
        assert!(!memory.is_full());
        reserved.pop();
        reserved.remove(0);
        assert!(reserve().is_some());
        assert!(Memory::default().reserve_first_scrape().is_some());
    }

    #[test]
    fn a_node_is_left_out_until_its_guard_is_dropped() {
        let memory = Arc::new(Memory::new(Some(MIB), Box::new(|| Some(allocator(MIB)))));
        let guard = memory.leave_out();
        assert_eq!(memory.left_out(), 1);
        drop(guard);
        assert_eq!(memory.left_out(), 0);
    }
}
