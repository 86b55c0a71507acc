//! Metrics of the cluster's objects and their watches.

use std::sync::Arc;

use super::{Cluster, WatchHealth, Watches};
use crate::telemetry::metrics::{Registry, collect};

impl Cluster {
    /// Registers its metrics.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        collect(registry, Arc::clone(self), |cluster, families| {
            families.gauges(
                "kubevitals_cluster_objects",
                "Objects in the caches of the watches, by resource; of nodes those that --node-selector selects",
                ["resource"],
                [
                    (["nodes"], cluster.nodes().len() as u64),
                    (["pods"], cluster.pods().len() as u64),
                ],
            )?;
            families.gauge(
                "kubevitals_store_names",
                "Interned names and labels",
                cluster.names().len() as u64,
            )
        });
    }
}

impl Watches {
    /// Registers their metrics.
    pub fn register(&self, registry: &mut Registry) {
        collect(registry, self.clone(), |watches, families| {
            let by_resource = |read: fn(&WatchHealth) -> u64| {
                watches
                    .all()
                    .into_iter()
                    .map(move |(resource, it)| ([resource], read(it)))
            };
            families.counters(
                "kubevitals_watch_failures",
                "Lists and watches at the API server that failed, by resource",
                ["resource"],
                by_resource(WatchHealth::failures),
            )?;
            families.gauges(
                "kubevitals_watch_left_out",
                "Objects that are not stored, because the memory limit is near: those of the last list, or 1 for later ones",
                ["resource"],
                [
                    (["nodes"], watches.nodes.left_out()),
                    (["pods"], watches.pods.left_out()),
                ],
            )?;
            families.gauges(
                "kubevitals_watch_refused",
                "1 if the API server denies this watch, by resource",
                ["resource"],
                by_resource(|it| it.is_denied().into()),
            )?;
            families.counters(
                "kubevitals_watch_restarts",
                "Watches that could not be resumed and began again with a list, by resource",
                ["resource"],
                by_resource(|it| it.lists().saturating_sub(1)),
            )
        });
    }
}
