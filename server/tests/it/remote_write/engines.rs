//! An hour of a simulated cluster, written to Prometheus and to VictoriaMetrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kubevitals_server::Server;
use kubevitals_server::config::Settings;
use kubevitals_sim::{Cluster, Faults};

use super::engine::{Engine, Kind, Samples};
use super::ring::{Container, GRID, ring};
use super::{config, export, step};
use crate::harness::{Harness, clock_of, counted, wait_until};

const NODES: u32 = 3;

/// The times of an engine's samples, by container: every label besides is the same for one container, apart from images.
fn times(samples: &Samples) -> BTreeMap<Container, Vec<i64>> {
    let mut all: BTreeMap<Container, Vec<i64>> = BTreeMap::new();
    for (labels, samples) in samples {
        let label = |name: &str| labels[name].clone();
        let container = (label("namespace"), label("pod"), label("container"));
        all.entry(container)
            .or_default()
            .extend(samples.iter().map(|(at, _)| *at));
    }
    for times in all.values_mut() {
        times.sort_unstable();
    }
    all
}

/// Every sample of the ring is in the engine at its time, and nothing is there twice. The engine has the first sample of
/// each run too, which makes no rate.
fn compare(ring: &BTreeMap<Container, Vec<i64>>, engine: &BTreeMap<Container, Vec<i64>>) {
    for (container, expected) in ring {
        let written = engine
            .get(container)
            .unwrap_or_else(|| panic!("{container:?}"));
        for at in expected {
            let found = written.iter().filter(|it| (*it - at).abs() <= GRID).count();
            assert_eq!(found, 1, "{container:?} at {at}: {expected:?} {written:?}");
        }
        for pair in written.windows(2) {
            assert!(
                pair[1] - pair[0] > 2 * GRID,
                "{container:?}: doubled at {pair:?}"
            );
        }
        let since = expected[0];
        let besides = written.iter().filter(|at| **at > since + GRID).count() + 1;
        // A restarted container's first sample is in the engine only.
        assert!(
            besides <= expected.len() + 3,
            "{container:?}: {besides} {}",
            expected.len()
        );
    }
}

fn flags(engines: &[&Engine], folder: &std::path::Path, more: &[&str]) -> Vec<String> {
    let mut flags: Vec<String> = engines
        .iter()
        .map(|engine| format!("--remote-write-url={}", engine.write_url()))
        .collect();
    flags.push(format!("--state-dir={}", folder.display()));
    flags.extend(more.iter().map(ToString::to_string));
    flags
}

