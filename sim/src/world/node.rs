//! A node: what it is, and what runs on it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use parking_lot::Mutex;

use super::epoch::Epoch;
use super::hash::{between, hash, uid};
use super::load::{Load, Profile};
use super::pod::Pod;
use super::sampling::{Pace, Reading};

/// How many GPUs a node with GPUs has.
const GPUS: u32 = 4;

/// What a node is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    pub(crate) cores: u32,
    /// Bytes of memory: a little less than the round number, as firmware and kernel take their part.
    pub(crate) memory: u64,
}

impl Size {
    /// The smallest machine for so many pods of the catalogue, with some capacity left.
    const fn for_pods(pods: u32) -> Self {
        let (name, cores, memory_gib): (_, _, u64) = match pods {
            0..=12 => ("std.4", 4, 16),
            13..=40 => ("std.8", 8, 32),
            41..=90 => ("std.16", 16, 64),
            _ => ("std.32", 32, 128),
        };
        Self {
            name,
            cores,
            memory: memory_gib * ((1 << 30) - (20 << 20)),
        }
    }
}

/// What the kubelet, the container runtime and the kernel use.
static SYSTEM: Profile = Profile {
    cpu: 190e6,
    daily: 0.1,
    burst: 12.0,
    startup: 9e9,
    memory: 940.0 * 1_048_576.0,
    creep: 0.1,
};

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) index: usize,
    /// Shared with what is stored of its pods.
    pub(crate) name: Arc<str>,
    pub(crate) uid: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) seed: u64,
    pub(crate) size: Size,
    pub(crate) max_pods: u32,
    pub(crate) zone: &'static str,
    pub(crate) booted: Timestamp,
    /// How many GPUs it has.
    pub(crate) gpus: u32,
    /// Whether its pods have loopback addresses, at which they answer.
    exposed: bool,
    load: Load,
    pub(crate) state: Mutex<NodeState>,
}

/// What changes on a node.
#[derive(Debug, Default)]
pub(crate) struct NodeState {
    /// Pods by slot. A rollout puts the new pod where the old one was.
    pub(crate) pods: Vec<Option<Pod>>,
    /// Slots and containers in the order of their labels: container, namespace, pod.
    pub(crate) by_container: Vec<(usize, usize)>,
    /// Slots in the order of namespace and name.
    pub(crate) by_pod: Vec<usize>,
    /// CPU of the pods that are gone.
    pub(crate) gone_cpu: u64,
    /// When the root cgroup was last sampled because something changed.
    pub(crate) changed: Timestamp,
    /// Since when the kubelet does not answer, and as part of which episode.
    pub(crate) down: Option<(Timestamp, u64)>,
    /// Since when memory is short, so that a pod was evicted.
    pub(crate) memory_pressure: Option<Timestamp>,
    /// The Ready condition and its last transition: false is `Unknown`, after the kubelet was silent for 40 s.
    pub(crate) ready: (bool, Timestamp),
    /// How many pods ever had an address here.
    pub(crate) addresses: u32,
    /// Whether new pods are scheduled elsewhere.
    pub(crate) cordoned: bool,
}

/// The address of the node of this index, from 0: a 127.X.Y.Z, and never 127.0.0.*, which other things use.
#[must_use]
pub fn address(index: usize) -> Ipv4Addr {
    let n = u32::try_from(index).unwrap_or(0);
    let octet = |n: u32| u8::try_from(n % 256).unwrap_or(0);
    Ipv4Addr::new(
        127,
        octet(1 + n / 62_500),
        octet(n / 250 % 250),
        octet(n % 250 + 1),
    )
}

/// The index of the node of the pod at this address, and the address.
pub(crate) fn pod_node(address: IpAddr) -> Option<(usize, Ipv4Addr)> {
    let IpAddr::V4(v4) = address.to_canonical() else {
        return None;
    };
    let [127, x, y, _] = v4.octets() else {
        return None;
    };
    (x >= 128).then(|| (usize::from(x & 127) * 256 + usize::from(y), v4))
}

/// The index of the node at this address.
pub(crate) fn index_of(address: IpAddr) -> Option<usize> {
    let IpAddr::V4(v4) = address.to_canonical() else {
        return None;
    };
    let [127, x, y, z] = v4.octets() else {
        return None;
    };
    let (x, y, z) = (usize::from(x), usize::from(y), usize::from(z));
    (x >= 1 && y < 250 && (1..=250).contains(&z)).then(|| (x - 1) * 62_500 + y * 250 + z - 1)
}

impl Node {
    pub(crate) fn new(seed: u64, index: usize, pods: u32, started: Timestamp) -> Self {
        let seed = hash(seed, 0x6e6f_6465_0000 + index as u64);
        let zones = ["eu-1a", "eu-1b", "eu-1c"];
        let days = between(hash(seed, 1), 9.0, 40.0);
        let booted = started.plus_nanos(-((days * 86_400.0 * 1e9) as i64));
        Self {
            index,
            name: format!("node-{:04}", index + 1).into(),
            uid: uid(hash(seed, 2)),
            address: address(index),
            seed,
            size: Size::for_pods(pods),
            max_pods: pods.max(100) + 10,
            zone: zones.get(index % zones.len()).copied().unwrap_or_default(),
            booted,
            gpus: 0,
            exposed: false,
            load: Load::new(&SYSTEM, seed, seed),
            state: Mutex::new(NodeState {
                ready: (true, booted.plus_nanos(25_000_000_000)),
                changed: booted,
                ..NodeState::default()
            }),
        }
    }

