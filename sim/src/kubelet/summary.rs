//! `/stats/summary`, whole or with CPU and memory only.

use kubevitals_proto::time::Timestamp;

use super::indented::Indented;
use crate::world::epoch::Epoch;
use crate::world::hash::{between, hash, unit};
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::reading::Reading;

const GI: u64 = 1 << 30;
const DISK: u64 = 252 * GI;
const INODES: u64 = 16_777_216;

/// How much is asked for.
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
    out.reserve(3_000 + state.pods.len() * if page.full { 7_000 } else { 3_300 });
    let mut json = Indented::object(out);
    json.member("node", |j| page.node(j));
    json.array("pods", |j| {
        // A kubelet lists pods in the order of a Go map; ours is the order of the slots, which is as good as any.
        for pod in page.state.pods() {
            if let Some(reading) = pod.reading(epoch, now) {
                j.element(|j| page.pod(j, pod, &reading));
            }
        }
    });
    json.finish();
}

impl Page<'_> {
    fn node(&self, j: &mut Indented<'_>) {
        let (node, state) = (self.node, self.state);
        let reading = node.reading(state, self.epoch, self.now);
        let capacity = node.size.memory;
        j.string("nodeName", &node.name);
        j.array("systemContainers", |j| {
            j.element(|j| self.pods_cgroup(j, &reading));
        });
        j.time("startTime", node.booted);
        let usage = node.usage_nanocores(state, self.epoch, &reading);
        cpu(j, reading.at, Some(usage), reading.cpu);
        memory(j, &reading, Some(capacity), 126_749);
        if self.full {
            io(j, reading.at);
            j.member("network", |j| {
                self.network(j, reading.at, node.seed, node.booted, 90_000.0);
            });
            let fs_at = reading.at;
            j.member("fs", |j| self.disk(j, fs_at, self.disk_used, 534_651));
            j.member("runtime", |j| {
                let images = self.disk_used / 3;
                j.member("imageFs", |j| self.disk(j, fs_at, images, 41_633));
                j.member("containerFs", |j| self.disk(j, fs_at, images, 41_633));
            });
            j.member("rlimit", |j| {
                j.time("time", self.now);
                j.number("maxpid", 32_768);
                j.number("curproc", 260 + 9 * state.pods.len() as u64);
            });
        }
        swap(j, reading.at, Some(0));
    }

    /// The cgroup that all pods are in.
    fn pods_cgroup(&self, j: &mut Indented<'_>, node: &Reading) {
        let at = node.at;
        let of_pods = Reading {
            at,
            cpu: self.node.pods_cpu_at(self.state, self.epoch, at),
            memory: self
                .state
                .running()
                .map(|p| p.memory_at(self.epoch, at))
                .sum(),
        };
        j.string("name", "pods");
        j.time("startTime", self.node.booted);
        let usage: u64 = self
            .state
            .running()
            .flat_map(|p| &p.containers)
            .filter_map(|c| c.usage_nanocores(self.epoch, &c.reading(self.epoch, self.now)?))
            .sum();
        cpu(j, at, Some(usage), of_pods.cpu);
        memory(j, &of_pods, Some(self.node.size.memory), 0);
        if self.full {
            io(j, at);
        }
        swap(j, at, None);
    }

    fn pod(&self, j: &mut Indented<'_>, pod: &Pod, reading: &Reading) {
        j.member("podRef", |j| {
            j.string("name", &pod.name);
            j.string("namespace", &pod.revision.namespace);
            j.string("uid", &pod.uid);
        });
        j.time("startTime", pod.sandbox);
        let mut usage = 0;
        j.array("containers", |j| {
            for c in &pod.containers {
                if let Some(reading) = c.reading(self.epoch, self.now) {
                    let nanocores = c.usage_nanocores(self.epoch, &reading);
                    usage += nanocores.unwrap_or(0);
                    j.element(|j| self.container(j, c, &reading, nanocores));
                }
            }
        });
        cpu(j, reading.at, Some(usage), reading.cpu);
        // Only when every container has a limit has the pod's cgroup one.
        let limits: Option<u64> = pod
            .containers
            .iter()
            .filter(|c| c.running_since().is_some())
            .map(Container::memory_limit)
            .sum();
        memory(j, reading, limits, 0);
        if self.full {
            io(j, reading.at);
            j.member("network", |j| {
                self.network(j, reading.at, pod.seed, pod.sandbox, 4_000.0);
            });
            let written: u64 = pod.containers.iter().map(|c| self.written(c)).sum();
            j.member("ephemeral-storage", |j| {
                self.disk(j, self.now, written + 4_096, 39);
            });
            j.member("process_stats", |j| {
                let processes = pod
                    .containers
                    .iter()
                    .filter(|c| c.running_since().is_some());
                j.number("process_count", 1 + processes.count() as u64);
            });
        }
        swap(j, reading.at, None);
    }

    fn container(
        &self,
        j: &mut Indented<'_>,
        c: &Container,
        reading: &Reading,
        nanocores: Option<u64>,
    ) {
        j.string("name", c.spec.name);
        j.time("startTime", c.running_since().unwrap_or(reading.at));
        cpu(j, reading.at, nanocores, reading.cpu);
        memory(j, reading, c.memory_limit(), 2_922);
        if self.full {
            io(j, reading.at);
            let written = self.written(c);
            j.member("rootfs", |j| self.disk(j, self.now, written / 2, 37));
            j.member("logs", |j| self.disk(j, self.now, written - written / 2, 1));
        }
        swap(j, reading.at, c.memory_limit());
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

    fn disk(&self, j: &mut Indented<'_>, at: Timestamp, used: u64, inodes: u64) {
        j.time("time", at);
        j.number("availableBytes", DISK.saturating_sub(self.disk_used));
        j.number("capacityBytes", DISK);
        j.number("usedBytes", used);
        j.number("inodesFree", INODES - 534_651);
        j.number("inodes", INODES);
        j.number("inodesUsed", inodes);
    }

    fn network(&self, j: &mut Indented<'_>, at: Timestamp, seed: u64, since: Timestamp, rate: f64) {
        let seconds = (at.since(since).max(0)) as f64 / 1e9;
        let received = seconds * rate * (0.2 + 1.6 * unit(hash(seed, 73)));
        let sent = received * (0.2 + 1.4 * unit(hash(seed, 74)));
        let counters = |j: &mut Indented<'_>| {
            j.string("name", "eth0");
            j.number("rxBytes", received as u64);
            j.number("rxErrors", 0);
            j.number("txBytes", sent as u64);
            j.number("txErrors", 0);
        };
        j.time("time", at);
        counters(j);
        j.array("interfaces", |j| j.element(counters));
    }
}

