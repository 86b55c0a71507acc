//! Every fault that the simulation knows: each appears as the right incident once, and nothing else does.

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

/// Short enough that nothing is noticed much later than it happened.
const STEP: Duration = Duration::from_secs(5);

/// Steps between two faults that are injected.
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

/// A pod that the API server writes after all that has happened: when the server knows it, it knows of the rest.
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
        let key = PodKey {
            namespace: Self::NAMESPACE.into(),
            name: name.into(),
        };
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
        wait_until("no node is being asked", async || {
            harness.server.query().scrapes().asking == 0
        })
        .await;
    }
}

/// Lets time pass step by step, the server keeping up.
async fn pass(harness: &Harness, sentinel: &mut Sentinel, steps: usize) {
    for _ in 0..steps {
        harness.cluster.advance(STEP);
        sentinel.pass(harness).await;
    }
}

async fn perfect(harness: &Harness) -> Score {
    let mut score = Score::default();
    let began = std::time::Instant::now();
    // The last events may still be on their way.
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
async fn each_fault_is_one_incident_and_over_when_it_is_over() {
    let harness = start(11, Faults::None, manual()).await;
    harness.first_step(6).await;
    let mut sentinel = Sentinel(0);
    pass(&harness, &mut sentinel, 12).await;
    for _ in 0..2 {
        for fault in Fault::ALL {
            assert!(harness.cluster.inject(fault), "nobody to strike: {fault:?}");
            pass(&harness, &mut sentinel, BETWEEN).await;
        }
    }
    // Until containers that were restarted have been well for long enough.
    pass(&harness, &mut sentinel, 20 * 12).await;
    let score = perfect(&harness).await;
    // Each kind but the rollout, which is none.
    assert_eq!(score.by_fault.len(), Fault::ALL.len() - 1);
    let told = incidents(&harness);
    let open: Vec<String> = told
        .iter()
        .filter(|it| it.ended.is_none())
        .map(|it| super::describe(it))
        .collect();
    assert!(open.is_empty(), "{}", open.concat());
    for node in told
        .iter()
        .filter(|it| it.reason == IncidentKind::NodeNotReady)
    {
        // All that run on it: about twenty, some of which were evicted or have come since.
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
async fn an_hour_of_faults_as_they_come() {
    let harness = start(5, Faults::Scheduled, manual()).await;
    harness.first_step(6).await;
    let mut sentinel = Sentinel(0);
    for quarter in 0..4 {
        pass(&harness, &mut sentinel, 15 * 12).await;
        if quarter < 3 {
            // All is listed anew, and told again.
            let listed = || {
                let watches = harness.server.query().watches().all();
                watches.map(|(_, watch)| watch.lists())
            };
            let before = listed();
            harness.cluster.store().expire_watches();
            wait_until("all is listed anew", async || {
                listed()
                    .iter()
                    .zip(before)
                    .all(|(now, before)| *now > before)
            })
            .await;
        }
    }
    let score = perfect(&harness).await;
    assert!(score.right > 30, "{score}");
}

/// By hand, for ten real minutes: `cargo nextest run -p kubevitals-server --run-ignored only -E 'test(ten_hours)'`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten minutes"]
async fn ten_hours_of_faults_in_ten_minutes() {
    let harness = start(3, Faults::Scheduled, SimClock::scaled(60.0)).await;
    let minutes = std::env::var("MINUTES")
        .ok()
        .and_then(|minutes| minutes.parse().ok());
    tokio::time::sleep(Duration::from_secs(60 * minutes.unwrap_or(10))).await;
    // What happens within the cluster's last minutes may not be told yet, and what is told may have changed meanwhile.
    let until = harness.clock.now().plus_nanos(-120_000_000_000);
    let score = Score::of(
        &expected(&harness.cluster.injected_faults()),
        &incidents(&harness),
        until,
    );
    eprintln!("{score}");
    assert!(score.is_perfect(), "{score}");
}
