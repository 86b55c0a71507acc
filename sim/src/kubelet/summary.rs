//! `/stats/summary`, whole or with CPU and memory only.

use kubevitals_proto::time::Timestamp;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Serializer, Value, json};

use crate::world::epoch::Epoch;
use crate::world::hash::{between, hash, unit};
use crate::world::json::put;
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::reading::Reading;

const GI: u64 = 1 << 30;
const DISK: u64 = 252 * GI;
const INODES: u64 = 16_777_216;

/// Which part of the summary a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    CpuAndMemory,
    Full,
}

/// What one page is about.
struct Page<'a> {
    node: &'a Node,
    state: &'a NodeState,
    epoch: Epoch,
    now: Timestamp,
    full: bool,
    /// Bytes in use on the node's disk.
    disk_used: u64,
}

/// Writes the page of a node as it is at `now`.
pub(crate) fn write(
    out: &mut Vec<u8>,
    node: &Node,
    state: &NodeState,
    epoch: Epoch,
    now: Timestamp,
    extent: Extent,
) {
    let days = now.since(node.booted) as f64 / 86_400e9;
    let disk_used = between(hash(node.seed, 71), 18.0, 60.0) + days * 0.3;
    let page = Page {
        node,
        state,
        epoch,
        now,
        full: extent == Extent::Full,
        disk_used: (disk_used.min(240.0) * GI as f64) as u64,
    };
    // A kubelet lists pods in the order of a Go map; ours is the order of the slots, which is as good as any.
    let pods = state
        .pods()
        .filter_map(|pod| Some(page.pod(pod, &pod.reading(epoch, now)?)));
    let summary = json!({"node": page.node(), "pods": pods.collect::<Value>()});
    out.reserve(3_000 + state.pods.len() * if page.full { 7_000 } else { 3_300 });
    // As `json.MarshalIndent` with one space a level. A Vec takes every byte, so writing cannot fail.
    let indent = PrettyFormatter::with_indent(b" ");
    let _ = summary.serialize(&mut Serializer::with_formatter(out, indent));
}

impl Page<'_> {
    fn node(&self) -> Value {
        let (node, state) = (self.node, self.state);
        let reading = node.reading(state, self.epoch, self.now);
        let at = reading.at;
        let usage = node.usage_nanocores(state, self.epoch, &reading);
        let mut json = json!({
            "nodeName": node.name,
            "systemContainers": [self.pods_cgroup(&reading)],
            "startTime": time(node.booted),
            "cpu": cpu(at, Some(usage), reading.cpu),
            "memory": memory(&reading, Some(node.size.memory), 126_749),
        });
        if self.full {
            let images = self.disk_used / 3;
            put(&mut json, "io", io(at));
            put(
                &mut json,
                "network",
                network(at, node.seed, node.booted, 90_000.0),
            );
            put(&mut json, "fs", self.disk(at, self.disk_used, 534_651));
            let runtime = json!({
                "imageFs": self.disk(at, images, 41_633),
                "containerFs": self.disk(at, images, 41_633),
            });
            put(&mut json, "runtime", runtime);
            let processes = 260 + 9 * state.pods.len();
            let rlimit = json!({"time": time(self.now), "maxpid": 32_768, "curproc": processes});
            put(&mut json, "rlimit", rlimit);
        }
        put(&mut json, "swap", swap(at, Some(0)));
        json
    }

    /// The cgroup that all pods are in.
    fn pods_cgroup(&self, node: &Reading) -> Value {
        let at = node.at;
        let running = || self.state.running();
        let of_pods = Reading {
            at,
            cpu: self.node.pods_cpu_at(self.state, self.epoch, at),
            memory: running().map(|p| p.memory_at(self.epoch, at)).sum(),
        };
        let usage: u64 = running()
            .flat_map(|p| &p.containers)
            .filter_map(|c| c.usage_nanocores(self.epoch, &c.reading(self.epoch, self.now)?))
            .sum();
        let mut json = json!({
            "name": "pods",
            "startTime": time(self.node.booted),
            "cpu": cpu(at, Some(usage), of_pods.cpu),
            "memory": memory(&of_pods, Some(self.node.size.memory), 0),
        });
        if self.full {
            put(&mut json, "io", io(at));
        }
        put(&mut json, "swap", swap(at, None));
        json
    }

    fn pod(&self, pod: &Pod, reading: &Reading) -> Value {
        let mut usage = 0;
        let containers = pod.containers.iter().filter_map(|c| {
            let reading = c.reading(self.epoch, self.now)?;
            let nanocores = c.usage_nanocores(self.epoch, &reading);
            usage += nanocores.unwrap_or(0);
            Some(self.container(c, &reading, nanocores))
        });
        let containers: Value = containers.collect();
        let running = || {
            pod.containers
                .iter()
                .filter(|c| c.running_since().is_some())
        };
        // Only when every container has a limit has the pod's cgroup one.
        let limits: Option<u64> = running().map(Container::memory_limit).sum();
        let mut json = json!({
            "podRef": {"name": &*pod.name, "namespace": &*pod.revision.namespace, "uid": &*pod.uid},
            "startTime": time(pod.sandbox),
            "containers": containers,
            "cpu": cpu(reading.at, Some(usage), reading.cpu),
            "memory": memory(reading, limits, 0),
        });
        if self.full {
            let written: u64 = pod.containers.iter().map(|c| self.written(c)).sum();
            let network = network(reading.at, pod.seed, pod.sandbox, 4_000.0);
            put(&mut json, "io", io(reading.at));
            put(&mut json, "network", network);
            put(
                &mut json,
                "ephemeral-storage",
                self.disk(self.now, written + 4_096, 39),
            );
            put(
                &mut json,
                "process_stats",
                json!({"process_count": 1 + running().count()}),
            );
        }
        put(&mut json, "swap", swap(reading.at, None));
        json
    }

    fn container(&self, c: &Container, reading: &Reading, nanocores: Option<u64>) -> Value {
        let mut json = json!({
            "name": c.spec.name,
            "startTime": time(c.running_since().unwrap_or(reading.at)),
            "cpu": cpu(reading.at, nanocores, reading.cpu),
            "memory": memory(reading, c.memory_limit(), 2_922),
        });
        if self.full {
            let written = self.written(c);
            put(&mut json, "io", io(reading.at));
            put(&mut json, "rootfs", self.disk(self.now, written / 2, 37));
            put(
                &mut json,
                "logs",
                self.disk(self.now, written - written / 2, 1),
            );
        }
        put(&mut json, "swap", swap(reading.at, c.memory_limit()));
        json
    }

    /// Bytes a container has written to its own layer and its log.
    fn written(&self, c: &Container) -> u64 {
        let Some(since) = c.running_since() else {
            return 0;
        };
        let hours = (self.now.since(since) as f64 / 3_600e9).min(240.0);
        let rate = between(hash(c.seed, 72), 10e3, 900e3) * (c.spec.profile.cpu / 4e7).min(1.0);
        (2_019_328.0 + hours * rate) as u64 & !0xfff
    }

    fn disk(&self, at: Timestamp, used: u64, inodes: u64) -> Value {
        json!({
            "time": time(at),
            "availableBytes": DISK.saturating_sub(self.disk_used),
            "capacityBytes": DISK,
            "usedBytes": used,
            "inodesFree": INODES - 534_651,
            "inodes": INODES,
            "inodesUsed": inodes,
        })
    }
}

