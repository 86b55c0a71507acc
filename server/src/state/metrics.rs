//! Metrics of the persisted state.

use kubevitals_proto::time::Timestamp;

use super::Restored;
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry, TimeGauge, by_result};

/// Metrics of the persisted state.
#[derive(Debug, Clone, Default)]
pub struct StateMetrics {
    /// Writes that succeeded.
    pub written: Counter,
    /// Writes that failed.
    pub failed: Counter,
    /// The size at the last write, in bytes.
    pub bytes: Gauge,
    /// When the state was last written.
    pub last: TimeGauge,
    /// Nodes that were restored from the file.
    pub from_file: Gauge,
    /// Nodes that were restored from another replica.
    pub from_peer: Gauge,
}

impl StateMetrics {
    /// Registers them.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_state_writes",
            "Writes of the state by result, including the write at shutdown",
            by_result(&self.written, &self.failed),
        );
        registry.register(
            "kubevitals_state_bytes",
            "Size of the state at its last write",
            self.bytes.clone(),
        );
        registry.register(
            "kubevitals_state_written_time_seconds",
            "When the state was last written, in seconds since the Unix epoch",
            self.last.clone(),
        );
        let sources = [
            (["file"], self.from_file.clone()),
            (["peer"], self.from_peer.clone()),
        ];
        registry.register(
            "kubevitals_state_restored_nodes",
            "Nodes whose data was restored at start, by source: file (an earlier process), peer (another replica)",
            Labelled::of(["from"], sources),
        );
    }

    pub(super) fn written(&self, bytes: u64, now: Timestamp) {
        self.written.inc();
        self.bytes.set(bytes);
        self.last.set(now);
    }
}

impl Restored {
    /// The number of nodes of which there is anything.
    pub(super) fn nodes(&self) -> u64 {
        self.nodes.max(self.histories) as u64
    }
}
