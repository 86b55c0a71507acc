//! NodeVitals.

use std::sync::Arc;

use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{
    API_VERSION, Absence, Condition, Meta, NodeImages, NodeRatios, NodeSystem, NodeVitals,
    PodCapacity,
};

use super::amounts::{amounts, disk, network, part, pressure};
use super::builder::{NodeContext, VitalsBuilder};
use super::totals::NodeTotal;
use super::usage::UsageSample;
use super::{absence, gpu, meta, restarts, stats, trend};
use crate::cluster::{self, Node, Resources};
use crate::store::Absent;

impl VitalsBuilder {
    /// Builds the vitals of a node.
    pub fn node(&mut self, node: &Node) -> NodeVitals {
        let readings = self.node_context(&node.name);
        let NodeTotal {
            pods,
            requests,
            limits,
        } = self.totals().node(&node.name);
        let (requests, limits) = (self.whole(requests), self.whole(limits));
        let at = self.at();
        let uid = node.uid.to_string();
        let ready = self.is_ready(node);
        let had_begun = |since: u32| cluster::time(since).is_none_or(|since| since <= at);
        let conditions = node.conditions.iter();
        let conditions = conditions.filter(|condition| had_begun(condition.since_seconds));
        let conditions = conditions.map(|condition| Condition {
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
                uid: meta::uid("NodeVitals", "", &node.name, &uid),
                creation_timestamp: node.created(),
                labels: meta::labels(&node.labels),
                owner_references: meta::owner("Node", &node.name, &uid),
                ..Meta::default()
            },
            status: node.status(ready).to_owned(),
            ready,
            ready_since: node.ready_since.filter(|since| *since <= at),
            conditions: conditions.collect(),
            // Those of a past time are not stored.
            taints: match self.as_of {
                Some(_) => Vec::new(),
                None => node.taints.iter().map(ToString::to_string).collect(),
            },
            system: system(node),
            images: (node.images.count > 0).then_some(NodeImages {
                count: node.images.count,
                bytes: node.images.bytes,
            }),
            capacity: amounts(node.capacity),
            allocatable: amounts(node.allocatable),
            requests: amounts(requests),
            limits: amounts(limits),
            ratios: shares(None, requests, node.allocatable),
            pods: PodCapacity {
                count: pods,
                capacity: node.pod_capacity.into(),
            },
            ..NodeVitals::default()
        };
        match node_usage(self, &readings) {
            Ok(used) => {
                vitals.usage = Some(used.to_api());
                let both = Some((used.cpu, used.memory));
                vitals.ratios = shares(both, requests, node.allocatable);
            }
            Err(absent) => vitals.absent = Some(absent),
        }
        vitals.restarts = restarts::recent_by_node(self)
            .get(&node.name)
            .copied()
            .unwrap_or_default();
        vitals.incidents = match &self.as_of {
            Some(as_of) => as_of.incidents("", &node.name),
            None => Vec::from_iter(self.sources.health.open_of_node(&node.name)),
        };
        vitals.trend = trend::of_node(self, &node.name);
        vitals.stats = stats::of_node(self, &node.name);
        gpu::set_of_node(self, &mut vitals, &readings);
        if let Some(record) = readings.record.as_ref().filter(|_| self.as_of.is_none()) {
            let path = node.metrics_path.as_deref().unwrap_or("/metrics/resource");
            vitals.pages = record.read(|history| absence::pages(history, path));
        }
        if let Some(extra) = &readings.extra {
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

/// The versions that the node reports.
fn system(node: &Node) -> Option<NodeSystem> {
    let text = |version: &Option<Arc<str>>| version.as_deref().unwrap_or_default().to_owned();
    let system = NodeSystem {
        kubelet_version: text(&node.kubelet_version),
        container_runtime: text(&node.container_runtime),
        os_image: text(&node.os_image),
        kernel_version: text(&node.kernel_version),
    };
    (system != NodeSystem::default()).then_some(system)
}

/// The usage of a node, or why it is absent.
pub(super) fn node_usage(
    builder: &VitalsBuilder,
    readings: &NodeContext,
) -> Result<UsageSample, Absence> {
    if builder.as_of.is_some() {
        let past = readings.past.as_ref().and_then(|past| past.node);
        return past.ok_or_else(absence::no_sample);
    }
    let Some(latest) = readings.latest.as_deref() else {
        return Err(absence::unanswered("the node", readings));
    };
    let latest = latest.node(builder.sources.retention, builder.now);
    let latest = latest.map_err(|absent| {
        let of_shard = || absence::shard("the node", readings);
        let gone = (absent == Absent::Stale).then(of_shard).flatten();
        gone.unwrap_or_else(|| absence::lacking("it", &absent))
    })?;
    Ok(UsageSample::node(&latest.usage))
}

/// When the usage of a node arrived, by the server's clock. For a time in the past, when it was measured.
pub(super) fn node_usage_arrival(
    builder: &VitalsBuilder,
    readings: &NodeContext,
) -> Option<Timestamp> {
    if let Some(past) = &readings.past {
        return past.node.map(|used| past.offset.ours(used.at));
    }
    let latest = readings.latest.as_ref()?.node.as_ref().ok()?;
    let ago = nanos(builder.now.since(latest.arrived));
    Some(builder.wall.plus_nanos(-ago))
}

/// Usage and requests as parts of the allocatable amounts.
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
