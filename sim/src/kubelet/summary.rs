//! `/stats/summary`, whole or with CPU and memory only.

use kubevitals_proto::time::Timestamp;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use crate::world::epoch::Epoch;
use crate::world::hash::{between, hash, unit};
use crate::world::node::{Node, NodeState};
use crate::world::pod::{Container, Pod};
use crate::world::sampling::Reading;
use crate::world::volume::{Volume, claim_name};

const GI: u64 = 1 << 30;
const DISK: u64 = 252 * GI;
const INODES: u64 = 16_777_216;

/// The part of the summary that a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    CpuAndMemory,
    Full,
}

/// The page, member by member in a kubelet's order. Members without a value are left out.
#[derive(Serialize)]
struct Summary<'a> {
    node: NodeStats<'a>,
    pods: Vec<PodStats<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeStats<'a> {
    node_name: &'a str,
    system_containers: [SystemContainer; 1],
    start_time: Timestamp,
    cpu: Cpu,
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<Io>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fs: Option<Disk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime: Option<Runtime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rlimit: Option<Rlimit>,
    swap: Swap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SystemContainer {
    name: &'static str,
    start_time: Timestamp,
    cpu: Cpu,
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<Io>,
    swap: Swap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PodStats<'a> {
    pod_ref: PodRef<'a>,
    start_time: Timestamp,
    containers: Vec<ContainerStats>,
    cpu: Cpu,
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<Io>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Network>,
    #[serde(rename = "volume", skip_serializing_if = "Option::is_none")]
    volumes: Option<Vec<VolumeStats<'a>>>,
    #[serde(rename = "ephemeral-storage", skip_serializing_if = "Option::is_none")]
    ephemeral_storage: Option<Disk>,
    #[serde(rename = "process_stats", skip_serializing_if = "Option::is_none")]
    process_stats: Option<Processes>,
    swap: Swap,
}

#[derive(Serialize)]
struct PodRef<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStats {
    name: &'static str,
    start_time: Timestamp,
    cpu: Cpu,
    memory: Memory,
    #[serde(skip_serializing_if = "Option::is_none")]
    io: Option<Io>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rootfs: Option<Disk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<Disk>,
    swap: Swap,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cpu {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_nano_cores: Option<u64>,
    usage_core_nano_seconds: u64,
    psi: Psi,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_bytes: Option<u64>,
    usage_bytes: u64,
    working_set_bytes: u64,
    rss_bytes: u64,
    page_faults: u64,
    major_page_faults: u64,
    psi: Psi,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Swap {
    time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    swap_available_bytes: Option<u64>,
    swap_usage_bytes: u64,
}

#[derive(Serialize)]
struct Io {
    time: Timestamp,
    psi: Psi,
}

/// All zero, as if the kernel did not measure pressure.
#[derive(Default, Serialize)]
struct Psi {
    full: Pressure,
    some: Pressure,
}

#[derive(Default, Serialize)]
struct Pressure {
    total: u64,
    avg10: u64,
    avg60: u64,
    avg300: u64,
}

#[derive(Serialize)]
struct Network {
    time: Timestamp,
    #[serde(flatten)]
    total: Interface,
    interfaces: [Interface; 1],
}

#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    name: &'static str,
    rx_bytes: u64,
    rx_errors: u64,
    tx_bytes: u64,
    tx_errors: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    time: Timestamp,
    available_bytes: u64,
    capacity_bytes: u64,
    used_bytes: u64,
    inodes_free: u64,
    inodes: u64,
    inodes_used: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VolumeStats<'a> {
    #[serde(flatten)]
    disk: Disk,
    name: &'static str,
    #[serde(rename = "pvcRef", skip_serializing_if = "Option::is_none")]
    claim: Option<ClaimRef<'a>>,
}

#[derive(Serialize)]
struct ClaimRef<'a> {
    name: String,
    namespace: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Runtime {
    image_fs: Disk,
    container_fs: Disk,
}

#[derive(Serialize)]
struct Rlimit {
    time: Timestamp,
    maxpid: u32,
    curproc: usize,
}

#[derive(Serialize)]
struct Processes {
    #[serde(rename = "process_count")]
    count: usize,
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
    let summary = Summary {
        node: page.node(),
        pods: pods.collect(),
    };
    out.reserve(3_000 + state.pods.len() * if extent == Extent::Full { 7_000 } else { 3_300 });
    // As `json.MarshalIndent` with one space a level. A Vec takes every byte, so writing cannot fail.
    let indent = PrettyFormatter::with_indent(b" ");
    let _ = summary.serialize(&mut Serializer::with_formatter(out, indent));
}

impl<'a> Page<'a> {
    fn node(&self) -> NodeStats<'a> {
        let (node, state) = (self.node, self.state);
        let reading = node.reading(state, self.epoch, self.now);
        let at = reading.at;
        let usage = node.usage_nanocores(state, self.epoch, &reading);
        let images = || self.disk(at, self.disk_used / 3, 41_633);
        NodeStats {
            node_name: &node.name,
            system_containers: [self.pods_cgroup(&reading)],
            start_time: node.booted,
            cpu: cpu(at, Some(usage), reading.cpu),
            memory: memory(&reading, Some(node.size.memory), 126_749),
            io: self.full(|| io(at)),
            network: self.full(|| network(at, node.seed, node.booted, 90_000.0)),
            fs: self.full(|| self.disk(at, self.disk_used, 534_651)),
            runtime: self.full(|| Runtime {
                image_fs: images(),
                container_fs: images(),
            }),
            rlimit: self.full(|| Rlimit {
                time: self.now,
                maxpid: 32_768,
                curproc: 260 + 9 * state.pods.len(),
            }),
            swap: swap(at, Some(0)),
        }
    }

