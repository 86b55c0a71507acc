//! Metrics of the scrapes of pods.

use std::sync::Arc;

use parking_lot::Mutex;

use super::PodMetrics;
use crate::telemetry::Histogram;
use crate::telemetry::metrics::{Counter, Labelled, Registry, collect};

/// From a pod next door to the longest timeout.
pub(super) const DURATION_BOUNDS: &[f64] = &[
    0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What the scrapes of pods count.
#[derive(Debug, Clone)]
pub(super) struct ScrapeMetrics {
    /// Scrapes by result: success, or why they failed.
    pub(super) scrapes: Labelled<Counter, 1>,
    /// Series and lines that were not used, by reason.
    pub(super) unused: Labelled<Counter, 1>,
    pub(super) duration: Histogram,
    /// The pods that are scraped, and those that are selected and cannot be.
    pub(super) targets: Arc<Mutex<Targets>>,
}

/// The number of pods by state.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Targets {
    pub(super) scraped: usize,
    pub(super) refused: usize,
    /// Whether the config file is invalid now.
    pub(super) invalid_config: bool,
}

impl Default for ScrapeMetrics {
    fn default() -> Self {
        let zero = |name: &'static str| ([name], Counter::default());
        Self {
            scrapes: Labelled::of(["result"], [zero("success")]),
            unused: Labelled::new(["reason"]),
            duration: Histogram::new(DURATION_BOUNDS),
            targets: Arc::default(),
        }
    }
}

impl PodMetrics {
    /// Registers the metrics.
    pub(crate) fn register(self: &Arc<Self>, registry: &mut Registry) {
        let metrics = &self.metrics;
        registry.register(
            "kubevitals_pod_metrics_scrapes",
            "Scrapes of pods' own metrics, by result: success, or why there is no usable page",
            metrics.scrapes.clone(),
        );
        registry.register(
            "kubevitals_pod_metrics_unused",
            "Series, lines and pages of pods that were not used or only in part, by reason",
            metrics.unused.clone(),
        );
        registry.register(
            "kubevitals_pod_metrics_scrape_duration_seconds",
            "Duration of scrapes of pods that succeeded",
            metrics.duration.clone(),
        );
        collect(registry, Arc::clone(self), |store, families| {
            let targets = *store.metrics.targets.lock();
            let usage = store.usage();
            families.gauges(
                "kubevitals_pod_metrics_targets",
                "Pods that are selected for scrapes, by state: scraped, or refused because of their address or annotations",
                ["state"],
                [
                    (["scraped"], targets.scraped as u64),
                    (["refused"], targets.refused as u64),
                ],
            )?;
            families.gauge(
                "kubevitals_pod_metrics_series",
                "Kept series of pods' own metrics",
                usage.series as u64,
            )?;
            families.gauge(
                "kubevitals_pod_metrics_bytes",
                "Memory of the values and histories of pods' own metrics",
                usage.bytes as u64,
            )?;
            families.gauge(
                "kubevitals_pod_metrics_names",
                "Names of pods' own metrics that autoscalers or clients ask for, counted in each namespace",
                store.demands.len() as u64,
            )?;
            families.gauge(
                "kubevitals_pod_metrics_config_invalid",
                "1 if the file of --pod-metrics-config is invalid, so that the one before is used",
                u64::from(targets.invalid_config),
            )
        });
    }
}
