//! The whole cluster.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    API_VERSION, ClusterVitals, HistoryKept, IncidentCounts, Meta, NodeCounts, NodeRatios,
    PodCounts, Usage,
};

use super::VitalsBuilder;
use super::amounts::amounts;
use super::node::shares;
use super::usage::UsageSample;
use crate::cluster::Resources;

/// Probes that fail.
struct Failing {
    probes: u64,
    /// Of how many pods; of a time before now nobody remembers.
    pods: Option<u64>,
}

/// Its only name.
const NAME: &str = "cluster";

impl VitalsBuilder {
    /// The cluster's.
    pub fn cluster(&mut self) -> ClusterVitals {
        let nodes = Arc::clone(&self.nodes);
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
            ready += u64::from(match &self.as_of {
                Some(as_of) => as_of.is_ready(node),
                None => node.ready,
            });
            let met = self.node_context(&node.name);
            if let Ok(its) = self.node_usage(&met) {
                reporting += 1;
                used = Some(used.map_or(its, |used| used.and(its)));
                of_reporting = of_reporting + node.allocatable;
                let arrived = self.arrived(&met);
                oldest = oldest.map_or(arrived, |oldest| {
                    Some(arrived.map_or(oldest, |at| at.min(oldest)))
                });
            }
        }
        let (incidents, failing) = self.counts();
        let trend = self.cluster_trend();
        let totals = self.totals();
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
                total: self.pods.len() as u64,
                ready: totals.ready,
                probes_failing: failing.pods,
                by_phase: totals
                    .phases
                    .iter()
                    .map(|(phase, count)| ((*phase).to_owned(), *count))
                    .collect(),
            },
            // By our clock: nodes have clocks of their own, and one that is wrong says nothing of the others.
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
                // What is used, of what those nodes have that tell of it.
                cpu: used_of.cpu,
                memory: used_of.memory,
                ..shares(None, totals.all.requests, allocatable)
            },
            probes_failing: failing.probes,
            restarts: self.restarts_of_all(),
            incidents,
            history: self.history(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            trend,
        }
    }

    /// Incidents, and probes that fail.
    fn counts(&self) -> (IncidentCounts, Failing) {
        if let Some(as_of) = &self.as_of {
            let counts = IncidentCounts {
                open: as_of.going_on,
                total: as_of.begun,
            };
            let failing = Failing {
                probes: as_of.probes,
                pods: None,
            };
            return (counts, failing);
        }
        let counts = self.health.counts();
        let mut incidents = IncidentCounts::default();
        for (open, over) in counts.incidents.values() {
            incidents.open += open;
            incidents.total += open + over;
        }
        let failing = Failing {
            probes: counts.failing.values().sum(),
            pods: Some(counts.failing_pods),
        };
        (incidents, failing)
    }

    fn history(&self) -> HistoryKept {
        let counts = self.store.history().counts_at(self.now, self.wall);
        HistoryKept {
            retention: GoDuration(i64::try_from(self.remembers.as_nanos()).unwrap_or(i64::MAX)),
            oldest: counts.oldest,
            series: counts.series as u64,
            points: counts.points as u64,
            bytes: counts.bytes as u64,
        }
    }
}
