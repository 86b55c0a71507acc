//! Requests that visit the whole cluster: on few threads, with a short queue, and cancelled with their client.

use std::cell::Cell;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::query::{Aggregation, HistorySubject, Measure, Steps, TopScope};
use kubevitals_server::work::{Cancel, Settings};
use kubevitals_sim::{Config, Faults, SimClock};

use crate::harness::{Harness, wait_until};

const VITALS: &str = "/apis/kubevitals.io/v1alpha1";
const NODES: u64 = 3;
const PODS: usize = 15;

async fn cluster() -> Harness {
    let harness = Harness::start(Config {
        nodes: NODES as u32,
        pods_per_node: 5,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    })
    .await;
    harness.first_step(NODES).await;
    for _ in 0..3 {
        harness.step(NODES).await;
    }
    harness
}

/// Paths that visit the whole cluster before they respond.
fn heavy() -> Vec<String> {
    [
        "/clustervitals/cluster/history",
        "/namespaces/kube-system/podvitals/-/history",
        "/namespaces/kube-system/podvitals/any/history?step=1s",
        "/podvitals?sortBy=cpu&limit=5",
        "/podvitals?sortBy=memoryOfLimit",
        "/nodevitals?sortBy=name",
        "/podvitals?at=-15s",
        "/nodevitals?at=-15s",
        "/namespaces/kube-system/podvitals?search=a",
        "/podvitals?healthy=false",
        "/namespaces/kube-system/podvitals/any?at=-15s",
    ]
    .map(|path| format!("{VITALS}{path}"))
    .into_iter()
    .chain(["/metrics".to_owned()])
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cluster_wide_work_does_not_delay_other_requests() {
    let harness = cluster().await;
    let pool = harness.server.pool();
    pool.pause();
    let mut waiting = Vec::new();
    for (n, path) in heavy().into_iter().enumerate() {
        let request = harness.request("GET", &path);
        waiting.push((path, tokio::spawn(request.send())));
        wait_until("its work is in the queue", async || {
            pool.counts().queued == n + 1
        })
        .await;
    }
    // None of these needs such a thread.
    for path in [
        "/livez",
        "/readyz",
        "/apis/metrics.k8s.io/v1beta1/pods",
        "/apis/metrics.k8s.io/v1beta1/nodes",
        "/apis/kubevitals.io/v1alpha1/podvitals",
        "/apis/kubevitals.io/v1alpha1/namespaces/kube-system/podvitals",
        "/debug/targets",
    ] {
        assert_eq!(harness.get(path).await.0, 200, "{path}");
    }
    assert_eq!(pool.counts().begun, 0);
    pool.resume();
    for (path, answer) in waiting {
        let status = answer.await.unwrap().unwrap().status().as_u16();
        let expected = if path.contains("/any") { 404 } else { 200 };
        assert_eq!(status, expected, "{path}");
    }
    wait_until("no work is left", async || {
        let counts = pool.counts();
        (counts.queued, counts.running) == (0, 0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_of_an_ended_request_never_starts() {
    let harness = cluster().await;
    let pool = harness.server.pool();
    pool.pause();
    let history = format!("{VITALS}/namespaces/kube-system/podvitals/-/history?step=1s");
    let mut answers = Vec::new();
    for n in 0..200 {
        let timeout = ["1ms", "2ms", "1us", "0.5ms"][n % 4];
        let request = harness.request("GET", &format!("{history}&timeout={timeout}"));
        answers.push(tokio::spawn(request.send()));
    }
    let mut refused = 0;
    for answer in answers {
        let answer = answer.await.unwrap().unwrap();
        match answer.status().as_u16() {
            504 => {}
            429 => {
                assert!(answer.headers().contains_key("retry-after"));
                refused += 1;
            }
            status => panic!("{status}"),
        }
    }
    assert_eq!(pool.counts().refused, refused);
    // Clients that disconnect.
    let gone: Vec<_> = (0..10)
        .map(|_| tokio::spawn(harness.request("GET", &history).send()))
        .collect();
    wait_until("they wait", async || pool.counts().queued == 10).await;
    for client in gone {
        client.abort();
    }
    wait_until("nobody waits any more", async || pool.counts().queued == 0).await;
    pool.resume();
    assert_eq!(harness.get(&history).await.0, 200);
    let counts = pool.counts();
    assert_eq!((counts.begun, counts.cancelled), (1, 210 - refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_has_a_part_of_the_queue() {
    let harness = cluster().await;
    let pool = harness.server.pool();
    pool.pause();
    let path = format!("{VITALS}/podvitals?sortBy=cpu");
    let part = Settings::default().queue / 4;
    let waiting: Vec<_> = (0..part)
        .map(|_| tokio::spawn(harness.request("GET", &path).send()))
        .collect();
    wait_until("the part of the user is full", async || {
        pool.counts().queued == part
    })
    .await;
    let answer = harness.request("GET", &path).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "1");
    pool.resume();
    for answer in waiting {
        assert_eq!(answer.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(harness.get(&path).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_work_ends_within_one_node() {
    let harness = cluster().await;
    let query = harness.server.query();
    let cancelled = Cancel::default();
    cancelled.set();
    let now = query.wall();
    let steps = Steps::new(now.plus_nanos(-60_000_000_000), now, 15_000_000_000);
    for of in [
        HistorySubject::Cluster,
        HistorySubject::Namespace("kube-system"),
    ] {
        assert!(
            query
                .history()
                .over(of, steps, Aggregation::Mean, None, &Cancel::default())
                .is_some()
        );
        assert!(
            query
                .history()
                .over(of, steps, Aggregation::Mean, None, &cancelled)
                .is_none()
        );
    }
    for measure in [
        Measure::Cpu,
        Measure::Memory,
        Measure::CpuOfRequest,
        Measure::Restarts,
        Measure::MemoryGrowth(std::time::Duration::from_secs(15)),
    ] {
        let (looked, cancel) = (Cell::new(0), Cancel::default());
        // The client disconnects at the first pod that is visited.
        let filter = |_: &_| {
            looked.set(looked.get() + 1);
            cancel.set();
            true
        };
        let among = TopScope {
            namespace: None,
            filter: &filter,
            cancel: &cancel,
        };
        query.top().pods(measure, usize::MAX, &among);
        assert!(
            looked.get() <= PODS / NODES as usize,
            "{measure:?}: {}",
            looked.get()
        );
    }
}
