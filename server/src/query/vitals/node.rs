//! Nodes.

use kubevitals_proto::quantity::Quantity;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    API_VERSION, Condition, Meta, NodeRatios, NodeVitals, PodRoom, Usage,
};

use super::amounts::{amounts, disk, network, part, pressure};
use super::totals::NodeTotal;
use super::{Teller, absence};
use crate::cluster::{self, Node, Resources};
use crate::store::Absent;

impl Teller {
    /// A node's.
    pub fn node(&mut self, node: &Node) -> NodeVitals {
        let met = self.meet(&node.name);
        let NodeTotal {
            pods,
            requests,
            limits,
        } = self.totals.node(&node.name);
        let conditions = node.conditions.iter().map(|condition| Condition {
            kind: condition.kind.to_string(),
            status: condition.status.as_str().to_owned(),
            reason: condition.reason.as_deref().unwrap_or_default().to_owned(),
            since: cluster::time(condition.since_seconds),
        });
        let mut vitals = NodeVitals {
            kind: "NodeVitals".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: Meta {
                name: node.name.to_string(),
                uid: node.uid.to_string(),
                creation_timestamp: node.created(),
                labels: node.labels.clone(),
                ..Meta::default()
            },
            status: node.status().to_owned(),
            ready: node.ready,
            ready_since: node.ready_since,
            conditions: conditions.collect(),
            capacity: amounts(node.capacity),
            allocatable: amounts(node.allocatable),
            requests: amounts(requests),
            limits: amounts(limits),
            ratios: shares(None, requests, node.allocatable),
            pods: PodRoom {
                count: pods,
                capacity: node.pod_capacity.into(),
            },
            ..NodeVitals::default()
        };
        let latest = met.latest.as_deref().ok_or(Absent::NotReported);
        match latest.and_then(|latest| latest.node(self.retention, self.now)) {
            Ok(measured) => {
                let used = (measured.usage.cpu, measured.usage.memory);
                vitals.usage = Some(Usage {
                    cpu: Quantity::from_nanocores(used.0),
                    memory: Quantity::from_bytes(used.1),
                    swap: None,
                    timestamp: Some(measured.usage.at),
                    window: Some(measured.usage.window),
                });
                vitals.ratios = shares(Some(used), requests, node.allocatable);
            }
            Err(absent) => vitals.absent = Some(absence::lacking("it", &absent)),
        }
        if let Some(extra) = &met.extra {
            vitals.disk = extra.disk.map(disk);
            vitals.image_disk = extra.image_disk.map(disk);
            vitals.network = extra.network().map(network);
            vitals.pressure = pressure(extra.pressure);
            vitals.processes = extra.processes().map(u64::from);
            vitals.swap_capacity = extra.swap.map(|swap| swap.capacity.into());
            if let Some(usage) = &mut vitals.usage {
                usage.swap = extra.swap.map(|swap| swap.used.into());
            }
        }
        vitals
    }
}

/// What is used and requested of what pods can have.
pub(super) fn shares(
    used: Option<(Nanocores, Bytes)>,
    requests: Resources,
    allocatable: Resources,
) -> NodeRatios {
    let of_cpu = |cpu: Option<Nanocores>| part(cpu?.0, allocatable.cpu?.0);
    let of_memory = |memory: Option<Bytes>| part(memory?.0, allocatable.memory?.0);
    NodeRatios {
        cpu: of_cpu(used.map(|used| used.0)),
        cpu_requested: of_cpu(requests.cpu),
        memory: of_memory(used.map(|used| used.1)),
        memory_requested: of_memory(requests.memory),
    }
}
