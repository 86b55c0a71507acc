//! `/metrics/resource`, the page that is scraped most. The labels of a series are stored with its container or pod, so
//! that only numbers are formatted.

use std::io::Write;
use std::iter::once;

use kubevitals_proto::time::Timestamp;

use crate::goformat::float;
use crate::world::epoch::Epoch;
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::sampling::Reading;

const CONTAINER_CPU: &str = "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds\n# TYPE container_cpu_usage_seconds_total counter\n";
const CONTAINER_MEMORY: &str = "# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes\n# TYPE container_memory_working_set_bytes gauge\n";
const CONTAINER_START: &str = "# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds\n# TYPE container_start_time_seconds gauge\n";
const SWAP_LIMIT: &str = "# HELP container_swap_limit_bytes [ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems\n# TYPE container_swap_limit_bytes gauge\n";
const SWAP_USAGE: &str = "# HELP container_swap_usage_bytes [ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems\n# TYPE container_swap_usage_bytes gauge\n";
const NODE_CPU: &str = "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\n";
const NODE_MEMORY: &str = "# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes\n# TYPE node_memory_working_set_bytes gauge\n";
const NODE_SWAP: &str = "# HELP node_swap_usage_bytes [ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems\n# TYPE node_swap_usage_bytes gauge\n";
const POD_CPU: &str = "# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds\n# TYPE pod_cpu_usage_seconds_total counter\n";
const POD_MEMORY: &str = "# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes\n# TYPE pod_memory_working_set_bytes gauge\n";
const POD_SWAP: &str = "# HELP pod_swap_usage_bytes [ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems\n# TYPE pod_swap_usage_bytes gauge\n";
const RESOURCE_ERROR: &str = "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE resource_scrape_error gauge\n";
const ERROR: &str = "# HELP scrape_error [ALPHA] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE scrape_error gauge\n";

/// One line of the page: labels, value, and the time of the reading.
type Sample<'a> = (&'a str, f64, Option<Timestamp>);

/// Writes the page of a node as it is at `now`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    node: &Node,
    state: &NodeState,
    epoch: Epoch,
    now: Timestamp,
) {
    let containers = state.by_container.iter().filter_map(|(slot, c)| {
        let container = state.pod(*slot)?.containers.get(*c)?;
        Some((container, container.reading(epoch, now)?))
    });
    let containers: Vec<(&Container, Reading)> = containers.collect();
    let pods = state.by_pod.iter().filter_map(|slot| {
        let pod = state.pod(*slot)?;
        Some((pod, pod.reading(epoch, now)?))
    });
    let pods: Vec<(&Pod, Reading)> = pods.collect();
    let node = node.reading(state, epoch, now);
    out.reserve(2_600 + 900 * containers.len() + 420 * pods.len());

    let by_container = |value: fn(&Reading) -> f64| {
        let containers = containers.iter();
        containers.map(move |(c, reading)| (&*c.labels, value(reading), Some(reading.at)))
    };
    let by_pod = |value: fn(&Reading) -> f64| {
        let pods = pods.iter();
        pods.map(move |(p, reading)| (&*p.labels, value(reading), Some(reading.at)))
    };
    let of_node = |value: fn(&Reading) -> f64| once((" ", value(&node), Some(node.at)));
    let starts = containers.iter().filter_map(|(c, _)| {
        let started = c.running_since()?.as_nanos() as f64 / 1e9;
        Some((&*c.labels, started, None))
    });
    let limits = containers.iter().filter_map(|(c, reading)| {
        let limit = c.memory_limit()? as f64;
        Some((&*c.labels, limit, Some(reading.at)))
    });
    family(out, CONTAINER_CPU, by_container(cpu));
    family(out, CONTAINER_MEMORY, by_container(memory));
    family(out, CONTAINER_START, starts);
    family(out, SWAP_LIMIT, limits);
    family(out, SWAP_USAGE, by_container(swap));
    family(out, NODE_CPU, of_node(cpu));
    family(out, NODE_MEMORY, of_node(memory));
    family(out, NODE_SWAP, of_node(swap));
    family(out, POD_CPU, by_pod(cpu));
    family(out, POD_MEMORY, by_pod(memory));
    family(out, POD_SWAP, by_pod(swap));
    family(out, RESOURCE_ERROR, once((" ", 0.0, None)));
    family(out, ERROR, once((" ", 0.0, None)));
}

fn cpu(reading: &Reading) -> f64 {
    reading.cpu as f64 / 1e9
}

fn memory(reading: &Reading) -> f64 {
    reading.memory as f64
}

/// Nothing on a simulated node swaps.
fn swap(_reading: &Reading) -> f64 {
    0.0
}

/// Writes a family with its head, if it has samples. A Vec takes every byte, so writing cannot fail.
fn family<'a>(out: &mut Vec<u8>, head: &str, samples: impl Iterator<Item = Sample<'a>>) {
    let name = head.split(' ').nth(2).unwrap_or_default();
    let mut samples = samples.peekable();
    if samples.peek().is_some() {
        out.extend_from_slice(head.as_bytes());
    }
    for (labels, value, at) in samples {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(labels.as_bytes());
        float(out, value);
        if let Some(at) = at {
            let _ = write!(out, " {}", at.as_millis());
        }
        out.push(b'\n');
    }
}
