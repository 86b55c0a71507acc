//! Figures of the server's own state, for `/metrics`.

use std::fmt;
use std::sync::Arc;

use super::Query;
use super::targets::RateCounts;
use crate::scrape::Record;
use crate::telemetry::metrics::{Families, Registry, collect};

impl Query {
    /// The record of each node's scrapes, by node name.
    pub fn records(&self) -> Vec<(Arc<str>, Arc<Record>)> {
        self.sources.stats.records().all()
    }

    /// Registers the metrics of responses and of the store.
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
        let cells = self.sources.store.cells();
        let extras = cells.values().filter_map(|cell| cell.last_extra());
        let extra_bytes: u64 = extras.map(|extra| extra.bytes() as u64).sum();
        let (mut rates, mut rate_bytes) = (0, 0);
        let [mut of_nodes, mut of_pods] = [(); 2].map(|()| RateCounts::default());
        for latest in cells.values().filter_map(|cell| cell.latest()) {
            rate_bytes += latest.bytes() as u64;
            rates += latest.containers.len() as u64 + u64::from(latest.node.is_ok());
            of_nodes.add(&latest.node);
            latest.pods.iter().for_each(|pod| of_pods.add(&pod.rates));
        }
        families.gauges(
            "kubevitals_store_points",
            "Values in the store: the last sample of each series, and the rates computed from samples",
            ["type"],
            [(["reading"], nodes + containers), (["rate"], rates)],
        )?;
        families.gauges(
            "kubevitals_store_bytes",
            "Memory of samples, rates, and other values of /stats/summary, without interned names",
            ["type"],
            [
                (["reading"], bytes),
                (["rate"], rate_bytes),
                (["extra"], extra_bytes),
            ],
        )?;
        families.gauges(
            "kubevitals_whole",
            "Nodes and pods whose last scrape had everything for their rates, by resource",
            ["resource"],
            [(["nodes"], of_nodes.whole), (["pods"], of_pods.whole)],
        )?;
        families.gauges(
            "kubevitals_incomplete_nodes",
            "Nodes whose last scrape lacked something for their rates, by what is missing",
            ["lack"],
            of_nodes.by_lack(),
        )?;
        families.gauges(
            "kubevitals_incomplete_pods",
            "Pods whose last scrape lacked something for their rates, by what their first such container lacks",
            ["lack"],
            of_pods.by_lack(),
        )
    }
}
