//! ClusterVitals.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    API_VERSION, ClusterVitals, HistoryKept, IncidentCounts, Meta, NodeCounts, NodeRatios,
    PodCounts, Usage,
};

use super::amounts::amounts;
use super::builder::VitalsContext;
use super::node::{node_usage, node_usage_arrival, shares};
use super::usage::UsageSample;
use super::{restarts, trend};
use crate::cluster::Resources;

/// Failing probes.
struct Failing {
    probes: u64,
    /// The pods with failing probes; unknown for a time in the past.
    pods: Option<u64>,
}

/// The name of the only ClusterVitals object.
const NAME: &str = "cluster";

/// Builds the vitals of the cluster.
pub(super) fn cluster_vitals(context: &mut VitalsContext) -> ClusterVitals {
    let nodes = Arc::clone(&context.nodes);
    let (mut used, mut reporting, mut ready) = (None::<UsageSample>, 0, 0);
    let mut oldest: Option<Timestamp> = None;
    let (mut capacity, mut allocatable, mut of_reporting) = (
        Resources::default(),
        Resources::default(),
        Resources::default(),
    );
    for node in nodes.values() {
        capacity = capacity + node.capacity;
        allocatable = allocatable + node.allocatable;
        ready += u64::from(match &context.as_of {
            Some(as_of) => as_of.is_ready(node),
            None => node.ready,
        });
        let readings = context.node_context(&node.name);
        if let Ok(usage) = node_usage(context, &readings) {
            reporting += 1;
            used = Some(used.map_or(usage, |used| used.and(usage)));
            of_reporting = of_reporting + node.allocatable;
            let arrived = node_usage_arrival(context, &readings);
            oldest = oldest.map_or(arrived, |oldest| {
                Some(arrived.map_or(oldest, |at| at.min(oldest)))
            });
        }
    }
    let (incidents, failing) = counts(context);
    let trend = trend::of_cluster(context);
    let totals = context.totals();
    let used_of = shares(
        used.map(|used| (used.cpu, used.memory)),
        Resources::default(),
        of_reporting,
    );
    ClusterVitals {
        kind: "ClusterVitals".to_owned(),
        api_version: API_VERSION.to_owned(),
        metadata: Meta {
            name: NAME.to_owned(),
            ..Meta::default()
        },
        nodes: NodeCounts {
            total: nodes.len() as u64,
            ready,
            reporting,
        },
        pods: PodCounts {
            total: context.pods.len() as u64,
            ready: totals.ready,
            probes_failing: failing.pods,
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
        requests: amounts(totals.all.requests),
        limits: amounts(totals.all.limits),
        ratios: NodeRatios {
            // Usage as a part of the capacity of those nodes that report usage.
            cpu: used_of.cpu,
            memory: used_of.memory,
            ..shares(None, totals.all.requests, allocatable)
        },
        probes_failing: failing.probes,
        restarts: restarts::of_all(context),
        incidents,
        history: history(context),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        trend,
    }
}

/// Counts of incidents and of failing probes.
fn counts(context: &VitalsContext) -> (IncidentCounts, Failing) {
    if let Some(as_of) = &context.as_of {
        let counts = IncidentCounts {
            open: as_of.open_count,
            total: as_of.total,
        };
        let failing = Failing {
            probes: as_of.failing_probes,
            pods: None,
        };
        return (counts, failing);
    }
    let metrics = context.sources.health.metrics();
    let mut incidents = IncidentCounts::default();
    for (open, over) in metrics.incidents.values() {
        incidents.open += open;
        incidents.total += open + over;
    }
    let failing = Failing {
        probes: metrics.failing.values().sum(),
        pods: Some(metrics.failing_pods),
    };
    (incidents, failing)
}

fn history(context: &VitalsContext) -> HistoryKept {
    let counts = context
        .sources
        .store
        .history()
        .totals_at(context.now, context.wall);
    HistoryKept {
        retention: GoDuration(i64::try_from(context.history_span.as_nanos()).unwrap_or(i64::MAX)),
        oldest: counts.oldest,
        series: counts.series as u64,
        points: counts.points as u64,
        bytes: counts.bytes as u64,
    }
}