async fn sent(harness: &Harness) {
    wait_until("the queues are empty", async || {
        // For retries.
        harness.clock.advance(Duration::from_millis(100));
        let name = "kubevitals_remote_write_queue_samples";
        counted(&harness.cluster, &harness.server, name).await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_have_every_sample_of_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let mut prometheus = Engine::start(Kind::Prometheus, folder.path()).await;
    let mut victoria = Engine::start(Kind::VictoriaMetrics, folder.path()).await;
    let state = folder.path().join("state");
    let all = flags(&[&prometheus, &victoria], &state, &[]);
    let change = |settings: &mut Settings| export(settings, &all);
    let config = config(NODES, Faults::None);
    let grant = |cluster: &Cluster| cluster.identities().grant_exports();
    let mut harness = Harness::start_changed(config, grant, change).await;
    harness.first_step(u64::from(NODES)).await;
    // The first rounds run beside the first scrapes, which the clock of the test does not order.
    for _ in 0..2 {
        step(&harness, u64::from(NODES)).await;
    }
    let (begin, since) = (seconds(&harness), harness.clock.now().as_millis());
    for at in 0..234 {
        step(&harness, u64::from(NODES)).await;
        match at {
            60 => prometheus.stop(),
            100 => prometheus.resume().await,
            120 => victoria.stop(),
            140 => victoria.resume().await,
            180 => {
                harness = harness.restart(|_| {}, change).await;
                wait_until("the restarted server writes", async || {
                    harness.clock.advance(Duration::from_millis(100));
                    let name = "kubevitals_remote_write_active";
                    counted(&harness.cluster, &harness.server, name).await == 1
                })
                .await;
            }
            _ => {}
        }
    }
    let until = harness.clock.now().as_millis();
    for _ in 0..2 {
        step(&harness, u64::from(NODES)).await;
    }
    sent(&harness).await;
    let end = seconds(&harness);
    let ring = ring(&harness.server, since..until);
    assert!(ring.len() > 20, "{}", ring.len());
    for engine in [&prometheus, &victoria] {
        let samples = engine
            .samples("container_cpu_usage_seconds_total", begin - 60.0, end)
            .await;
        compare(&ring, &times(&samples));
        let memory = engine
            .samples("container_memory_working_set_bytes", begin - 60.0, end)
            .await;
        compare(&ring, &times(&memory));
    }
    for engine in [&prometheus, &victoria] {
        rates_agree(&harness, engine, end).await;
    }
}

fn seconds(harness: &Harness) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let seconds = harness.clock.now().as_secs() as f64;
    seconds
}

/// The rate by PromQL over most of the hour is the mean of our history over the same time. Both extrapolate up
/// to a sample at both ends: one pod may differ by that, and all together by less than a percent.
async fn rates_agree(harness: &Harness, engine: &Engine, end: f64) {
    let query = "sum by (namespace, pod) (increase(container_cpu_usage_seconds_total[55m]) / 3300)";
    let theirs = engine.query(query, end).await;
    let mut compared = BTreeSet::new();
    let mut sums = (0.0, 0.0);
    for (labels, rate) in &theirs {
        let (namespace, pod) = (&labels["namespace"], &labels["pod"]);
        let path = format!(
            "/apis/kubevitals.io/v1alpha1/namespaces/{namespace}/podvitals/{pod}/history?since=55m&step=55m"
        );
        let (status, body) = harness.get(&path).await;
        if status != 200 {
            continue;
        }
        let history: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let samples = history["total"]["samples"].as_u64().unwrap();
        let containers = history["containers"].as_array().unwrap().len() as u64;
        // Pods that were there all the time, without a restart or a gap.
        if samples < containers * 217 || samples > containers * 222 {
            continue;
        }
        let ours = history["total"]["points"][0]["cpu"].as_f64().unwrap() / 1e9;
        if ours < 0.002 {
            continue;
        }
        let error = (rate / ours - 1.0).abs();
        assert!(error < 0.02, "{pod}: {rate} by PromQL, {ours} of ours");
        compared.insert(pod.clone());
        sums.0 += rate;
        sums.1 += ours;
    }
    assert!(compared.len() >= 5, "{compared:?}");
    assert!((sums.0 / sums.1 - 1.0).abs() < 0.01, "{sums:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_writes_and_the_other_continues() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::start(Kind::VictoriaMetrics, folder.path()).await;
    let first = flags(&[&engine], &folder.path().join("first"), &[]);
    let second = flags(&[&engine], &folder.path().join("second"), &[]);
    let config = config(NODES, Faults::None);
    let grant = |cluster: &Cluster| cluster.identities().grant_exports();
    let harness = Harness::start_changed(config, grant, |settings| export(settings, &first)).await;
    harness.first_step(u64::from(NODES)).await;
    let begin = seconds(&harness);
    for _ in 0..4 {
        step(&harness, u64::from(NODES)).await;
    }
    let kubeconfig = harness.cluster.server_kubeconfig();
    let mut settings = Settings::embedded(kubeconfig, clock_of(&harness.clock))
        .await
        .unwrap();
    export(&mut settings, &second);
    let other = Server::start(settings).await.unwrap();
    let other_since = harness.clock.now().as_millis();
    other.ready().await;
    let active = async |server: &Server| {
        counted(&harness.cluster, server, "kubevitals_remote_write_active").await
    };
    for _ in 0..8 {
        step(&harness, u64::from(NODES)).await;
    }
    assert_eq!(
        (active(&harness.server).await, active(&other).await),
        (1, 0)
    );
    sent(&harness).await;
    let Harness {
        cluster,
        server,
        clock,
        ..
    } = harness;
    server.shutdown().await;
    wait_until("the other replica writes", async || {
        clock.advance(Duration::from_secs(1));
        counted(&cluster, &other, "kubevitals_remote_write_active").await == 1
    })
    .await;
    let rounds = "kubevitals_remote_write_rounds_total";
    for _ in 0..24 {
        let last = counted(&cluster, &other, rounds).await;
        clock.advance(Duration::from_secs(5));
        wait_until("there was a round", async || {
            counted(&cluster, &other, rounds).await > last
        })
        .await;
    }
    wait_until("everything is sent", async || {
        clock.advance(Duration::from_millis(100));
        counted(&cluster, &other, "kubevitals_remote_write_queue_samples").await == 0
    })
    .await;
    let end = clock.now().as_secs();
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    let samples = engine
        .samples(
            "container_cpu_usage_seconds_total",
            begin - 60.0,
            end as f64,
        )
        .await;
    let times = times(&samples);
    assert!(times.len() > 10);
    // What the second replica has itself; at the change one sample may be missing, and the clock of the test runs so fast
    // that a scrape may be.
    let since = other_since + 30_000;
    for (container, expected) in ring(&other, since..(end - 30) * 1000) {
        let written = &times[&container];
        for pair in written.windows(2) {
            assert!(
                pair[1] - pair[0] > 2 * GRID,
                "{container:?}: doubled at {pair:?}"
            );
        }
        for at in expected {
            let is_near = |it: &i64| (it - at).abs() <= 31_000;
            assert!(
                written.iter().any(is_near),
                "{container:?}: nothing near {at}"
            );
        }
    }
}
