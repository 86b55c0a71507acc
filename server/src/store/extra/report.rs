//! The data of a node's `/stats/summary` as a message to another process.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use kubevitals_proto::units::Bytes;
use kubevitals_proto::vitals::forecast::Sample;

use super::claims::MAX_SAMPLES;
use super::non_max::{NonMaxU32, NonMaxU64};
use super::{ClaimExtra, Disk, Measurement, NodeExtra, PodExtra, Pressure, Swap, Traffic};
use crate::clock::Age;
use crate::intern::Interner;
use crate::store::snapshot::{is_name, milliseconds};

/// A node and its pods.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::store) struct ExtraReport {
    /// The age of the response, in milliseconds.
    #[prost(uint64, tag = "1")]
    scraped_ago: u64,
    /// The time for which it is still fresh, in milliseconds.
    #[prost(uint64, tag = "2")]
    fresh_for: u64,
    #[prost(message, optional, tag = "3")]
    disk: Option<SpaceReport>,
    #[prost(message, optional, tag = "4")]
    image_disk: Option<SpaceReport>,
    #[prost(message, optional, tag = "5")]
    swap: Option<SpaceReport>,
    #[prost(message, optional, tag = "6")]
    own: Option<CommonReport>,
    #[prost(message, repeated, tag = "7")]
    pods: Vec<PodReport>,
    #[prost(message, repeated, tag = "8")]
    claims: Vec<ClaimReport>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SpaceReport {
    #[prost(uint64, tag = "1")]
    used: u64,
    #[prost(uint64, tag = "2")]
    capacity: u64,
    #[prost(uint64, tag = "3")]
    available: u64,
}

/// What nodes and pods have.
#[derive(Clone, PartialEq, prost::Message)]
struct CommonReport {
    #[prost(uint64, tag = "1")]
    rx: u64,
    #[prost(uint64, tag = "2")]
    tx: u64,
    /// The time of the reading of the interface, in seconds since the epoch; zero without one.
    #[prost(uint32, tag = "3")]
    at: u32,
    #[prost(float, optional, tag = "4")]
    rx_rate: Option<f32>,
    #[prost(float, optional, tag = "5")]
    tx_rate: Option<f32>,
    #[prost(uint32, optional, tag = "6")]
    processes: Option<u32>,
    /// Pressures in hundredths of a percent, plus one; zero for none.
    #[prost(uint32, tag = "7")]
    cpu: u32,
    #[prost(uint32, tag = "8")]
    memory: u32,
    #[prost(uint32, tag = "9")]
    io: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PodReport {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(uint64, optional, tag = "3")]
    storage: Option<u64>,
    #[prost(uint64, tag = "4")]
    swap: u64,
    /// Seconds since the epoch; zero if unknown.
    #[prost(uint32, tag = "5")]
    started: u32,
    #[prost(message, optional, tag = "6")]
    common: Option<CommonReport>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ClaimReport {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    name: String,
    /// The names of the pods that mount it.
    #[prost(string, repeated, tag = "3")]
    pods: Vec<String>,
    /// Seconds since the epoch; zero if unknown.
    #[prost(uint32, tag = "4")]
    at: u32,
    #[prost(uint64, optional, tag = "5")]
    capacity: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    available: Option<u64>,
    #[prost(uint64, optional, tag = "7")]
    used: Option<u64>,
    #[prost(uint64, tag = "8")]
    inodes: u64,
    #[prost(uint64, optional, tag = "9")]
    inodes_used: Option<u64>,
    /// The times of the samples, and their values.
    #[prost(uint32, repeated, tag = "10")]
    times: Vec<u32>,
    #[prost(float, repeated, tag = "11")]
    values: Vec<f32>,
}

impl ExtraReport {
    /// Reports the data at `now`.
    pub(in crate::store) fn of(extra: &NodeExtra, now: Age) -> Self {
        let disk = |disk: Disk| SpaceReport {
            used: disk.used.0,
            capacity: disk.capacity.0,
            available: disk.available.0,
        };
        let pods = extra.pods.iter().map(|pod| PodReport {
            namespace: pod.key.namespace.to_string(),
            name: pod.key.name.to_string(),
            storage: pod.storage.map(NonMaxU64::get),
            swap: pod.swap.map_or(0, NonZeroU64::get),
            started: pod.started.map_or(0, NonZeroU32::get),
            common: Some(CommonReport::of(pod.traffic, pod.processes, pod.pressure)),
        });
        Self {
            scraped_ago: milliseconds(now.since(extra.scraped)),
            fresh_for: milliseconds(extra.until.since(now)),
            disk: extra.disk.map(disk),
            image_disk: extra.image_disk.map(disk),
            swap: extra.swap.map(|swap| SpaceReport {
                used: swap.used.0,
                capacity: swap.capacity.0,
                available: 0,
            }),
            own: Some(CommonReport::of(
                extra.traffic,
                extra.processes,
                extra.pressure,
            )),
            pods: pods.collect(),
            claims: extra.claims.iter().map(ClaimReport::of).collect(),
        }
    }

