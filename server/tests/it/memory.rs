//! A cluster that needs more memory than the server may use. What the program has allocated is set by the test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::telemetry::Allocator;
use kubevitals_sim::{Config, Faults, SimClock};

use crate::harness::{Harness, RESOLUTION, counted, wait_until};

const NOW: i64 = 1_795_241_000;
const MIB: u64 = 1 << 20;
const LIMIT: u64 = 256 * MIB;
const WATCH: &str = "/apis/kubevitals.io/v1alpha1/podvitals?watch=1&timeoutSeconds=1";
const PODS: &str = "/apis/metrics.k8s.io/v1beta1/pods";

/// What the program has allocated, in MiB.
static ALLOCATED: AtomicU64 = AtomicU64::new(0);

fn statistics() -> Option<Allocator> {
    let allocated = ALLOCATED.load(Ordering::SeqCst) * MIB;
    Some(Allocator {
        allocated,
        active: allocated,
        resident: allocated,
        mapped: allocated,
        retained: 0,
    })
}

async fn start() -> Harness {
    let config = Config {
        nodes: 3,
        pods_per_node: 4,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(NOW))),
        ..Config::default()
    };
    Harness::start_with(config, |settings| {
        settings.memory_limit = Some(LIMIT);
        settings.allocator = Some(statistics);
        settings.history.memory_limit = 100 << 20;
    })
    .await
}

impl Harness {
    async fn count(&self, sample: &str) -> u64 {
        counted(&self.cluster, &self.server, sample).await
    }

    /// Moves the clock until a gauge has a value.
    async fn until(&self, gauge: &str, expected: u64) {
        wait_until(gauge, async || {
            self.clock.advance(RESOLUTION);
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.count(gauge).await == expected
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_becomes_shorter_then_options_end_then_new_nodes_wait() {
    ALLOCATED.store(240, Ordering::SeqCst);
    let harness = start().await;
    // Seven eighths are allocated: no node is added.
    harness.until("kubevitals_memory_nodes_left_out", 3).await;
    assert_eq!(harness.scraped(), 0);
    ALLOCATED.store(50, Ordering::SeqCst);
    harness.until("kubevitals_memory_nodes_left_out", 0).await;
    harness.until("kubevitals_memory_tight", 0).await;
    wait_until("every node is scraped", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.pods().await.len() == 12
    })
    .await;
    harness.server.ready().await;
    // The history has what it may have by itself, or what the rest leaves.
    harness
        .until("kubevitals_history_bytes_limit", 100 * MIB)
        .await;
    assert_eq!(harness.count("kubevitals_memory_limit_bytes").await, LIMIT);
    ALLOCATED.store(150, Ordering::SeqCst);
    wait_until("the history has less", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let limit = harness.count("kubevitals_history_bytes_limit").await;
        (42 * MIB..43 * MIB).contains(&limit)
    })
    .await;
    assert_eq!(harness.get(WATCH).await.0, 200);
    // Nothing is left for it.
    ALLOCATED.store(200, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 1).await;
    let (status, body) = harness.get(WATCH).await;
    assert_eq!(status, 429, "{}", String::from_utf8_lossy(&body));
    // Lists and scrapes go on, also at seven eighths.
    ALLOCATED.store(250, Ordering::SeqCst);
    let before = harness.scraped();
    wait_until("scrapes go on", async || {
        harness.clock.advance(RESOLUTION);
        tokio::time::sleep(Duration::from_millis(20)).await;
        harness.scraped() >= before + 9
    })
    .await;
    assert_eq!(harness.get(PODS).await.0, 200);
    ALLOCATED.store(50, Ordering::SeqCst);
    harness.until("kubevitals_memory_tight", 0).await;
    assert_eq!(harness.get(WATCH).await.0, 200);
}
