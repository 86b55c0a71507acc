//! Figures of the server's own state, for `/metrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Query;
use crate::scrape::Record;
use crate::store::history::Settings;
use crate::telemetry::metrics::{Families, Registry, collect};

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

    /// The configured history.
    pub fn history_settings(&self) -> Settings {
        *self.sources.store.history().settings()
    }

    /// The time for which samples are stored: the configured retention, or less if the memory limit allows less.
    pub fn history_remembers(&self) -> Duration {
        self.sources.store.history().retention()
    }

    /// Registers the metrics of answers, and of what the store has for them.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register(
            "metrics_server_api_metric_freshness_seconds",
            "Age of metrics in a response, for each node and pod of the response",
            self.freshness.clone(),
        );
        collect(registry, Arc::clone(self), |query, families| {
            query.collect(families)
        });
    }

    fn collect(&self, families: &mut Families<'_>) -> fmt::Result {
        let (mut nodes, mut containers, mut bytes) = (0, 0, 0);
        for (_, record) in self.records() {
            let size = record.read(|history| history.series);
            nodes += u64::from(size.node);
            containers += u64::from(size.containers);
            bytes += u64::from(size.bytes);
        }
        let series = [(["node"], nodes), (["container"], containers)];
        families.gauges(
            "metrics_server_storage_points",
            "Nodes and containers that have a sample",
            ["type"],
            series,
        )?;
        families.gauges(
            "kubevitals_store_series",
            "Series in the store: nodes and containers that have a sample",
            ["type"],
            series,
        )?;
        let whole = self.wholeness();
        families.gauges(
            "kubevitals_store_points",
            "Values in the store: the last sample of each series, and the rates computed from samples",
            ["type"],
            [(["reading"], nodes + containers), (["rate"], whole.rates)],
        )?;
        families.gauges(
            "kubevitals_store_bytes",
            "Memory of samples, rates, and other values of /stats/summary, without interned names",
            ["type"],
            [
                (["reading"], bytes),
                (["rate"], whole.bytes),
                (["extra"], whole.extra_bytes),
            ],
        )?;
        families.gauges(
            "kubevitals_whole",
            "Nodes and pods whose last scrape had everything for their rates, by resource",
            ["resource"],
            [(["nodes"], whole.whole_nodes), (["pods"], whole.whole_pods)],
        )?;
        let by_lack = |lacks: &BTreeMap<&'static str, u64>| {
            let lacks = lacks.iter().map(|(lack, count)| ([*lack], *count));
            lacks.collect::<Vec<_>>()
        };
        families.gauges(
            "kubevitals_incomplete_nodes",
            "Nodes whose last scrape lacked something for their rates, by what is missing",
            ["lack"],
            by_lack(&whole.incomplete_nodes),
        )?;
        families.gauges(
            "kubevitals_incomplete_pods",
            "Pods whose last scrape lacked something for their rates, by what their first such container lacks",
            ["lack"],
            by_lack(&whole.incomplete_pods),
        )
    }
}
