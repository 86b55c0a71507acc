//! Figures of all that is known, for whoever watches over the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Query;
use crate::scrape::{Latency, Record};
use crate::store::{Absent, Lack, NoRate};
use crate::telemetry::Buckets;

/// How whole the kubelets' last answers were, and what is kept of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wholeness {
    /// Memory that the latest rates take, in bytes, without names.
    pub bytes: u64,
    /// Memory that disks, networks, pressure and the like take, in bytes, without names.
    pub extra_bytes: u64,
    /// Rates of nodes and containers.
    pub rates: u64,
    /// Nodes that have a rate.
    pub whole_nodes: u64,
    /// Pods all of whose containers have one.
    pub whole_pods: u64,
    /// Nodes that have none, by what they lack.
    pub incomplete_nodes: BTreeMap<&'static str, u64>,
    /// Pods that have none, by what the first such container lacks.
    pub incomplete_pods: BTreeMap<&'static str, u64>,
}

impl Absent {
    /// A short name for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Incomplete { lack, .. } => match lack {
                Lack::NoCpu => "no_cpu",
                Lack::ZeroCpu => "zero_cpu",
                Lack::NoMemory => "no_memory",
                Lack::ZeroMemory => "zero_memory",
                Lack::BadLine => "bad_line",
                Lack::Duplicate => "duplicate",
            },
            Self::NoRate { why, .. } => match why {
                NoRate::FirstPoint => "first_point",
                NoRate::Restarted => "restarted",
                NoRate::WentBackwards => "went_backwards",
                NoRate::Impossible => "impossible",
                NoRate::ClockStepped => "clock_stepped",
            },
            Self::Stale => "stale",
            Self::NotReported => "not_reported",
        }
    }
}

impl Query {
    /// How whole the kubelets' last answers were.
    pub fn wholeness(&self) -> Wholeness {
        let mut whole = Wholeness::default();
        let cells = self.store.cells();
        let extras = cells.values().filter_map(|cell| cell.last_extra());
        whole.extra_bytes = extras.map(|extra| extra.bytes() as u64).sum();
        for latest in cells.values().filter_map(|cell| cell.latest()) {
            whole.bytes += latest.bytes() as u64;
            whole.rates += latest.containers.len() as u64 + u64::from(latest.node.is_ok());
            match &latest.node {
                Ok(_) => whole.whole_nodes += 1,
                Err(why) => *whole.incomplete_nodes.entry(why.reason()).or_default() += 1,
            }
            for pod in &latest.pods {
                match &pod.rates {
                    Ok(_) => whole.whole_pods += 1,
                    Err(why) => *whole.incomplete_pods.entry(why.reason()).or_default() += 1,
                }
            }
        }
        whole
    }

    /// What is remembered of each node's scrapes, by the nodes' names.
    pub fn records(&self) -> Vec<(Arc<str>, Arc<Record>)> {
        self.stats.records().all()
    }

    /// How long successful scrapes took.
    pub fn latency(&self) -> Latency {
        self.stats.latency()
    }

    /// How old metrics were when they were answered, in seconds.
    pub fn freshness(&self) -> Buckets {
        self.freshness.read()
    }

    /// How many nodes and how many pods the API server has.
    pub fn objects(&self) -> (u64, u64) {
        let (nodes, pods) = (self.cluster.nodes(), self.cluster.pods());
        (nodes.len() as u64, pods.len() as u64)
    }

    /// How many names and labels are kept.
    pub fn names(&self) -> u64 {
        self.cluster.names().len() as u64
    }
}