fn time(at: Timestamp) -> Value {
    at.to_rfc3339_seconds().into()
}

fn network(at: Timestamp, seed: u64, since: Timestamp, rate: f64) -> Value {
    let seconds = (at.since(since).max(0)) as f64 / 1e9;
    let received = seconds * rate * (0.2 + 1.6 * unit(hash(seed, 73)));
    let sent = received * (0.2 + 1.4 * unit(hash(seed, 74)));
    let (received, sent) = (received as u64, sent as u64);
    json!({
        "time": time(at),
        "name": "eth0", "rxBytes": received, "rxErrors": 0, "txBytes": sent, "txErrors": 0,
        "interfaces": [{"name": "eth0", "rxBytes": received, "rxErrors": 0, "txBytes": sent, "txErrors": 0}],
    })
}

fn cpu(at: Timestamp, nanocores: Option<u64>, total: u64) -> Value {
    let mut json = json!({"time": time(at)});
    if let Some(nanocores) = nanocores {
        put(&mut json, "usageNanoCores", nanocores);
    }
    put(&mut json, "usageCoreNanoSeconds", total);
    put(&mut json, "psi", psi());
    json
}

fn memory(reading: &Reading, limit: Option<u64>, faults: u64) -> Value {
    let mut json = json!({"time": time(reading.at)});
    if let Some(limit) = limit {
        let available = limit.saturating_sub(reading.memory);
        put(&mut json, "availableBytes", available);
    }
    // Usage counts the file cache that can be dropped too, resident memory what is the processes' own.
    let usage = reading.memory + ((reading.memory / 7) & !0xfff);
    put(&mut json, "usageBytes", usage);
    put(&mut json, "workingSetBytes", reading.memory);
    put(&mut json, "rssBytes", (reading.memory / 10 * 8) & !0xfff);
    put(&mut json, "pageFaults", faults);
    put(&mut json, "majorPageFaults", 0);
    put(&mut json, "psi", psi());
    json
}

fn swap(at: Timestamp, available: Option<u64>) -> Value {
    let mut json = json!({"time": time(at)});
    if let Some(available) = available {
        put(&mut json, "swapAvailableBytes", available);
    }
    put(&mut json, "swapUsageBytes", 0);
    json
}

fn io(at: Timestamp) -> Value {
    json!({"time": time(at), "psi": psi()})
}

/// All zero, as where the kernel does not measure pressure.
fn psi() -> Value {
    let none = json!({"total": 0, "avg10": 0, "avg60": 0, "avg300": 0});
    json!({"full": none, "some": none})
}