fn cpu(j: &mut Indented<'_>, at: Timestamp, nanocores: Option<u64>, total: u64) {
    j.member("cpu", |j| {
        j.time("time", at);
        if let Some(nanocores) = nanocores {
            j.number("usageNanoCores", nanocores);
        }
        j.number("usageCoreNanoSeconds", total);
        psi(j);
    });
}

fn memory(j: &mut Indented<'_>, reading: &Reading, limit: Option<u64>, faults: u64) {
    j.member("memory", |j| {
        j.time("time", reading.at);
        if let Some(limit) = limit {
            j.number("availableBytes", limit.saturating_sub(reading.memory));
        }
        // Usage counts the file cache that can be dropped too, resident memory what is the processes' own.
        j.number(
            "usageBytes",
            reading.memory + ((reading.memory / 7) & !0xfff),
        );
        j.number("workingSetBytes", reading.memory);
        j.number("rssBytes", (reading.memory / 10 * 8) & !0xfff);
        j.number("pageFaults", faults);
        j.number("majorPageFaults", 0);
        psi(j);
    });
}

fn swap(j: &mut Indented<'_>, at: Timestamp, available: Option<u64>) {
    j.member("swap", |j| {
        j.time("time", at);
        if let Some(available) = available {
            j.number("swapAvailableBytes", available);
        }
        j.number("swapUsageBytes", 0);
    });
}

fn io(j: &mut Indented<'_>, at: Timestamp) {
    j.member("io", |j| {
        j.time("time", at);
        psi(j);
    });
}

/// All zero, as where the kernel does not measure pressure.
fn psi(j: &mut Indented<'_>) {
    j.member("psi", |j| {
        for kind in ["full", "some"] {
            j.member(kind, |j| {
                for key in ["total", "avg10", "avg60", "avg300"] {
                    j.number(key, 0);
                }
            });
        }
    });
}
