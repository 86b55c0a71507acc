//! Figures of the server's own state, for `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Query;
use crate::scrape::{Latency, Record};
use crate::store::history::{Counts, Settings};
use crate::telemetry::Buckets;

/// Counts of complete and incomplete readings in the kubelets' last responses, and their memory.
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

impl Query {
    /// Counts of complete and incomplete readings in the kubelets' last responses.
    pub fn wholeness(&self) -> Wholeness {
        let mut whole = Wholeness::default();
        let cells = self.sources.store.cells();
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

    /// The record of each node's scrapes, by node name.
    pub fn records(&self) -> Vec<(Arc<str>, Arc<Record>)> {
        self.sources.stats.records().all()
    }

    /// The duration of successful scrapes.
    pub fn latency(&self) -> Latency {
        self.sources.stats.latency()
    }

    /// The age of metrics in responses, in seconds.
    pub fn freshness(&self) -> Buckets {
        self.freshness.read()
    }

    /// The number of nodes and of pods.
    pub fn objects(&self) -> (u64, u64) {
        let (nodes, pods) = (self.sources.cluster.nodes(), self.sources.cluster.pods());
        (nodes.len() as u64, pods.len() as u64)
    }

    /// The number of interned names and labels.
    pub fn names(&self) -> u64 {
        self.sources.cluster.names().len() as u64
    }

    /// Counts over the history. Reads every node.
    pub fn history_counts(&self) -> Counts {
        let history = self.sources.store.history();
        history.counts_at(self.sources.now(), self.wall())
    }

    /// The configured history.
    pub fn history_settings(&self) -> Settings {
        *self.sources.store.history().settings()
    }

    /// The time for which samples are stored: the configured retention, or less if the memory limit allows less.
    pub fn history_remembers(&self) -> Duration {
        self.sources.store.history().remembers()
    }
}
