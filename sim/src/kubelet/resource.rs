//! `/metrics/resource`, the page that is scraped most.
//!
//! It is put together from fixed parts: what does not change of a series (its labels, its start time) is stored with
//! the container, so that only numbers are written.

use kubevitals_proto::time::Timestamp;

use crate::goformat::{bytes, seconds, signed};
use crate::world::epoch::Epoch;
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::reading::Reading;

const CONTAINER_CPU: &str = "# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds\n# TYPE container_cpu_usage_seconds_total counter\n";
const CONTAINER_MEMORY: &str = "# HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes\n# TYPE container_memory_working_set_bytes gauge\n";
const CONTAINER_START: &str = "# HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds\n# TYPE container_start_time_seconds gauge\n";
const SWAP_LIMIT: &str = "# HELP container_swap_limit_bytes [ALPHA] Current amount of the container swap limit in bytes. Reported only on non-windows systems\n# TYPE container_swap_limit_bytes gauge\n";
const SWAP_USAGE: &str = "# HELP container_swap_usage_bytes [ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems\n# TYPE container_swap_usage_bytes gauge\n";
const NODE_CPU: &str = "# HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds\n# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total ";
const NODE_MEMORY: &str = "# HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes\n# TYPE node_memory_working_set_bytes gauge\nnode_memory_working_set_bytes ";
const NODE_SWAP: &str = "# HELP node_swap_usage_bytes [ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems\n# TYPE node_swap_usage_bytes gauge\nnode_swap_usage_bytes 0";
const POD_CPU: &str = "# HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds\n# TYPE pod_cpu_usage_seconds_total counter\n";
const POD_MEMORY: &str = "# HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes\n# TYPE pod_memory_working_set_bytes gauge\n";
const POD_SWAP: &str = "# HELP pod_swap_usage_bytes [ALPHA] Current amount of the pod swap usage in bytes. Reported only on non-windows systems\n# TYPE pod_swap_usage_bytes gauge\n";
const END: &str = "# HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n# HELP scrape_error [ALPHA] 1 if there was an error while getting container metrics, 0 otherwise\n# TYPE scrape_error gauge\nscrape_error 0\n";

/// Writes the page of a node as it is at `now`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    node: &Node,
    state: &NodeState,
    epoch: Epoch,
    now: Timestamp,
) {
    let containers: Vec<(&Container, Reading)> = state
        .by_container
        .iter()
        .filter_map(|(slot, c)| {
            let container = state.pod(*slot)?.containers.get(*c)?;
            Some((container, container.reading(epoch, now)?))
        })
        .collect();
    let pods: Vec<(&Pod, Reading)> = state
        .by_pod
        .iter()
        .filter_map(|slot| {
            let pod = state.pod(*slot)?;
            Some((pod, pod.reading(epoch, now)?))
        })
        .collect();
    out.reserve(2_600 + 900 * containers.len() + 420 * pods.len());
    container_families(out, &containers);
    node_families(out, &node.reading(state, epoch, now));
    pod_families(out, &pods);
    text(out, END);
}

fn container_families(out: &mut Vec<u8>, containers: &[(&Container, Reading)]) {
    if containers.is_empty() {
        return;
    }
    text(out, CONTAINER_CPU);
    for (c, reading) in containers {
        series(out, "container_cpu_usage_seconds_total", &c.labels);
        seconds(out, reading.cpu);
        at(out, reading);
    }
    text(out, CONTAINER_MEMORY);
    for (c, reading) in containers {
        series(out, "container_memory_working_set_bytes", &c.labels);
        bytes(out, reading.memory);
        at(out, reading);
    }
    text(out, CONTAINER_START);
    for (c, _) in containers {
        series(out, "container_start_time_seconds", &c.labels);
        text(out, &c.start_text);
        out.push(b'\n');
    }
    let mut limited = containers
        .iter()
        .filter_map(|(c, reading)| Some((c, reading, c.memory_limit()?)))
        .peekable();
    if limited.peek().is_some() {
        text(out, SWAP_LIMIT);
    }
    for (c, reading, limit) in limited {
        series(out, "container_swap_limit_bytes", &c.labels);
        bytes(out, limit);
        at(out, reading);
    }
    text(out, SWAP_USAGE);
    for (c, reading) in containers {
        series(out, "container_swap_usage_bytes", &c.labels);
        out.push(b'0');
        at(out, reading);
    }
}

fn node_families(out: &mut Vec<u8>, reading: &Reading) {
    text(out, NODE_CPU);
    seconds(out, reading.cpu);
    at(out, reading);
    text(out, NODE_MEMORY);
    bytes(out, reading.memory);
    at(out, reading);
    text(out, NODE_SWAP);
    at(out, reading);
}

fn pod_families(out: &mut Vec<u8>, pods: &[(&Pod, Reading)]) {
    if pods.is_empty() {
        return;
    }
    text(out, POD_CPU);
    for (p, reading) in pods {
        series(out, "pod_cpu_usage_seconds_total", &p.labels);
        seconds(out, reading.cpu);
        at(out, reading);
    }
    text(out, POD_MEMORY);
    for (p, reading) in pods {
        series(out, "pod_memory_working_set_bytes", &p.labels);
        bytes(out, reading.memory);
        at(out, reading);
    }
    text(out, POD_SWAP);
    for (p, reading) in pods {
        series(out, "pod_swap_usage_bytes", &p.labels);
        out.push(b'0');
        at(out, reading);
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn series(out: &mut Vec<u8>, family: &str, labels: &str) {
    text(out, family);
    text(out, labels);
}

/// The timestamp in milliseconds, and the end of the line.
fn at(out: &mut Vec<u8>, reading: &Reading) {
    out.push(b' ');
    signed(out, reading.at.as_millis());
    out.push(b'\n');
}
