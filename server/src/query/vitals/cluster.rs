//! ClusterVitals.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::{Timestamp, nanos};
use kubevitals_proto::vitals::{
    API_VERSION, ClusterVitals, HistoryStatus, IncidentCounts, Meta, NodeCounts, NodeRatios,
    PodCounts, Usage,
};

use super::amounts::amounts;
use super::builder::VitalsBuilder;
use super::node::{node_usage, node_usage_arrival, shares};
use super::usage::UsageSample;
use super::{restarts, trend};
use crate::cluster::Resources;
use crate::query::ClusterSingleton;

impl VitalsBuilder {
    /// Builds the vitals of the cluster.
    pub fn cluster(&mut self) -> ClusterVitals {
        let nodes = Arc::clone(&self.nodes);
        let (mut used, mut reporting, mut ready) = (None::<UsageSample>, 0, 0);
        let mut oldest: Option<Timestamp> = None;
        let [mut capacity, mut allocatable, mut of_reporting] = [Resources::default(); 3];
        for node in nodes.values() {
            capacity = capacity + node.capacity;
            allocatable = allocatable + node.allocatable;
            ready += u64::from(self.is_ready(node));
            let readings = self.node_context(&node.name);
            if let Ok(usage) = node_usage(self, &readings) {
                reporting += 1;
                used = Some(used.map_or(usage, |used| used.and(usage)));
                of_reporting = of_reporting + node.allocatable;
                let arrived = node_usage_arrival(self, &readings);
                oldest = [oldest, arrived].into_iter().flatten().min();
            }
        }
        let (incidents, probes_failing, pods_failing) = counts(self);
        let trend = trend::of_cluster(self);
        let totals = self.totals();
        let requests = self.whole(totals.all.requests);
        let used_of = shares(
            used.map(|used| (used.cpu, used.memory)),
            Resources::default(),
            of_reporting,
        );
        ClusterVitals {
            kind: "ClusterVitals".to_owned(),
            api_version: API_VERSION.to_owned(),
            metadata: Meta {
                name: ClusterSingleton::NAME.to_owned(),
                ..Meta::default()
            },
            nodes: NodeCounts {
                total: nodes.len() as u64,
                ready,
                reporting,
            },
            pods: PodCounts {
                total: self.pods.len() as u64,
                ready: totals.ready,
                probes_failing: pods_failing,
                by_phase: totals
                    .phases
                    .iter()
                    .map(|(phase, count)| ((*phase).to_owned(), *count))
                    .collect(),
            },
            // By the server's clock: the clock of one node must not change the timestamp of the sum.
            usage: used.map(|used| Usage {
                timestamp: oldest,
                ..used.to_api()
            }),
            capacity: amounts(capacity),
            allocatable: amounts(allocatable),
            allocatable_reporting: Some(amounts(of_reporting)),
            requests: amounts(requests),
            limits: amounts(self.whole(totals.all.limits)),
            ratios: NodeRatios {
                // Usage as a part of the capacity of those nodes that report usage.
                cpu: used_of.cpu,
                memory: used_of.memory,
                ..shares(None, requests, allocatable)
            },
            probes_failing,
            restarts: restarts::recent_by_node(self).values().sum(),
            incidents,
            history: history(self),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            trend,
        }
    }
}

/// The numbers of incidents, of failing probes, and of pods with failing probes; those are unknown for a time in the
/// past.
fn counts(builder: &VitalsBuilder) -> (IncidentCounts, u64, Option<u64>) {
    if let Some(as_of) = &builder.as_of {
        let (open, total) = (as_of.open_count, as_of.total);
        return (IncidentCounts { open, total }, as_of.failing_probes, None);
    }
    let metrics = builder.sources.health.metrics();
    let mut incidents = IncidentCounts::default();
    for (open, over) in metrics.incidents.values() {
        incidents.open += open;
        incidents.total += open + over;
    }
    let failing = metrics.failing.values().sum();
    (incidents, failing, Some(metrics.failing_pods))
}

fn history(builder: &VitalsBuilder) -> HistoryStatus {
    let counts = builder
        .sources
        .history()
        .totals_at(builder.now, builder.wall);
    HistoryStatus {
        retention: GoDuration(nanos(builder.history_span)),
        oldest: counts.oldest,
        series: counts.series as u64,
        points: counts.points as u64,
        bytes: counts.bytes as u64,
        engine: builder.sources.engine.is_some(),
    }
}
