//! Registers the metrics of scrapes.

use std::fmt;
use std::sync::Arc;

use super::record::{DURATION_BOUNDS, Record};
use super::stats::{Latency, Stats};
use crate::telemetry::metrics::{Families, Registry, collect, unix_seconds};

/// From a kubelet next door to the longest timeout.
const SCRAPE_BOUNDS: [f64; 12] = [
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// metrics-server's: Prometheus' own, and some up to twice the resolution of 15 s.
const TICK_BOUNDS: [f64; 15] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 12.5, 15.0, 22.5, 30.0,
];

impl Stats {
    /// Registers them.
    pub fn register(self: &Arc<Self>, registry: &mut Registry) {
        registry.register(
            "kubevitals_scrape_failures",
            "Scrapes that failed, by reason",
            self.failed.clone(),
        );
        registry.register(
            "kubevitals_first_rates_failures",
            "Requests for a kubelet's own first rates that failed, by reason; the second scrape replaces them",
            self.no_first_rates.clone(),
        );
        registry.register(
            "kubevitals_early_scrapes",
            "Scrapes of a node between two turns, because a container had just started, by result: success, failure, or \
             refused, because of their limit, an overload or the node's turn",
            self.early.clone(),
        );
        registry.register(
            "kubevitals_scrape_skipped_lines",
            "Lines of kubelets' responses that could not be parsed and were skipped",
            self.skipped_lines.clone(),
        );
        registry.register(
            "kubevitals_scrape_duplicate_series",
            "Containers and nodes for which a kubelet's response had different values under the same name",
            self.duplicates.clone(),
        );
        registry.register(
            "kubevitals_node_clock_steps",
            "Times that the clock of a node was set between two scrapes",
            self.clock_steps.clone(),
        );
        registry.register(
            "kubevitals_scrapes_under_way",
            "Nodes whose scrape is due and not over",
            self.turns.clone(),
        );
        registry.register(
            "kubevitals_scrape_turns_skipped",
            "Scrapes that were skipped, because an earlier scrape of the node still waited or was under way",
            self.skipped_turns.clone(),
        );
        self.pages.register(registry);
        collect(registry, Arc::clone(self), |stats, families| {
            requests(stats, families)?;
            nodes(&stats.records().all(), families)
        });
    }
}

fn requests(stats: &Stats, families: &mut Families<'_>) -> fmt::Result {
    let latency = stats.latency();
    families.histograms(
        "kubevitals_scrape_duration_seconds",
        "Duration of successful scrapes, from the connection until the response is stored",
        [],
        [([], buckets(&latency, &SCRAPE_BOUNDS))],
    )?;
    families.histograms(
        "metrics_server_manager_tick_duration_seconds",
        "Duration of successful scrapes of a node; there are no ticks over all nodes",
        [],
        [([], buckets(&latency, &TICK_BOUNDS))],
    )?;
    families.counters(
        "metrics_server_kubelet_request",
        "Requests to kubelets, by success",
        ["success"],
        [
            (["true"], latency.count()),
            (["false"], stats.failed.read().values().sum()),
        ],
    )?;
    let requests = stats.gate.load();
    families.gauges(
        "kubevitals_kubelet_requests",
        "Requests to kubelets for any page, by state: under_way, or waiting for the limit",
        ["state"],
        [
            (["under_way"], requests.under_way as u64),
            (["waiting"], requests.waiting as u64),
        ],
    )?;
    families.gauge(
        "kubevitals_kubelet_requests_limit",
        "Limit of concurrent requests to kubelets; it adapts to how fast they respond",
        requests.limit as u64,
    )
}

fn nodes(records: &[(Arc<str>, Arc<Record>)], families: &mut Families<'_>) -> fmt::Result {
    // A node's series go with the node; those of metrics-server stay.
    let durations = records.iter().filter_map(|(node, record)| {
        let durations = record.read(|history| history.durations.clone());
        let bounds = DURATION_BOUNDS.into_iter().chain([f64::INFINITY]);
        let buckets = bounds.zip(durations.counts.map(u64::from)).collect();
        (durations.count() > 0).then_some(([&**node], (durations.sum, buckets)))
    });
    families.histograms(
        "metrics_server_kubelet_request_duration_seconds",
        "Duration of requests to a node's kubelet, including failed ones",
        ["node"],
        durations,
    )?;
    let last = records.iter().filter_map(|(node, record)| {
        let begun = record.read(|history| history.begun)?;
        Some(([&**node], unix_seconds(begun.wall)))
    });
    families.gauges(
        "metrics_server_kubelet_last_request_time_seconds",
        "Time of the last request to a node's kubelet, in seconds since the Unix epoch",
        ["node"],
        last,
    )?;
    let (mut answering, mut failing, mut waiting) = (0, 0, 0);
    for (_, record) in records {
        record.read(|history| match &history.last {
            None => waiting += 1,
            Some(last) if last.failed.is_some() => failing += 1,
            Some(_) => answering += 1,
        });
    }
    families.gauges(
        "kubevitals_nodes",
        "Nodes by the result of their last scrape: answering, failing, or waiting for the end of the first one",
        ["state"],
        [
            (["answering"], answering),
            (["failing"], failing),
            (["waiting"], waiting),
        ],
    )
}

fn buckets(latency: &Latency, bounds: &[f64]) -> (f64, Vec<(f64, u64)>) {
    let mut before = 0;
    let counts = bounds.iter().map(|bound| (*bound, latency.at_most(*bound)));
    let buckets = counts.chain([(f64::INFINITY, latency.count())]);
    let buckets = buckets.map(|(bound, at_most)| {
        let alone = at_most.saturating_sub(before);
        before = at_most;
        (bound, alone)
    });
    let buckets = buckets.collect();
    (latency.sum.as_secs_f64(), buckets)
}
