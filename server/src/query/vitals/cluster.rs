//! The whole cluster.

use std::sync::Arc;

use kubevitals_proto::duration::GoDuration;
use kubevitals_proto::vitals::{
    API_VERSION, ClusterVitals, HistoryKept, IncidentCounts, Meta, NodeCounts, PodCounts, Usage,
};

use super::Teller;
use super::amounts::amounts;
use super::node::shares;
use super::usage::Used;
use crate::cluster::Resources;

/// Its only name.
const NAME: &str = "cluster";

impl Teller {
    /// The cluster's.
    pub fn cluster(&mut self) -> ClusterVitals {
        let nodes = Arc::clone(&self.nodes);
        let (mut used, mut reporting, mut ready) = (None::<Used>, 0, 0);
        let mut newest = None;
        let (mut capacity, mut allocatable) = (Resources::default(), Resources::default());
        for node in nodes.values() {
            capacity = capacity + node.capacity;
            allocatable = allocatable + node.allocatable;
            ready += u64::from(match &self.as_of {
                Some(as_of) => as_of.is_ready(node),
                None => node.ready,
            });
            let met = self.meet(&node.name);
            if let Ok(its) = self.node_usage(&met) {
                reporting += 1;
                used = Some(used.map_or(its, |used| used.and(its)));
                newest = newest.max(self.arrived(&met));
            }
        }
        let (incidents, probes_failing) = self.counts();
        let trend = self.cluster_trend();
        let totals = self.totals();
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
                by_phase: totals
                    .phases
                    .iter()
                    .map(|(phase, count)| ((*phase).to_owned(), *count))
                    .collect(),
            },
            // By our clock: nodes have clocks of their own, and one that is wrong says nothing of the others.
            usage: used.map(|used| Usage {
                timestamp: newest,
                ..used.told()
            }),
            capacity: amounts(capacity),
            allocatable: amounts(allocatable),
            requests: amounts(totals.all.requests),
            limits: amounts(totals.all.limits),
            ratios: shares(
                used.map(|used| (used.cpu, used.memory)),
                totals.all.requests,
                allocatable,
            ),
            probes_failing,
            restarts: self.restarts_of_all(),
            incidents,
            history: self.history(),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            trend,
        }
    }

    /// Incidents, and probes that fail.
    fn counts(&self) -> (IncidentCounts, u64) {
        if let Some(as_of) = &self.as_of {
            let counts = IncidentCounts {
                open: as_of.going_on,
                total: as_of.begun,
            };
            return (counts, as_of.probes);
        }
        let counts = self.health.counts();
        let mut incidents = IncidentCounts::default();
        for (open, over) in counts.incidents.values() {
            incidents.open += open;
            incidents.total += open + over;
        }
        (incidents, counts.failing.values().sum())
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
