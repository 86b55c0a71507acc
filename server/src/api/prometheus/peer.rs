//! The peer's six families, under its names, with its labels and buckets, so that its dashboards and alerts go on
//! working. Its series of gone nodes stay for ever; ours go with the nodes.

use std::fmt;

use super::Known;
use super::families::Families;
use crate::scrape::DURATION_BOUNDS;

/// Of the peer's manager: Prometheus' own, and some up to twice the resolution of 15 s.
const TICK_BOUNDS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 12.5, 15.0, 22.5, 30.0,
];

pub(super) fn write(families: &mut Families<'_>, known: &Known<'_>) -> fmt::Result {
    families.histogram(
        "metrics_server_api_metric_freshness_seconds",
        "How old metrics were when they were answered, for each node and pod of an answer.",
        |family| family.counted(&[], &known.query.freshness()),
    )?;
    families.histogram(
        "metrics_server_kubelet_request_duration_seconds",
        "How long requests to a node's kubelet took, whatever came of them.",
        |family| {
            for (node, record) in &known.records {
                let durations = record.read(|history| history.durations.clone());
                if durations.count() == 0 {
                    continue;
                }
                let bounds = DURATION_BOUNDS.iter().copied().chain([f64::INFINITY]);
                let buckets: Vec<(f64, u64)> =
                    bounds.zip(durations.counts.map(u64::from)).collect();
                family.buckets(&[("node", node)], durations.sum, &buckets)?;
            }
            Ok(())
        },
    )?;
    families.counter(
        "metrics_server_kubelet_request",
        "Requests to kubelets.",
        |family| {
            let failed: u64 = known.scrapes.failed.values().sum();
            family.total(&[("success", "true")], known.scrapes.succeeded)?;
            family.total(&[("success", "false")], failed)
        },
    )?;
    families.gauge(
        "metrics_server_kubelet_last_request_time_seconds",
        "When a node's kubelet was last asked, in seconds since the Unix epoch.",
        |family| {
            for (node, record) in &known.records {
                if let Some(begun) = record.read(|history| history.begun) {
                    let seconds = u64::try_from(begun.wall.as_secs()).unwrap_or_default();
                    family.value(&[("node", node)], seconds)?;
                }
            }
            Ok(())
        },
    )?;
    families.histogram(
        "metrics_server_manager_tick_duration_seconds",
        "How long it took to ask a node and to take in its answer; there is no tick over all nodes here.",
        |family| {
            let latency = &known.latency;
            let mut before = 0;
            let mut buckets: Vec<(f64, u64)> = Vec::with_capacity(TICK_BOUNDS.len() + 1);
            for bound in TICK_BOUNDS {
                let at_most = latency.at_most(bound);
                buckets.push((bound, at_most.saturating_sub(before)));
                before = at_most;
            }
            buckets.push((f64::INFINITY, latency.count().saturating_sub(before)));
            family.buckets(&[], latency.sum.as_secs_f64(), &buckets)
        },
    )?;
    families.gauge(
        "metrics_server_storage_points",
        "Nodes and containers of which there is a point.",
        |family| {
            family.value(&[("type", "node")], known.held.nodes)?;
            family.value(&[("type", "container")], known.held.containers)
        },
    )
}
