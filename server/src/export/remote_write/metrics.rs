//! Metrics of remote write.

use std::sync::Arc;

use parking_lot::Mutex;

use super::queue::{Queue, Size};
use crate::telemetry::metrics::{Counter, Gauge, Labelled, Registry, collect};

/// Metrics of remote write.
#[derive(Debug, Clone)]
pub(crate) struct RemoteWriteMetrics {
    /// Rounds of collection.
    pub(super) rounds: Counter,
    /// Samples by what became of them.
    pub(super) samples: Labelled<Counter, 1>,
    /// Requests by result.
    pub(super) requests: Labelled<Counter, 1>,
    /// Bytes of accepted requests.
    pub(super) bytes: Counter,
    /// Samples that were read from the ring because a queue was full or another replica wrote before.
    pub(super) backfilled: Counter,
    /// Whether this replica writes.
    pub(super) writes: Gauge,
    queues: Arc<Mutex<Vec<Arc<Queue>>>>,
}

impl Default for RemoteWriteMetrics {
    fn default() -> Self {
        Self {
            rounds: Counter::default(),
            samples: Labelled::new(["result"]),
            requests: Labelled::new(["result"]),
            bytes: Counter::default(),
            backfilled: Counter::default(),
            writes: Gauge::default(),
            queues: Arc::default(),
        }
    }
}

impl RemoteWriteMetrics {
    /// Adds the queue of a receiver.
    pub(super) fn add_queue(&self, queue: &Arc<Queue>) {
        self.queues.lock().push(Arc::clone(queue));
    }

    /// Counts samples by what became of them.
    pub(super) fn add_samples(&self, result: &'static str, samples: u64) {
        let counter = self.samples.get_or_insert([result], Counter::default);
        counter.inc_by(samples);
    }

    fn size(&self) -> Size {
        let queues = self.queues.lock();
        let sizes = queues.iter().map(|queue| queue.size());
        sizes.fold(Size::default(), |sum, one| Size {
            requests: sum.requests + one.requests,
            samples: sum.samples + one.samples,
            memory: sum.memory + one.memory,
            disk: sum.disk + one.disk,
        })
    }

    /// Registers them.
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kubevitals_remote_write_rounds",
            "Rounds in which new samples were collected",
            self.rounds.clone(),
        );
        registry.register(
            "kubevitals_remote_write_samples",
            "Samples by result: sent (accepted by a receiver), refused (4xx; lost), out_of_order (older than one before; never sent)",
            self.samples.clone(),
        );
        registry.register(
            "kubevitals_remote_write_requests",
            "Requests by result: success, retried (no response, 5xx, 429 or 3xx), refused (4xx)",
            self.requests.clone(),
        );
        registry.register(
            "kubevitals_remote_write_bytes",
            "Compressed bytes of accepted requests",
            self.bytes.clone(),
        );
        registry.register(
            "kubevitals_remote_write_backfilled_samples",
            "Samples read from the history, because a queue was full or another replica wrote before",
            self.backfilled.clone(),
        );
        registry.register(
            "kubevitals_remote_write_active",
            "Whether this replica writes: 1 for the holder of the Lease, and for each replica with a replica label",
            self.writes.clone(),
        );
        collect(registry, self.clone(), |metrics, families| {
            let size = metrics.size();
            families.gauge(
                "kubevitals_remote_write_queue_samples",
                "Samples that wait in the queues of all receivers",
                size.samples as u64,
            )?;
            families.gauge(
                "kubevitals_remote_write_queue_memory_bytes",
                "Bytes of requests in memory",
                size.memory as u64,
            )?;
            families.gauge(
                "kubevitals_remote_write_queue_disk_bytes",
                "Bytes of requests on disk",
                size.disk,
            )
        });
    }
}
