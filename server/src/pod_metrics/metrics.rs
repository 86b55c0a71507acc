//! Metrics of the scrapes of pods.

use std::sync::Arc;

use parking_lot::Mutex;

use super::pod::Usage;
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

/// What is kept of all pods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) usage: Usage,
    /// The names that somebody may ask for, counted in each namespace.
    pub(super) names: usize,
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

impl ScrapeMetrics {
    /// Registers the metrics. `kept` counts what is kept now.
    pub(super) fn register(
        &self,
        registry: &mut Registry,
        kept: impl Fn() -> Kept + Send + Sync + 'static,
    ) {
        registry.register(
            "kubevitals_pod_metrics_scrapes",
            "Scrapes of pods' own metrics, by result: success, or why there is no usable page",
            self.scrapes.clone(),
        );
        registry.register(
            "kubevitals_pod_metrics_unused",
            "Series, lines and pages of pods that were not used or only in part, by reason",
            self.unused.clone(),
        );
        registry.register(
            "kubevitals_pod_metrics_scrape_duration_seconds",
            "Duration of scrapes of pods that succeeded",
            self.duration.clone(),
        );
        let targets = Arc::clone(&self.targets);
        collect(registry, (targets, kept), |(targets, kept), families| {
            let targets = *targets.lock();
            let Kept { usage, names } = kept();
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
                names as u64,
            )?;
            families.gauge(
                "kubevitals_pod_metrics_config_invalid",
                "1 if the file of --pod-metrics-config is invalid, so that the one before is used",
                u64::from(targets.invalid_config),
            )
        });
    }
}
