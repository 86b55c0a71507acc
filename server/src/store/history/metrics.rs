//! Metrics of the history.

use std::sync::Arc;

use crate::clock::Clock;
use crate::store::Store;
use crate::telemetry::metrics::{Registry, collect};

/// Registers the metrics of the history in `store`.
pub fn register(registry: &mut Registry, store: &Arc<Store>, clock: &Arc<dyn Clock>) {
    let source = (Arc::clone(store), Arc::clone(clock));
    collect(registry, source, |(store, clock), families| {
        let history = store.history();
        let totals = history.totals_at(clock.elapsed(), clock.wall());
        families.gauge(
            "kubevitals_history_series",
            "Series in the history: of nodes and containers, including those that are gone",
            totals.series as u64,
        )?;
        families.gauge(
            "kubevitals_history_points",
            "Samples of all series in the history",
            totals.points as u64,
        )?;
        families.gauge(
            "kubevitals_history_bytes",
            "Memory of the history: samples, lists and names; names that other caches share are counted in full",
            totals.bytes as u64,
        )?;
        families.gauge(
            "kubevitals_history_bytes_limit",
            "--history-memory-limit, in bytes, or less if the memory limit of the process leaves less",
            history.memory_limit() as u64,
        )?;
        families.gauge(
            "kubevitals_history_retention_seconds",
            "How long samples are stored: --history-retention, or less if memory does not suffice",
            history.retention().as_secs(),
        )?;
        families.fraction(
            "kubevitals_history_oldest_time_seconds",
            "Time of the oldest sample by its kubelet's clock, in seconds since the Unix epoch",
            totals.oldest.map(|oldest| oldest.as_secs() as f64),
        )?;
        families.counter(
            "kubevitals_history_cut_blocks",
            "Blocks of some thirty samples each that were evicted before their time, because of --history-memory-limit",
            totals.cut_blocks,
        )?;
        families.counter(
            "kubevitals_history_refused_points",
            "Samples that were not stored: memory exceeded --history-memory-limit and nothing could be evicted yet, or the \
             node had reached its limit of series or of unknown pods",
            totals.refused_points,
        )?;
        families.gauge(
            "kubevitals_history_shortened_nodes",
            "Nodes whose history is shorter than that of others, because it exceeds their share of --history-memory-limit",
            totals.shortened_nodes as u64,
        )
    });
}
