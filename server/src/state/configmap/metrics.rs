//! Metrics of the ConfigMap for incidents.

use crate::telemetry::metrics::{Counter, Gauge, Registry, by_result};

/// Metrics of the ConfigMap for incidents.
#[derive(Debug, Clone, Default)]
pub struct IncidentsMetrics {
    /// 1 if the last read or write succeeded.
    pub available: Gauge,
    /// Writes that succeeded.
    pub written: Counter,
    /// Reads and writes that failed.
    pub failed: Counter,
    /// The compressed size at the last write, in bytes.
    pub bytes: Gauge,
    /// Incidents that did not fit at the last write.
    pub left_out: Gauge,
    /// Incidents that were restored.
    pub restored: Counter,
}

impl IncidentsMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_incidents_configmap_available",
            "1 if the last read or write of the ConfigMap for incidents succeeded, else 0",
            self.available.clone(),
        );
        registry.register(
            "kubevitals_incidents_configmap_bytes",
            "Compressed size of the incidents at the last write of the ConfigMap",
            self.bytes.clone(),
        );
        registry.register(
            "kubevitals_incidents_configmap_left_out",
            "Incidents that did not fit into the ConfigMap at its last write",
            self.left_out.clone(),
        );
        registry.register(
            "kubevitals_incidents_configmap_restored",
            "Incidents that were restored from the ConfigMap, at start and after another replica wrote it",
            self.restored.clone(),
        );
        registry.register(
            "kubevitals_incidents_configmap_writes",
            "Writes of the ConfigMap by result; a failed read counts as a failed write",
            by_result(&self.written, &self.failed),
        );
    }
}
