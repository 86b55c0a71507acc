//! Metrics of the managed CA.

use crate::telemetry::metrics::{Counter, Labelled, Registry, TimeGauge, by_result};

/// Metrics of the managed CA.
#[derive(Debug, Clone, Default)]
pub struct ManagedCaMetrics {
    /// Rounds after which everything was as it should be.
    pub succeeded: Counter,
    /// Rounds in which something could not be read or written.
    pub failed: Counter,
    /// Writes of a `caBundle`.
    pub bundles_written: Counter,
    /// Writes of the Secret.
    pub secrets_written: Counter,
    /// Writes of the ConfigMap.
    pub published: Counter,
    /// When the CA expires.
    pub expiry: TimeGauge,
}

impl ManagedCaMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_managed_ca_rounds",
            "Checks of the managed CA, its Secret and the APIServices, by result",
            by_result(&self.succeeded, &self.failed),
        );
        let kinds = [
            (["APIService"], self.bundles_written.clone()),
            (["ConfigMap"], self.published.clone()),
            (["Secret"], self.secrets_written.clone()),
        ];
        registry.register(
            "kubevitals_managed_ca_writes",
            "Writes of the managed CA, by the kind of object",
            Labelled::of(["kind"], kinds),
        );
        registry.register(
            "kubevitals_managed_ca_expiry_time_seconds",
            "When the managed CA expires, in seconds since the Unix epoch; it is replaced before that",
            self.expiry.clone(),
        );
    }
}
