//! Every fault of the simulation leads to the right incident once, and to nothing else.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::IncidentKind;
use kubevitals_server::cluster::PodKey;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Fault, Faults, SimClock};
use serde_json::json;

use super::episodes::{Score, expected};
use super::incidents;
use crate::harness::{Harness, wait_until};

/// A short time, so that the server sees each change soon.
const STEP: Duration = Duration::from_secs(5);

/// Steps between two injected faults.
const BETWEEN: usize = 6;

async fn start(seed: u64, faults: Faults, clock: SimClock) -> Harness {
    let config = Config {
        nodes: 6,
        pods_per_node: 20,
        seed,
        faults,
        clock: Some(clock),
        ..Config::default()
    };
    let change = |settings: &mut kubevitals_server::config::Settings| {
        settings.scrape.timeout = Duration::from_secs(1);
    };
    Harness::start_with(config, change).await
}

fn manual() -> SimClock {
    SimClock::manual(Timestamp::from_secs(1_800_000_000))
}

/// A pod that is created after all other changes: when the server has received it, it has received all of them.
#[derive(Default)]
pub(super) struct Sentinel(usize);

impl Sentinel {
    const NAMESPACE: &str = "default";

    fn name(nth: usize) -> String {
        format!("sentinel-{nth}")
    }

    pub(super) async fn pass(&mut self, harness: &Harness) {
        let store = harness.cluster.store();
        store.delete(Resource::Pods, Some(Self::NAMESPACE), &Self::name(self.0));
        self.0 += 1;
        let name = Self::name(self.0);
        store.apply(
            Resource::Pods,
            json!({"metadata": {"namespace": Self::NAMESPACE, "name": name}, "status": {"phase": "Pending"}}),
        );
        let key = PodKey::new(Self::NAMESPACE, name);
        wait_until("the server has seen all pods", async || {
            harness
                .server
                .query()
                .vitals()
                .now()
                .pods()
                .contains_key(&key)
        })
        .await;
        wait_until("no node is being scraped", async || {
            harness.server.query().scrapes().asking == 0
        })
        .await;
    }
}

/// Advances the clock step by step, and waits for the server at each step.
async fn pass(harness: &Harness, sentinel: &mut Sentinel, steps: usize) {
    for _ in 0..steps {
        harness.cluster.advance(STEP);
        sentinel.pass(harness).await;
    }
}

async fn perfect(harness: &Harness) -> Score {
    let mut score = Score::default();
    let began = std::time::Instant::now();
    // The server may not have received the last Events yet.
    while began.elapsed() < Duration::from_secs(5) {
        score = Score::of(
            &expected(&harness.cluster.injected_faults()),
            &incidents(harness),
            harness.clock.now(),
        );
        if score.is_perfect() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    eprintln!("{score}");
    assert!(score.is_perfect(), "{score}");
    score
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_one_incident_that_ends_with_it() {
    let harness = start(11, Faults::None, manual()).await;
    harness.first_step(6).await;
    let mut sentinel = Sentinel(0);
    pass(&harness, &mut sentinel, 12).await;
    for _ in 0..2 {
        for fault in Fault::ALL {
            assert!(harness.cluster.inject(fault), "no target: {fault:?}");
            pass(&harness, &mut sentinel, BETWEEN).await;
        }
    }
    // Until restarted containers have been healthy for long enough.
    pass(&harness, &mut sentinel, 20 * 12).await;
    let score = perfect(&harness).await;
    // Each kind but the rollout, which is no incident.
    assert_eq!(score.by_fault.len(), Fault::ALL.len() - 1);
    let all = incidents(&harness);
    let open: Vec<String> = all
        .iter()
        .filter(|it| it.ended.is_none())
        .map(|it| super::describe(it))
        .collect();
    assert!(open.is_empty(), "{}", open.concat());
    for node in all
        .iter()
        .filter(|it| it.reason == IncidentKind::NodeNotReady)
    {
        // All pods on the node: about twenty. Some were evicted, and some are new.
        let pods = node
            .message
            .split_once("; ")
            .and_then(|(_, pods)| pods.split_once(' '));
        let pods = pods.and_then(|(pods, _)| pods.parse::<u32>().ok());
        assert!(
            pods.is_some_and(|pods| (15..=25).contains(&pods)),
            "{}",
            node.message
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_of_scheduled_faults() {
    let harness = start(5, Faults::Scheduled, manual()).await;
    harness.first_step(6).await;
    let mut sentinel = Sentinel(0);
    for quarter in 0..4 {
        pass(&harness, &mut sentinel, 15 * 12).await;
        if quarter < 3 {
            // The server lists all objects again.
            let listed = || {
                let watches = harness.server.query().watches().all();
                let lists = watches.iter().map(|(_, watch)| watch.lists());
                lists.collect::<Vec<_>>()
            };
            let before = listed();
            harness.cluster.store().expire_watches();
            wait_until("the server has listed everything again", async || {
                listed()
                    .iter()
                    .zip(&before)
                    .all(|(now, before)| now > before)
            })
            .await;
        }
    }
    let score = perfect(&harness).await;
    assert!(score.right > 30, "{score}");
}

/// Takes ten real minutes, so it runs on request: `cargo nextest run -p kubevitals-server --run-ignored only -E 'test(ten_hours)'`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten minutes"]
async fn ten_hours_of_faults_in_ten_minutes() {
    let harness = start(3, Faults::Scheduled, SimClock::scaled(60.0)).await;
    let minutes = std::env::var("MINUTES")
        .ok()
        .and_then(|minutes| minutes.parse().ok());
    tokio::time::sleep(Duration::from_secs(60 * minutes.unwrap_or(10))).await;
    // The incidents of the last two minutes may be missing or incomplete.
    let until = harness.clock.now().plus_nanos(-120_000_000_000);
    let score = Score::of(
        &expected(&harness.cluster.injected_faults()),
        &incidents(&harness),
        until,
    );
    eprintln!("{score}");
    assert!(score.is_perfect(), "{score}");
}
