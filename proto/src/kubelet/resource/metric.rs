//! The metrics of `/metrics/resource` that are used, and the container of a sample.

use super::reading::{ContainerKey, Reading};
use crate::exposition::lines::Sample;
use crate::kubelet::names::may_be_pod;
use crate::time::Timestamp;

/// Nanoseconds in a second, as the peer multiplies.
const NANOS: f64 = 1e9;
/// The first double past `u64`.
const U64_END: f64 = 18_446_744_073_709_551_616.0;
/// The first double past `i64`.
const I64_END: f64 = 9_223_372_036_854_775_808.0;

/// The swap of a pod as a whole.
pub(super) const POD_SWAP: &[u8] = b"pod_swap_usage_bytes";

/// The field that a metric sets, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    Node(Field),
    Container(Field),
    PodSwap,
    ScrapeError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Cpu,
    Memory,
    Start,
    Swap,
}

impl Metric {
    pub(super) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"container_cpu_usage_seconds_total" => Self::Container(Field::Cpu),
            b"container_memory_working_set_bytes" => Self::Container(Field::Memory),
            b"container_start_time_seconds" => Self::Container(Field::Start),
            b"container_swap_usage_bytes" => Self::Container(Field::Swap),
            b"node_cpu_usage_seconds_total" => Self::Node(Field::Cpu),
            b"node_memory_working_set_bytes" => Self::Node(Field::Memory),
            b"node_swap_usage_bytes" => Self::Node(Field::Swap),
            POD_SWAP => Self::PodSwap,
            b"resource_scrape_error" | b"scrape_error" => Self::ScrapeError,
            _ => return None,
        })
    }
}

impl Reading {
    /// Sets `field`, and returns whether it had been set before; `None`, and nothing set, if a
    /// reading cannot have this value or timestamp.
    #[inline]
    pub(super) fn set(
        &mut self,
        field: Field,
        value: f64,
        timestamp_ms: Option<i64>,
    ) -> Option<bool> {
        let at = match timestamp_ms {
            // Not even Go's parser takes a time before 1970.
            Some(..0) => return None,
            Some(millis) => Some(Timestamp(millis.checked_mul(1_000_000)?)),
            None => None,
        };
        let within = |value: f64, end: f64| (0.0..end).contains(&value).then_some(value);
        Some(match field {
            Field::Cpu => {
                let cpu_ns = within(value * NANOS, U64_END)? as u64;
                self.at = at;
                self.cpu_ns.replace(cpu_ns).is_some()
            }
            Field::Memory => {
                let memory = within(value, U64_END)? as u64;
                self.at = at;
                self.memory.replace(memory).is_some()
            }
            Field::Start => {
                let start = within(value * NANOS, I64_END)? as i64;
                self.start.replace(start).is_some()
            }
            Field::Swap => self.swap.replace(within(value, U64_END)? as u64).is_some(),
        })
    }
}

/// The namespace and name of the pod a sample is of, under the rules of [`key`].
pub(super) fn pod<'a>(sample: &Sample<'a>) -> Option<(&'a str, &'a str)> {
    let key = labels(sample)?;
    may_be_pod(key.namespace, key.pod).then_some((key.namespace, key.pod))
}

/// The container a sample is of. No name of Kubernetes needs an escape, so one with a backslash is
/// none; nor is an empty one, or one that is too long.
pub(super) fn key<'a>(sample: &Sample<'a>) -> Option<ContainerKey<'a>> {
    labels(sample).filter(ContainerKey::is_possible)
}

/// The names among a sample's labels; empty where there is none.
fn labels<'a>(sample: &Sample<'a>) -> Option<ContainerKey<'a>> {
    let mut key = ContainerKey::default();
    for (name, value) in sample.labels.iter_raw() {
        let part = match name {
            b"namespace" => &mut key.namespace,
            b"pod" => &mut key.pod,
            b"container" => &mut key.container,
            _ => continue,
        };
        *part = std::str::from_utf8(value)
            .ok()
            .filter(|name| !name.contains('\\'))?;
    }
    Some(key)
}
