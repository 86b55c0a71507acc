//! The data of a node's `/stats/summary` besides CPU and memory: sorted, immutable and small.
//!
//! It is published as a whole, and only while it is not stale: [`NodeCell::extra`](super::NodeCell::extra). A pod takes
//! 72 bytes and a claim at most 380; their keys are interned.

mod claims;
mod network;
mod non_max;
mod pressure;
mod report;

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use kubevitals_proto::kubelet::names::may_be_pod;
use kubevitals_proto::kubelet::summary::{Extras, FsStats, NodeExtras, PodExtras, SwapStats};
use kubevitals_proto::units::Bytes;

pub use claims::{ClaimExtra, Measurement};
pub use network::{NetworkRate, Traffic};
pub use pressure::{Percent, Pressure};
pub(super) use report::ExtraReport;

use super::sorted::advance_to;
use crate::clock::Age;
use crate::cluster::PodKey;
use crate::intern::Interner;
use non_max::{NonMaxU32, NonMaxU64};
use pressure::has_pressure;

/// The time until the data is stale, in halves of the interval: the same as for rates.
const STALE_AFTER_HALVES: u32 = 5;

/// One node and its pods as of the last response.
#[derive(Debug, PartialEq)]
pub struct NodeExtra {
    /// The time of that response.
    pub scraped: Age,
    /// The time at which the data becomes stale.
    until: Age,
    /// The kubelet's file system.
    pub disk: Option<Disk>,
    /// The file system of images, if it is a different one.
    pub image_disk: Option<Disk>,
    /// Its pressure.
    pub pressure: Pressure,
    /// The swap; none if the node has no swap or the kubelet does not report it.
    pub swap: Option<Swap>,
    traffic: Traffic,
    processes: Option<NonMaxU32>,
    /// Sorted by namespace and name.
    pods: Box<[PodExtra]>,
    /// The claims that these pods mount, sorted by namespace and name.
    claims: Box<[ClaimExtra]>,
}

/// One pod.
#[derive(Debug, PartialEq)]
pub struct PodExtra {
    key: PodKey,
    traffic: Traffic,
    storage: Option<NonMaxU64>,
    swap: Option<NonZeroU64>,
    processes: Option<NonMaxU32>,
    /// Seconds since the epoch.
    started: Option<NonZeroU32>,
    pressure: Pressure,
}

/// A file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk {
    /// Used bytes.
    pub used: Bytes,
    /// All bytes.
    pub capacity: Bytes,
    /// Bytes that can still be used.
    pub available: Bytes,
}

/// Swap space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swap {
    /// Used bytes.
    pub used: Bytes,
    /// All bytes.
    pub capacity: Bytes,
}

impl NodeExtra {
    /// Converts a response that arrived at `now` and is requested every `interval`. Rates are computed from it and
    /// `before`, the result of the previous response. Pods with names that Kubernetes does not allow are left out.
    pub fn of(
        extras: &Extras<'_>,
        before: Option<&Self>,
        now: Age,
        interval: Duration,
        names: &Interner,
    ) -> Self {
        let supported = has_pressure(extras);
        let possible = |pod: &&PodExtras<'_>| {
            let (namespace, name) = key(pod);
            may_be_pod(namespace, name)
        };
        let mut sorted: Vec<&PodExtras<'_>> = extras.pods.iter().filter(possible).collect();
        sorted.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        sorted.dedup_by(|a, b| key(a) == key(b));
        let earlier = before.map_or(&[][..], |before| &before.pods);
        let mut earlier = earlier.iter().peekable();
        let mut pods: Vec<PodExtra> = Vec::with_capacity(sorted.len());
        // Both lists have the same order, so one pass over both is enough.
        for pod in &sorted {
            let earlier = advance_to(&mut earlier, |earlier| earlier.names().cmp(&key(pod)));
            pods.push(PodExtra::of(pod, earlier, supported, names));
        }
        let with_volumes = pods.iter().zip(sorted);
        let with_volumes = with_volumes.filter(|(_, pod)| !pod.volumes.is_empty());
        let with_volumes: Vec<(PodKey, &PodExtras<'_>)> = with_volumes
            .map(|(pod, extras)| (pod.key.clone(), extras))
            .collect();
        let earlier = before.map_or(&[][..], |before| &before.claims);
        let claims = ClaimExtra::all(&with_volumes, earlier, names);
        let NodeExtras {
            cpu,
            memory,
            io,
            swap,
            network,
            fs,
            runtime,
            rlimit,
        } = &extras.node;
        let images = runtime
            .as_ref()
            .and_then(|runtime| runtime.image_fs.as_ref());
        Self {
            scraped: now,
            until: now.after(interval * STALE_AFTER_HALVES / 2),
            disk: fs.as_ref().and_then(Disk::of),
            image_disk: images
                .filter(|images| fs.as_ref().is_none_or(|fs| !is_same(fs, images)))
                .and_then(Disk::of),
            pressure: Pressure::of(*cpu, *memory, *io, supported),
            swap: swap.as_ref().and_then(Swap::of),
            traffic: Traffic::of(network.as_ref(), before.map(|before| &before.traffic)),
            processes: rlimit
                .as_ref()
                .and_then(|rlimit| rlimit.curproc)
                .and_then(NonMaxU32::new),
            pods: pods.into_boxed_slice(),
            claims,
        }
    }