    /// The cgroup that all pods are in.
    fn pods_cgroup(&self, node: &Reading) -> SystemContainer {
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
        SystemContainer {
            name: "pods",
            start_time: self.node.booted,
            cpu: cpu(at, Some(usage), of_pods.cpu),
            memory: memory(&of_pods, Some(self.node.size.memory), 0),
            io: self.full(|| io(at)),
            swap: swap(at, None),
        }
    }

    fn pod(&self, pod: &'a Pod, reading: &Reading) -> PodStats<'a> {
        let mut usage = 0;
        let containers = pod.containers.iter().filter_map(|c| {
            let reading = c.reading(self.epoch, self.now)?;
            let nanocores = c.usage_nanocores(self.epoch, &reading);
            usage += nanocores.unwrap_or(0);
            Some(self.container(c, &reading, nanocores))
        });
        let containers: Vec<ContainerStats> = containers.collect();
        let all = &pod.containers;
        let running = || all.iter().filter(|c| c.running_since().is_some());
        // Only when every container has a limit has the pod's cgroup one.
        let limits: Option<u64> = running().map(Container::memory_limit).sum();
        let at = reading.at;
        let written = || pod.containers.iter().map(|c| self.written(c)).sum::<u64>();
        PodStats {
            pod_ref: PodRef {
                name: &pod.name,
                namespace: &pod.revision.namespace,
                uid: &pod.uid,
            },
            start_time: pod.sandbox,
            containers,
            cpu: cpu(at, Some(usage), reading.cpu),
            memory: memory(reading, limits, 0),
            io: self.full(|| io(at)),
            network: self.full(|| network(at, pod.seed, pod.sandbox, 4_000.0)),
            volumes: self.full(|| self.volumes(pod)).filter(|it| !it.is_empty()),
            ephemeral_storage: self.full(|| self.disk(self.now, written() + 4_096, 39)),
            process_stats: self.full(|| Processes {
                count: 1 + running().count(),
            }),
            swap: swap(at, None),
        }
    }

    /// The volumes of a pod that has a claim, with the token that every pod has.
    fn volumes(&self, pod: &'a Pod) -> Vec<VolumeStats<'a>> {
        let Some(volume) = Volume::of_pod(pod) else {
            return Vec::new();
        };
        let measured = volume.measured(self.epoch, self.now);
        let data = VolumeStats {
            disk: Disk {
                time: measured.at,
                available_bytes: measured.available,
                capacity_bytes: volume.size,
                used_bytes: measured.used,
                inodes_free: measured.inodes - measured.inodes_used,
                inodes: measured.inodes,
                inodes_used: measured.inodes_used,
            },
            name: "data",
            claim: Some(ClaimRef {
                name: claim_name(pod.revision.app.name, pod.ordinal),
                namespace: &pod.revision.namespace,
            }),
        };
        let token = VolumeStats {
            disk: self.disk(measured.at, 12_288, 9),
            name: "kube-api-access-x7k2p",
            claim: None,
        };
        vec![data, token]
    }

    fn container(
        &self,
        c: &Container,
        reading: &Reading,
        nanocores: Option<u64>,
    ) -> ContainerStats {
        let (at, written) = (reading.at, self.written(c));
        ContainerStats {
            name: c.spec.name,
            start_time: c.running_since().unwrap_or(at),
            cpu: cpu(at, nanocores, reading.cpu),
            memory: memory(reading, c.memory_limit(), 2_922),
            io: self.full(|| io(at)),
            rootfs: self.full(|| self.disk(self.now, written / 2, 37)),
            logs: self.full(|| self.disk(self.now, written - written / 2, 1)),
            swap: swap(at, c.memory_limit()),
        }
    }

    /// A member that only the whole page has.
    fn full<T>(&self, member: impl FnOnce() -> T) -> Option<T> {
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

    fn disk(&self, at: Timestamp, used: u64, inodes: u64) -> Disk {
        Disk {
            time: at,
            available_bytes: DISK.saturating_sub(self.disk_used),
            capacity_bytes: DISK,
            used_bytes: used,
            inodes_free: INODES - 534_651,
            inodes: INODES,
            inodes_used: inodes,
        }
    }
}

fn network(at: Timestamp, seed: u64, since: Timestamp, rate: f64) -> Network {
    let seconds = (at.since(since).max(0)) as f64 / 1e9;
    let received = seconds * rate * (0.2 + 1.6 * unit(hash(seed, 73)));
    let sent = received * (0.2 + 1.4 * unit(hash(seed, 74)));
    let total = Interface {
        name: "eth0",
        rx_bytes: received as u64,
        rx_errors: 0,
        tx_bytes: sent as u64,
        tx_errors: 0,
    };
    Network {
        time: at,
        total,
        interfaces: [total],
    }
}

fn cpu(at: Timestamp, nanocores: Option<u64>, total: u64) -> Cpu {
    Cpu {
        time: at,
        usage_nano_cores: nanocores,
        usage_core_nano_seconds: total,
        psi: Psi::default(),
    }
}

fn memory(reading: &Reading, limit: Option<u64>, faults: u64) -> Memory {
    let memory = reading.memory;
    Memory {
        time: reading.at,
        available_bytes: limit.map(|limit| limit.saturating_sub(memory)),
        // Usage includes the file cache that can be dropped, resident memory only that of the processes.
        usage_bytes: memory + ((memory / 7) & !0xfff),
        working_set_bytes: memory,
        rss_bytes: (memory / 10 * 8) & !0xfff,
        page_faults: faults,
        major_page_faults: 0,
        psi: Psi::default(),
    }
}

fn swap(at: Timestamp, available: Option<u64>) -> Swap {
    Swap {
        time: at,
        swap_available_bytes: available,
        swap_usage_bytes: 0,
    }
}

fn io(at: Timestamp) -> Io {
    Io {
        time: at,
        psi: Psi::default(),
    }
}
