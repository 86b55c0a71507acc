//! Metrics of incidents that are sent to other systems.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::notice::Notice;
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry, collect};

/// Metrics of incidents that are sent to other systems.
#[derive(Debug, Clone)]
pub(super) struct NotifyMetrics {
    /// Notices by target and result.
    pub(super) notices: Labelled<Counter, 2>,
    /// Attempts that failed and are repeated, by target.
    pub(super) retries: Labelled<Counter, 1>,
    /// Alerts that are sent to Alertmanager now.
    pub(super) alerts: Gauge,
}

impl Default for NotifyMetrics {
    fn default() -> Self {
        Self {
            notices: Labelled::new(["target", "result"]),
            retries: Labelled::new(["target"]),
            alerts: Gauge::default(),
        }
    }
}

impl NotifyMetrics {
    /// Registers them. `queue` has the notices that not all targets have received.
    pub(super) fn register(&self, registry: &mut Registry, queue: broadcast::Sender<Arc<Notice>>) {
        registry.register(
            "kubevitals_incident_notices",
            "Notices of incidents by target (log, events, webhook, alertmanager) and result: delivered, refused (by the \
             target, which gets the next one), dropped (the queue was full)",
            self.notices.clone(),
        );
        registry.register(
            "kubevitals_incident_notice_retries",
            "Attempts to deliver a notice or alerts that failed and are repeated, by target",
            self.retries.clone(),
        );
        registry.register(
            "kubevitals_incident_alerts",
            "Alerts that are sent to Alertmanager, including those that have ended within the last 15 minutes",
            self.alerts.clone(),
        );
        collect(registry, queue, |queue, families| {
            families.gauge(
                "kubevitals_incident_notices_queued",
                "Notices of incidents that not all targets have received",
                queue.len() as u64,
            )
        });
    }
}