    /// The node with pods that answer, and with GPUs or without.
    pub(crate) fn exposed(self, has_gpus: bool) -> Self {
        let gpus = if has_gpus { GPUS } else { 0 };
        Self {
            gpus,
            exposed: true,
            ..self
        }
    }

    /// The address a pod in this place gets.
    pub(crate) fn pod_address(&self, nth: u32) -> Ipv4Addr {
        let octet = |n: usize| u8::try_from(n % 256).unwrap_or(0);
        // Up to 65,536 nodes of 254 addresses each; an address is used again when its turn comes.
        let last = octet(usize::try_from(nth % 253).unwrap_or(0) + 2);
        match self.exposed {
            // The other half has the kubelets, below 127.128.
            true => Ipv4Addr::new(127, 128 | octet(self.index / 256), octet(self.index), last),
            false => Ipv4Addr::new(10, octet(self.index / 256), octet(self.index), last),
        }
    }

    /// The last sample of cAdvisor of the root cgroup.
    pub(crate) fn reading(&self, state: &NodeState, epoch: Epoch, now: Timestamp) -> Reading {
        let at = Pace::ROOT.last(self.seed, now).max(state.changed);
        Reading {
            at,
            cpu: self.cpu_at(state, epoch, at),
            memory: self.system_memory(epoch, at)
                + state.running().map(|p| p.memory_at(epoch, at)).sum::<u64>(),
        }
    }

    /// CPU nanoseconds used since it booted.
    pub(crate) fn cpu_at(&self, state: &NodeState, epoch: Epoch, t: Timestamp) -> u64 {
        let system = self.load.cpu_nanos(epoch.secs(self.booted), epoch.secs(t));
        system + self.pods_cpu_at(state, epoch, t)
    }

    /// CPU nanoseconds of its pods, those that are gone included.
    pub(crate) fn pods_cpu_at(&self, state: &NodeState, epoch: Epoch, t: Timestamp) -> u64 {
        state.gone_cpu + state.running().map(|p| p.cpu_at(epoch, t)).sum::<u64>()
    }

    fn system_memory(&self, epoch: Epoch, t: Timestamp) -> u64 {
        self.load
            .memory_bytes(epoch.secs(self.booted), epoch.secs(t))
    }

    /// How many CPU nanoseconds a second it used between its last two samples.
    pub(crate) fn usage_nanocores(
        &self,
        state: &NodeState,
        epoch: Epoch,
        reading: &Reading,
    ) -> u64 {
        let before = Timestamp::from_nanos(reading.at.as_nanos() - 1);
        let previous = Pace::ROOT.last(self.seed, before);
        // The state only speaks of the time since its last change. Right after one, the next second stands for the
        // last ones.
        let (from, to) = if previous >= state.changed {
            (previous, reading.at)
        } else {
            (reading.at, reading.at.plus_nanos(1_000_000_000))
        };
        let seconds = to.since(from) as f64 / 1e9;
        let nanos = self
            .cpu_at(state, epoch, to)
            .saturating_sub(self.cpu_at(state, epoch, from));
        (nanos as f64 / seconds) as u64
    }
}

impl NodeState {
    /// Whether the kubelet answers and the node is ready.
    pub(crate) fn is_up(&self) -> bool {
        self.down.is_none() && self.ready.0
    }

    /// All pods of the node.
    pub(crate) fn pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().flatten()
    }

    /// The pods that have a cgroup.
    pub(crate) fn running(&self) -> impl Iterator<Item = &Pod> {
        self.pods()
            .filter(|p| p.phase == super::pod::Phase::Running)
    }

    /// The pod in a slot.
    pub(crate) fn pod(&self, slot: usize) -> Option<&Pod> {
        self.pods.get(slot)?.as_ref()
    }

    /// Puts a pod into the first free slot, or a new one.
    pub(crate) fn place(&mut self, pod: Pod) -> usize {
        let free = self.pods.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.pods.len());
        match self.pods.get_mut(slot) {
            Some(place) => *place = Some(pod),
            None => self.pods.push(Some(pod)),
        }
        self.sort();
        slot
    }

    /// Brings the orders of series up to date after pods came or went.
    pub(crate) fn sort(&mut self) {
        let pods = &self.pods;
        let pod = |slot: &usize| pods.get(*slot).and_then(Option::as_ref);
        let mut by_pod: Vec<usize> = (0..pods.len()).filter(|s| pod(s).is_some()).collect();
        by_pod
            .sort_by_key(|slot| pod(slot).map(|p| (p.revision.namespace.clone(), p.name.clone())));
        let mut by_container: Vec<(usize, usize)> = by_pod
            .iter()
            .flat_map(|slot| {
                let containers = pod(slot).map_or(0, |p| p.containers.len());
                (0..containers).map(move |c| (*slot, c))
            })
            .collect();
        // Stable, so that namespace and pod stay the lesser keys.
        by_container.sort_by_key(|(slot, c)| {
            pod(slot)
                .and_then(|p| p.containers.get(*c))
                .map(|c| c.spec.name)
        });
        self.by_pod = by_pod;
        self.by_container = by_container;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_node_has_an_address_of_its_own_that_names_it() {
        for index in (0..5_000).chain([62_499, 62_500, 99_999]) {
            let address = address(index);
            assert_eq!(address.octets()[0], 127);
            assert_ne!(address.octets()[..3], [127, 0, 0]);
            assert_eq!(index_of(address.into()), Some(index));
        }
        assert_eq!(index_of(IpAddr::from([127, 0, 0, 1])), None);
        assert_eq!(index_of(IpAddr::from([10, 1, 0, 1])), None);
    }
}
