//! Metrics of the requests to the engine.

use super::error::EngineError;
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry};

/// Requests to the engine.
#[derive(Debug, Clone)]
pub(super) struct EngineMetrics {
    /// By result.
    pub(super) requests: Labelled<Counter, 1>,
    /// Requests that wait or are in flight.
    pub(super) in_flight: Gauge,
}

impl Default for EngineMetrics {
    fn default() -> Self {
        let results = EngineError::REASONS.into_iter().chain(["success"]);
        let results = results.map(|result| ([result], Counter::default()));
        Self {
            requests: Labelled::of(["result"], results),
            in_flight: Gauge::default(),
        }
    }
}

impl EngineMetrics {
    pub(super) fn register_external(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_external_query_requests",
            "Requests for the queries of --external-query-config, by result: success, or why there is no usable response",
            self.requests.clone(),
        );
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_history_engine_requests",
            "Requests to the engine of --history-url, by result: success, or why there is no usable response",
            self.requests.clone(),
        );
        registry.register(
            "kubevitals_history_engine_requests_in_flight",
            "Requests to the engine of --history-url that are in flight or wait for one of four slots",
            self.in_flight.clone(),
        );
    }
}