    /// Whether the data is fresh at `now`.
    pub fn is_fresh(&self, now: Age) -> bool {
        now <= self.until
    }

    /// Bytes a second on the default interface.
    pub fn network(&self) -> Option<NetworkRate> {
        self.traffic.rate()
    }

    /// Processes that run on the node.
    pub fn processes(&self) -> Option<u32> {
        self.processes.map(NonMaxU32::get)
    }

    /// A pod of the node.
    pub fn pod(&self, key: &PodKey) -> Option<&PodExtra> {
        let at = self.pods.binary_search_by(|pod| pod.key.cmp(key)).ok()?;
        self.pods.get(at)
    }

    /// The number of pods.
    pub fn pods(&self) -> usize {
        self.pods.len()
    }

    /// The claims that its pods mount, sorted by namespace and name.
    pub fn claims(&self) -> &[ClaimExtra] {
        &self.claims
    }

    /// The memory in bytes, without the shared names.
    pub fn bytes(&self) -> usize {
        let of_claims: usize = self.claims.iter().map(ClaimExtra::heap_bytes).sum();
        size_of::<Self>() + size_of_val(&*self.pods) + size_of_val(&*self.claims) + of_claims
    }
}

impl PodExtra {
    /// Converts a pod. It shares the key of the same pod in the previous response.
    fn of(
        summary: &PodExtras<'_>,
        before: Option<&Self>,
        supported: bool,
        names: &Interner,
    ) -> Self {
        let (namespace, name) = key(summary);
        let key = match before {
            Some(before) => before.key.clone(),
            None => names.key(namespace, name),
        };
        let started = summary
            .start_time
            .and_then(|start| u32::try_from(start.as_secs()).ok())
            .and_then(NonZeroU32::new);
        // Another pod of the same name has another interface.
        let before = before.filter(|before| before.started == started);
        Self {
            key,
            traffic: Traffic::of(
                summary.network.as_ref(),
                before.map(|before| &before.traffic),
            ),
            storage: summary
                .ephemeral_storage
                .and_then(|storage| storage.used_bytes)
                .and_then(NonMaxU64::new),
            swap: summary
                .swap
                .as_ref()
                .and_then(|swap| swap.swap_usage_bytes)
                .and_then(NonZeroU64::new),
            processes: summary
                .process_stats
                .as_ref()
                .and_then(|stats| stats.process_count)
                .and_then(NonMaxU32::new),
            started,
            pressure: Pressure::of(summary.cpu, summary.memory, summary.io, supported),
        }
    }

    fn names(&self) -> (&str, &str) {
        (&self.key.namespace, &self.key.name)
    }

    /// Bytes of the node's disk: writable layers, logs and emptyDirs.
    pub fn ephemeral_storage(&self) -> Option<Bytes> {
        self.storage.map(|bytes| Bytes(bytes.get()))
    }

    /// Bytes of swap in use, if any is.
    pub fn swap(&self) -> Option<Bytes> {
        self.swap.map(|bytes| Bytes(bytes.get()))
    }

    /// Bytes a second on its default interface.
    pub fn network(&self) -> Option<NetworkRate> {
        self.traffic.rate()
    }

    /// Processes that run in it.
    pub fn processes(&self) -> Option<u32> {
        self.processes.map(NonMaxU32::get)
    }

    /// Its pressure.
    pub fn pressure(&self) -> Pressure {
        self.pressure
    }
}

fn key<'a>(summary: &'a PodExtras<'_>) -> (&'a str, &'a str) {
    (&summary.pod_ref.namespace, &summary.pod_ref.name)
}

impl Disk {
    /// None without the capacity or the available bytes. Windows reports zero used bytes.
    fn of(summary: &FsStats) -> Option<Self> {
        let (capacity, available) = (summary.capacity_bytes?, summary.available_bytes?);
        let used = summary.used_bytes.filter(|used| *used > 0);
        Some(Self {
            used: Bytes(used.unwrap_or_else(|| capacity.saturating_sub(available))),
            capacity: Bytes(capacity),
            available: Bytes(available),
        })
    }
}

/// Whether two reports describe one file system. The used bytes of the second cover only images, and the available bytes
/// are read at different times.
fn is_same(a: &FsStats, b: &FsStats) -> bool {
    let apart = match (a.available_bytes, b.available_bytes) {
        (Some(a), Some(b)) => a.abs_diff(b),
        _ => 0,
    };
    (a.capacity_bytes, a.inodes) == (b.capacity_bytes, b.inodes)
        && apart <= a.capacity_bytes.unwrap_or_default() / 100
}

impl Swap {
    /// None on a node without swap, where a kubelet reports zeros.
    fn of(summary: &SwapStats) -> Option<Self> {
        let used = summary.swap_usage_bytes?;
        let capacity = summary.swap_available_bytes?.saturating_add(used);
        (capacity > 0).then_some(Self {
            used: Bytes(used),
            capacity: Bytes(capacity),
        })
    }
}

#[cfg(test)]
mod tests;