    /// The data of a report that was made at `now` or later.
    pub(in crate::store) fn extra(&self, now: Age, names: &Interner) -> NodeExtra {
        let disk = |of: &Option<SpaceReport>| {
            of.as_ref().map(|of| Disk {
                used: Bytes(of.used),
                capacity: Bytes(of.capacity),
                available: Bytes(of.available),
            })
        };
        let possible = |pod: &&PodReport| is_name(&pod.namespace) && is_name(&pod.name);
        let pods = self.pods.iter().filter(possible).map(|pod| {
            let common = pod.common.clone().unwrap_or_default();
            PodExtra {
                key: names.key(&pod.namespace, &pod.name),
                traffic: common.traffic(),
                storage: pod.storage.and_then(NonMaxU64::new),
                swap: NonZeroU64::new(pod.swap),
                processes: common.process_count(),
                started: NonZeroU32::new(pod.started),
                pressure: common.pressure(),
            }
        });
        let mut pods: Vec<PodExtra> = pods.collect();
        // Lookups rely on the order.
        pods.sort_by(|a, b| a.key.cmp(&b.key));
        pods.dedup_by(|a, b| a.key == b.key);
        let claims = self.claims.iter();
        let mut claims: Vec<ClaimExtra> = claims.filter_map(|it| it.claim(names)).collect();
        claims.sort_by(|a, b| a.key.cmp(&b.key));
        claims.dedup_by(|a, b| a.key == b.key);
        let own = self.own.clone().unwrap_or_default();
        NodeExtra {
            scraped: now.before(Duration::from_millis(self.scraped_ago)),
            until: now.after(Duration::from_millis(self.fresh_for)),
            disk: disk(&self.disk),
            image_disk: disk(&self.image_disk),
            pressure: own.pressure(),
            swap: self.swap.as_ref().map(|swap| Swap {
                used: Bytes(swap.used),
                capacity: Bytes(swap.capacity),
            }),
            traffic: own.traffic(),
            processes: own.process_count(),
            pods: pods.into_boxed_slice(),
            claims: claims.into_boxed_slice(),
        }
    }
}

impl ClaimReport {
    fn of(claim: &ClaimExtra) -> Self {
        let Measurement {
            at,
            capacity,
            available,
            used,
            inodes,
            inodes_used,
        } = claim.last;
        Self {
            namespace: claim.key.namespace.to_string(),
            name: claim.key.name.to_string(),
            pods: claim.pods.iter().map(|pod| pod.name.to_string()).collect(),
            at,
            capacity: capacity.map(NonMaxU64::get),
            available: available.map(NonMaxU64::get),
            used: used.map(NonMaxU64::get),
            inodes,
            inodes_used: inodes_used.map(NonMaxU64::get),
            times: claim.samples.iter().map(|sample| sample.at).collect(),
            values: claim.samples.iter().map(|sample| sample.value).collect(),
        }
    }

    /// None for names that Kubernetes does not allow.
    fn claim(&self, names: &Interner) -> Option<ClaimExtra> {
        if !is_name(&self.namespace) || !is_name(&self.name) {
            return None;
        }
        let pods = self.pods.iter().filter(|pod| is_name(pod));
        let samples = self.times.iter().zip(&self.values).take(MAX_SAMPLES);
        let samples = samples.map(|(at, value)| Sample {
            at: *at,
            value: *value,
        });
        Some(ClaimExtra {
            key: names.key(&self.namespace, &self.name),
            pods: pods.map(|pod| names.key(&self.namespace, pod)).collect(),
            last: Measurement {
                at: self.at,
                capacity: self.capacity.and_then(NonMaxU64::new),
                available: self.available.and_then(NonMaxU64::new),
                used: self.used.and_then(NonMaxU64::new),
                inodes: self.inodes,
                inodes_used: self.inodes_used.and_then(NonMaxU64::new),
            },
            samples: samples.collect(),
        })
    }
}

impl CommonReport {
    fn of(traffic: Traffic, processes: Option<NonMaxU32>, pressure: Pressure) -> Self {
        let (rx, tx, at, rate) = traffic.parts();
        let [cpu, memory, io] = pressure.hundredths();
        Self {
            rx,
            tx,
            at,
            rx_rate: rate.map(|(rx, _)| rx),
            tx_rate: rate.map(|(_, tx)| tx),
            processes: processes.map(NonMaxU32::get),
            cpu,
            memory,
            io,
        }
    }

    fn traffic(&self) -> Traffic {
        Traffic::from_parts(self.rx, self.tx, self.at, self.rx_rate.zip(self.tx_rate))
    }

    fn process_count(&self) -> Option<NonMaxU32> {
        self.processes
            .and_then(|count| NonMaxU32::new(count.into()))
    }

    fn pressure(&self) -> Pressure {
        Pressure::from_hundredths([self.cpu, self.memory, self.io])
    }
}
