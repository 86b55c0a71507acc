//! `/metrics/resource`: what the node and each container used.

mod containers;
mod decode;
mod duplicates;
mod metric;

pub use decode::{decode, decode_limited};
pub use duplicates::Duplicate;

use super::names::{may_be_container, may_be_pod};
use crate::time::Timestamp;

/// The readings of one container, or of the node, in one scrape; `None` where the line was absent.
///
/// Values are converted as metrics-server converts them: through a double, then truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// CPU time consumed since the start, in nanoseconds.
    pub cpu_ns: Option<u64>,
    /// Working set in bytes.
    pub memory: Option<u64>,
    /// When the container started, in nanoseconds since the Unix epoch.
    pub start: Option<i64>,
    /// Swap in use, in bytes.
    pub swap: Option<u64>,
    /// When the kubelet measured: the timestamp of the CPU or memory line that came last; `None`
    /// if that line carried none.
    pub at: Option<Timestamp>,
}

/// Which container, by the names of the Kubernetes objects. Ordered by namespace, pod, container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContainerKey<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub pod: &'a str,
    /// The container's name within the pod.
    pub container: &'a str,
}

impl ContainerKey<'_> {
    /// Whether Kubernetes allows these names: none is empty or too long.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        may_be_pod(self.namespace, self.pod) && may_be_container(self.container)
    }
}

/// All that a scrape of `/metrics/resource` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceScrape<'a> {
    /// The node's own readings; it has no start time.
    pub node: Reading,
    /// Each container once, sorted by [`ContainerKey`].
    pub containers: Vec<(ContainerKey<'a>, Reading)>,
    /// Swap in use by pods as a whole, in bytes, of those that have any: namespace, name, bytes. Sorted by namespace and
    /// name; of lines for the same pod the last one that is not zero holds.
    pub pod_swap: Vec<(&'a str, &'a str, u64)>,
    /// The kubelet could not collect: `resource_scrape_error` (once `scrape_error`) was not zero.
    pub scrape_error: bool,
    /// Series that appear more than once with different values: the node's own first, then by
    /// [`ContainerKey`]. The reading above is then whatever came last.
    pub duplicates: Vec<Duplicate<'a>>,
    /// Containers of which a line was there whose value or time no reading can have, sorted. One
    /// all of whose lines are like that is here alone.
    pub flawed: Vec<ContainerKey<'a>>,
    /// Whether the node had such a line.
    pub node_flawed: bool,
    /// How many lines were not of the format, or had a value no reading or a name no object can have.
    pub skipped_lines: u32,
    /// The first of those lines, for the log.
    pub first_bad_line: Option<&'a [u8]>,
    /// How many lines gave a reading.
    pub series: u32,
    /// The body held more containers than [`DecodeLimits::max_series`]: those past it are not here.
    pub truncated: bool,
}

/// What bounds the memory one scrape may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most containers taken from one body.
    pub max_series: u32,
}

impl DecodeLimits {
    /// The most containers taken from one body by default: twenty times what a node may hold.
    pub const MAX_SERIES: u32 = 10_000;
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            max_series: Self::MAX_SERIES,
        }
    }
}

impl ResourceScrape<'_> {
    /// Swap in use by a pod as a whole, in bytes; zero if the kubelet reports none.
    #[must_use]
    pub fn swap_of(&self, namespace: &str, pod: &str) -> u64 {
        let end = self
            .pod_swap
            .partition_point(|(of, name, _)| (*of, *name) <= (namespace, pod));
        end.checked_sub(1)
            .and_then(|last| self.pod_swap.get(last))
            .filter(|(of, name, _)| (*of, *name) == (namespace, pod))
            .map_or(0, |(_, _, bytes)| *bytes)
    }
}
