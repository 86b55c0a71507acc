//! The whole cluster.

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{API_VERSION, ClusterVitals, Meta, NodeCounts, PodCounts, Usage};

use super::Teller;
use super::amounts::amounts;
use super::node::shares;
use crate::cluster::Resources;

/// Its only name.
const NAME: &str = "cluster";

/// What the nodes that have usage use.
#[derive(Debug, Default)]
struct Used {
    nodes: u64,
    cpu: u64,
    memory: u64,
    /// The oldest of the nodes' times, and the longest of their windows.
    at: Option<Timestamp>,
    window: GoDuration,
}

impl Teller {
    /// The cluster's.
    pub fn cluster(&mut self) -> ClusterVitals {
        let nodes = std::sync::Arc::clone(&self.nodes);
        let mut used = Used::default();
        let (mut capacity, mut allocatable) = (Resources::default(), Resources::default());
        for node in nodes.values() {
            capacity = capacity + node.capacity;
            allocatable = allocatable + node.allocatable;
            let met = self.meet(&node.name);
            let latest = met.latest.as_deref();
            let latest = latest.and_then(|latest| latest.node(self.retention, self.now).ok());
            if let Some(latest) = latest {
                let usage = &latest.usage;
                used.nodes += 1;
                used.cpu = used.cpu.saturating_add(usage.cpu.0);
                used.memory = used.memory.saturating_add(usage.memory.0);
                used.at = Some(used.at.map_or(usage.at, |at| at.min(usage.at)));
                used.window = used.window.max(usage.window);
            }
        }
        let totals = &self.totals;
        let (cpu, memory) = (Nanocores(used.cpu), Bytes(used.memory));
        let some = (used.nodes > 0).then_some((cpu, memory));
        ClusterVitals {
            kind: "ClusterVitals".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: Meta {
                name: NAME.to_owned(),
                ..Meta::default()
            },
            nodes: NodeCounts {
                total: nodes.len() as u64,
                ready: nodes.values().filter(|node| node.ready).count() as u64,
                reporting: used.nodes,
            },
            pods: PodCounts {
                total: self.pods.len() as u64,
                ready: totals.ready,
                by_phase: totals
                    .phases
                    .iter()
                    .map(|(phase, count)| ((*phase).to_owned(), *count))
                    .collect(),
            },
            usage: some.map(|_| Usage {
                cpu: Quantity::from_nanocores(cpu),
                memory: Quantity::from_bytes(memory),
                swap: None,
                timestamp: used.at,
                window: Some(used.window),
            }),
            capacity: amounts(capacity),
            allocatable: amounts(allocatable),
            requests: amounts(totals.all.requests),
            limits: amounts(totals.all.limits),
            ratios: shares(some, totals.all.requests, allocatable),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..ClusterVitals::default()
        }
    }
}
