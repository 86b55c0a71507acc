//! The result of decoding one page, and the limits of decoding.

use super::duplicates::Duplicate;
use super::reading::{ContainerKey, Reading};

/// The content of one page `/metrics/resource`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceScrape<'a> {
    /// The node's own readings; it has no start time.
    pub node: Reading,
    /// Each container once, sorted by [`ContainerKey`].
    pub containers: Vec<(ContainerKey<'a>, Reading)>,
    /// Swap in use by pods as a whole, in bytes, of those that have any: namespace, name, bytes. Sorted by namespace and
    /// name; of repeated lines the last one that is not zero counts.
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
    /// The number of skipped lines: malformed, or with an impossible value or name.
    pub skipped_lines: u32,
    /// The first of those lines, for the log.
    pub first_bad_line: Option<&'a [u8]>,
    /// The number of lines with a reading.
    pub series: u32,
    /// Whether the body had more containers than [`DecodeLimits::max_series`]. The rest is dropped.
    pub truncated: bool,
}

/// The limits of the memory of one scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The maximum number of containers of one body.
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
