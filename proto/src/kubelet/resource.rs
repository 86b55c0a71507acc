//! `/metrics/resource`: what the node and each container used.

use super::exposition::{Scanner, parse_sample};
use crate::time::Timestamp;
use std::collections::HashMap;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerKey<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// The pod's name.
    pub pod: &'a str,
    /// The container's name within the pod.
    pub container: &'a str,
}

/// All that a scrape of `/metrics/resource` tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResourceScrape<'a> {
    /// The node's own readings; it has no start time.
    pub node: Reading,
    /// Each container once, sorted by [`ContainerKey`].
    pub containers: Vec<(ContainerKey<'a>, Reading)>,
    /// The kubelet could not collect: `resource_scrape_error` (once `scrape_error`) was not zero.
    pub scrape_error: bool,
    /// How many lines were not of the format, or had a value no reading can have.
    pub skipped_lines: u32,
    /// The first of those lines, for the log.
    pub first_bad_line: Option<&'a [u8]>,
    /// How many lines gave a reading.
    pub series: u32,
    /// The body held more containers than [`DecodeLimits::max_series`]; the rest is not here.
    pub truncated: bool,
}

/// What bounds the memory one scrape may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most containers taken from one body.
    pub max_series: u32,
}

impl Default for DecodeLimits {
    /// Ten thousand containers, twenty times what a node may hold.
    fn default() -> Self {
        Self { max_series: 10_000 }
    }
}

impl ResourceScrape<'_> {
    /// An empty scrape of another body that keeps the memory of this one.
    #[must_use]
    pub fn recycle<'b>(self) -> ResourceScrape<'b> {
        let mut containers = self.containers;
        containers.clear();
        // Collecting an emptied vector into one of the same layout reuses its allocation.
        let containers = containers.into_iter().filter_map(|_| None).collect();
        ResourceScrape {
            containers,
            ..ResourceScrape::default()
        }
    }
}

/// Decodes `body` with the default [`DecodeLimits`], replacing what was in `into` and keeping its
/// memory.
pub fn decode<'a>(body: &'a [u8], into: &mut ResourceScrape<'a>) {
    decode_limited(body, DecodeLimits::default(), into);
}

/// As [`decode`], within `limits`.
pub fn decode_limited<'a>(body: &'a [u8], limits: DecodeLimits, into: &mut ResourceScrape<'a>) {
    let mut containers = std::mem::take(&mut into.containers);
    containers.clear();
    *into = ResourceScrape {
        containers,
        ..ResourceScrape::default()
    };
    let mut index: HashMap<ContainerKey<'a>, usize> = HashMap::new();
    let mut lines = Scanner::new(body);
    while let Some(line) = lines.next_line() {
        let line = line.trim_ascii();
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        if take_line(line, limits, &mut index, into).is_none() {
            into.skipped_lines += 1;
            into.first_bad_line.get_or_insert(line);
        }
    }
    into.containers.sort_unstable_by_key(|(key, _)| *key);
}

fn take_line<'a>(
    line: &'a [u8],
    limits: DecodeLimits,
    index: &mut HashMap<ContainerKey<'a>, usize>,
    into: &mut ResourceScrape<'a>,
) -> Option<()> {
    let sample = parse_sample(line)?;
    let (value, at) = (sample.value, sample.timestamp_ms);
    let at = match at {
        Some(ms) if ms < 0 => return None,
        Some(ms) => Some(Timestamp(ms.checked_mul(1_000_000)?)),
        None => None,
    };
    let nanos = || {
        (0.0..1.8e10)
            .contains(&value)
            .then_some((value * 1e9) as u64)
    };
    let bytes = || (0.0..9.2e18).contains(&value).then_some(value as u64);
    match sample.name {
        b"node_cpu_usage_seconds_total" => (into.node.cpu_ns, into.node.at) = (Some(nanos()?), at),
        b"node_memory_working_set_bytes" => (into.node.memory, into.node.at) = (Some(bytes()?), at),
        b"node_swap_usage_bytes" => into.node.swap = Some(bytes()?),
        b"resource_scrape_error" | b"scrape_error" => into.scrape_error |= value != 0.0,
        b"container_cpu_usage_seconds_total"
        | b"container_memory_working_set_bytes"
        | b"container_start_time_seconds"
        | b"container_swap_usage_bytes" => {
            let mut key = ContainerKey {
                namespace: "",
                pod: "",
                container: "",
            };
            for (name, value) in sample.labels.iter_raw() {
                let value = std::str::from_utf8(value).ok()?;
                match name {
                    b"namespace" => key.namespace = value,
                    b"pod" => key.pod = value,
                    b"container" => key.container = value,
                    _ => {}
                }
            }
            let next = into.containers.len();
            if !index.contains_key(&key) {
                if next >= limits.max_series as usize {
                    into.truncated = true;
                    return Some(());
                }
                into.containers.push((key, Reading::default()));
            }
            let at_index = *index.entry(key).or_insert(next);
            let (_, reading) = into.containers.get_mut(at_index)?;
            match sample.name {
                b"container_cpu_usage_seconds_total" => {
                    (reading.cpu_ns, reading.at) = (Some(nanos()?), at)
                }
                b"container_memory_working_set_bytes" => {
                    (reading.memory, reading.at) = (Some(bytes()?), at)
                }
                b"container_swap_usage_bytes" => reading.swap = Some(bytes()?),
                _ => {
                    reading.start = Some(
                        (0.0..9.2e9)
                            .contains(&value)
                            .then_some((value * 1e9) as i64)?,
                    )
                }
            }
        }
        _ => return Some(()),
    }
    into.series += 1;
    Some(())
}
