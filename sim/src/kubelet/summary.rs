//! `/stats/summary`, whole or with CPU and memory only.

use kubevitals_proto::time::Timestamp;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Serializer, Value, json};

use crate::members::Members;
use crate::world::epoch::Epoch;
use crate::world::hash::{between, hash, unit};
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::sampling::Reading;

const GI: u64 = 1 << 30;
const DISK: u64 = 252 * GI;
const INODES: u64 = 16_777_216;

/// The part of the summary that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    CpuAndMemory,
    Full,
}

/// The source of one page.
struct Page<'a> {
    node: &'a Node,
    state: &'a NodeState,
    epoch: Epoch,
    now: Timestamp,
    extent: Extent,
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
        extent,
        disk_used: (disk_used.min(240.0) * GI as f64) as u64,
    };
    // A kubelet lists pods in the order of a Go map; ours is the order of the slots, which is as good as any.
    let pods = state
        .pods()
        .filter_map(|pod| Some(page.pod(pod, &pod.reading(epoch, now)?)));
    let summary = json!({"node": page.node(), "pods": pods.collect::<Value>()});
    out.reserve(3_000 + state.pods.len() * if extent == Extent::Full { 7_000 } else { 3_300 });
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
        let images = || self.disk(at, self.disk_used / 3, 41_633);
        let processes = 260 + 9 * state.pods.len();
        json!({
            "nodeName": &*node.name,
            "systemContainers": [self.pods_cgroup(&reading)],
            "startTime": node.booted,
            "cpu": cpu(at, Some(usage), reading.cpu),
            "memory": memory(&reading, Some(node.size.memory), 126_749),
            "io": self.full(|| io(at)),
            "network": self.full(|| network(at, node.seed, node.booted, 90_000.0)),
            "fs": self.full(|| self.disk(at, self.disk_used, 534_651)),
            "runtime": self.full(|| json!({"imageFs": images(), "containerFs": images()})),
            "rlimit": self.full(|| json!({"time": self.now, "maxpid": 32_768, "curproc": processes})),
            "swap": swap(at, Some(0)),
        })
        .without_nulls()
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
        json!({
            "name": "pods",
            "startTime": self.node.booted,
            "cpu": cpu(at, Some(usage), of_pods.cpu),
            "memory": memory(&of_pods, Some(self.node.size.memory), 0),
            "io": self.full(|| io(at)),
            "swap": swap(at, None),
        })
        .without_nulls()
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
        let all = &pod.containers;
        let running = || all.iter().filter(|c| c.running_since().is_some());
        // Only when every container has a limit has the pod's cgroup one.
        let limits: Option<u64> = running().map(Container::memory_limit).sum();
        let at = reading.at;
        let written = || pod.containers.iter().map(|c| self.written(c)).sum::<u64>();
        json!({
            "podRef": {"name": &*pod.name, "namespace": &*pod.revision.namespace, "uid": &*pod.uid},
            "startTime": pod.sandbox,
            "containers": containers,
            "cpu": cpu(at, Some(usage), reading.cpu),
            "memory": memory(reading, limits, 0),
            "io": self.full(|| io(at)),
            "network": self.full(|| network(at, pod.seed, pod.sandbox, 4_000.0)),
            "ephemeral-storage": self.full(|| self.disk(self.now, written() + 4_096, 39)),
            "process_stats": self.full(|| json!({"process_count": 1 + running().count()})),
            "swap": swap(at, None),
        })
        .without_nulls()
    }

    fn container(&self, c: &Container, reading: &Reading, nanocores: Option<u64>) -> Value {
        let (at, written) = (reading.at, self.written(c));
        json!({
            "name": c.spec.name,
            "startTime": c.running_since().unwrap_or(at),
            "cpu": cpu(at, nanocores, reading.cpu),
            "memory": memory(reading, c.memory_limit(), 2_922),
            "io": self.full(|| io(at)),
            "rootfs": self.full(|| self.disk(self.now, written / 2, 37)),
            "logs": self.full(|| self.disk(self.now, written - written / 2, 1)),
            "swap": swap(at, c.memory_limit()),
        })
        .without_nulls()
    }

    /// A member that only the whole page has.
    fn full(&self, member: impl FnOnce() -> Value) -> Option<Value> {
        (self.extent == Extent::Full).then(member)
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
            "time": at,
            "availableBytes": DISK.saturating_sub(self.disk_used),
            "capacityBytes": DISK,
            "usedBytes": used,
            "inodesFree": INODES - 534_651,
            "inodes": INODES,
            "inodesUsed": inodes,
        })
    }
}

fn network(at: Timestamp, seed: u64, since: Timestamp, rate: f64) -> Value {
    let seconds = (at.since(since).max(0)) as f64 / 1e9;
    let received = seconds * rate * (0.2 + 1.6 * unit(hash(seed, 73)));
    let sent = received * (0.2 + 1.4 * unit(hash(seed, 74)));
    let (received, sent) = (received as u64, sent as u64);
    json!({
        "time": at,
        "name": "eth0", "rxBytes": received, "rxErrors": 0, "txBytes": sent, "txErrors": 0,
        "interfaces": [{"name": "eth0", "rxBytes": received, "rxErrors": 0, "txBytes": sent, "txErrors": 0}],
    })
}

fn cpu(at: Timestamp, nanocores: Option<u64>, total: u64) -> Value {
    json!({"time": at, "usageNanoCores": nanocores, "usageCoreNanoSeconds": total, "psi": psi()})
        .without_nulls()
}

fn memory(reading: &Reading, limit: Option<u64>, faults: u64) -> Value {
    let memory = reading.memory;
    json!({
        "time": reading.at,
        "availableBytes": limit.map(|limit| limit.saturating_sub(memory)),
        // Usage includes the file cache that can be dropped, resident memory only that of the processes.
        "usageBytes": memory + ((memory / 7) & !0xfff),
        "workingSetBytes": memory,
        "rssBytes": (memory / 10 * 8) & !0xfff,
        "pageFaults": faults,
        "majorPageFaults": 0,
        "psi": psi(),
    })
    .without_nulls()
}

fn swap(at: Timestamp, available: Option<u64>) -> Value {
    json!({"time": at, "swapAvailableBytes": available, "swapUsageBytes": 0}).without_nulls()
}

fn io(at: Timestamp) -> Value {
    json!({"time": at, "psi": psi()})
}

/// All zero, as if the kernel did not measure pressure.
fn psi() -> Value {
    let none = json!({"total": 0, "avg10": 0, "avg60": 0, "avg300": 0});
    json!({"full": none, "some": none})
}
