//! What is older than the history in memory, from real engines and from one that fails.

pub(crate) mod engines;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Availability, Cause, History, HistoryStore, PodVitals, Point};
use kubevitals_server::engine;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, PATIENCE};
use engines::{RunningEngine, Samples};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";
const NODES: u64 = 3;

/// In the past of the engines, which refuse samples of the future.
const EPOCH: i64 = 1_780_000_000;

const HOUR: i64 = 3_600;

const UID: &str = "0a3c7d4e-5a5f-4a53-9d3f-0123456789ab";

/// The time between two samples in the engine.
const SCRAPE: i64 = 30;

/// A simulated cluster with ten minutes in memory, and a server that reads the rest from `url`.
async fn harness(url: &str) -> Harness {
    let config = Config {
        nodes: 3,
        pods_per_node: 10,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    };
    let harness = Harness::start_with(config, |settings| {
        settings.engine = Some(engine::Settings {
            url: url.parse().unwrap(),
            timeout: PATIENCE,
            http_config: None,
            matchers: vec!["cluster=\"prod\"".parse().unwrap()],
        });
    })
    .await;
    harness.first_step(NODES).await;
    for _ in 0..40 {
        harness.step(NODES).await;
    }
    harness
}

/// Cores of the pod that is gone, which grow by one in an hour.
fn ramp(seconds: i64) -> f64 {
    0.5 + (seconds - EPOCH + 48 * HOUR) as f64 / HOUR as f64
}

/// The pod that is gone: it ran for a day until yesterday, and was killed at its limit an hour before its end.
fn ghost(samples: &mut Samples) {
    let (begin, end) = (EPOCH - 48 * HOUR, EPOCH - 24 * HOUR);
    let killed = end - HOUR;
    let pod = r#"cluster="prod",namespace="shop",pod="ghost-1""#.to_owned();
    let container = format!(r#"{pod},container="app""#);
    for seconds in (begin..end).step_by(SCRAPE as usize) {
        let hours = (seconds - begin) as f64 / HOUR as f64;
        let used = (0.5 * hours + hours * hours / 2.0) * HOUR as f64;
        samples.add(
            "container_cpu_usage_seconds_total",
            &container,
            seconds,
            used,
        );
        // What another cluster has under the same names, what replicas write twice, and what cAdvisor has besides.
        let other = container.replace("prod", "test");
        samples.add(
            "container_cpu_usage_seconds_total",
            &other,
            seconds,
            used * 9.0,
        );
        let replica = format!(r#"{container},replica="b""#);
        samples.add("container_cpu_usage_seconds_total", &replica, seconds, used);
        let whole = format!(r#"{pod},container="""#);
        samples.add("container_memory_working_set_bytes", &whole, seconds, 9e9);
        samples.add(
            "container_memory_working_set_bytes",
            &container,
            seconds,
            1e8,
        );
        if seconds >= killed {
            let cause =
                format!(r#"{container},cause="OomKilled",reason="OOMKilled",exit_code="137""#);
            samples.add(
                "kubevitals_container_last_restart_timestamp_seconds",
                &cause,
                seconds,
                killed as f64,
            );
        }
        let restarts = f64::from(seconds >= killed);
        let one = |samples: &mut Samples, metric, labels: &str, value| {
            samples.add(metric, &format!("{labels},uid=\"{UID}\""), seconds, value);
        };
        one(
            samples,
            "kube_pod_container_status_restarts_total",
            &container,
            restarts,
        );
        one(
            samples,
            "kube_pod_container_status_running",
            &container,
            1.0,
        );
        one(samples, "kube_pod_container_status_ready", &container, 1.0);
        let limit = format!(r#"{container},resource="memory",unit="byte""#);
        one(samples, "kube_pod_container_resource_limits", &limit, 2e8);
        let info = format!(
            r#"{pod},node="gone-node",created_by_kind="ReplicaSet",created_by_name="ghost-1a""#
        );
        one(samples, "kube_pod_info", &info, 1.0);
        one(samples, "kube_pod_created", &pod, begin as f64);
        for (phase, value) in [("Running", 1.0), ("Pending", 0.0)] {
            one(
                samples,
                "kube_pod_status_phase",
                &format!(r#"{pod},phase="{phase}""#),
                value,
            );
        }
        for (condition, value) in [("true", 1.0), ("false", 0.0)] {
            one(
                samples,
                "kube_pod_status_ready",
                &format!(r#"{pod},condition="{condition}""#),
                value,
            );
        }
        let workload = format!(r#"{pod},workload_kind="Deployment",workload="ghost""#);
        samples.add("kubevitals_pod_workload", &workload, seconds, 1.0);
    }
}

/// What the nodes used before the time of `then`: as much as in memory on average.
fn nodes(samples: &mut Samples, then: &[(String, Point)], until: i64) {
    for (node, mean) in then {
        let labels = format!(r#"cluster="prod",node="{node}""#);
        let cores = mean.cpu as f64 / 1e9;
        for seconds in (EPOCH - 48 * HOUR..until).step_by(SCRAPE as usize) {
            let used = cores * (seconds - EPOCH + 48 * HOUR) as f64;
            samples.add("node_cpu_usage_seconds_total", &labels, seconds, used);
            let memory = mean.memory as f64;
            samples.add("node_memory_working_set_bytes", &labels, seconds, memory);
        }
    }
}

/// What the first pod of the cluster used: a constant, and for a minute in each hour ten times as much.
fn pod(samples: &mut Samples, pod: &PodVitals, until: i64) {
    let (name, container) = (&pod.metadata, &pod.containers[0].name);
    let labels = format!(
        r#"cluster="prod",namespace="{}",pod="{}",container="{container}""#,
        name.namespace, name.name
    );
    let mut used = 0.0;
    for seconds in (EPOCH - 48 * HOUR..until).step_by(SCRAPE as usize) {
        samples.add("container_cpu_usage_seconds_total", &labels, seconds, used);
        let peak = seconds % HOUR < 240;
        used += if peak { 1.23 } else { 0.123 } * SCRAPE as f64;
        let memory = if peak { 3e8 } else { 1e8 };
        samples.add(
            "container_memory_working_set_bytes",
            &labels,
            seconds,
            memory,
        );
    }
}

async fn first_workload(harness: &Harness, query: &str) -> Availability {
    let list = harness.json(&format!("{BASE}/availabilities{query}")).await;
    serde_json::from_value(list["items"][0].clone()).unwrap()
}

/// When the first workload was up: for 60 days, but for an hour that was longer ago than the server's own record, which
/// two replicas of the server report.
fn workload(samples: &mut Samples, workload: &Availability, until: i64) {
    let down = EPOCH - 50 * 24 * HOUR..EPOCH - 50 * 24 * HOUR + HOUR;
    for replica in ["a", "b"] {
        let labels = format!(
            r#"cluster="prod",namespace="{}",workload="{}",workload_kind="{}",replica="{replica}""#,
            workload.metadata.namespace, workload.workload.name, workload.workload.kind
        );
        for seconds in (EPOCH - 60 * 24 * HOUR..until).step_by(120) {
            let up = f64::from(!down.contains(&seconds));
            samples.add("kubevitals_workload_up", &labels, seconds, up);
            let so_far = (seconds - down.start).clamp(0, HOUR) as f64;
            let metric = "kubevitals_workload_downtime_seconds_total";
            samples.add(metric, &labels, seconds, so_far);
        }
    }
}

async fn first_pod(harness: &Harness, query: &str) -> PodVitals {
    let list = harness.json(&format!("{BASE}/podvitals{query}")).await;
    serde_json::from_value(list["items"][0].clone()).unwrap()
}

async fn history(harness: &Harness, path: &str) -> History {
    serde_json::from_value(harness.json(&format!("{BASE}/{path}")).await).unwrap()
}

fn near(found: f64, expected: f64, part: f64) -> bool {
    (found - expected).abs() <= expected.abs() * part
}

/// What is in an engine that a server does not read yet: the means come from memory.
async fn samples() -> Samples {
    let harness = harness("http://127.0.0.1:9").await;
    let mut means = Vec::new();
    for node in harness.cluster.node_names() {
        let history = history(
            &harness,
            &format!("nodevitals/{node}/history?since=9m&step=9m"),
        )
        .await;
        means.push((node.clone(), history.total.points[0].unwrap()));
    }
    let until = harness.server.query().wall().as_secs();
    let mut samples = Samples::default();
    ghost(&mut samples);
    nodes(&mut samples, &means, until);
    pod(&mut samples, &first_pod(&harness, "").await, until);
    workload(&mut samples, &first_workload(&harness, "").await, until);
    samples
}

/// Two days, of which ten minutes are in memory.
async fn goes_back_two_days(engine: &RunningEngine) {
    let harness = harness(&engine.url).await;
    let now = harness.server.query().wall();
    let history = history(&harness, "clustervitals/cluster/history?since=47h&step=5m").await;
    assert_eq!(history.absent, None);
    let [old, new] = &history.sources[..] else {
        panic!("{:?}", history.sources);
    };
    assert_eq!(
        (old.source, new.source),
        (HistoryStore::Engine, HistoryStore::Memory)
    );
    assert_eq!((old.since, old.until), (history.span.since, new.since));
    let in_memory = now.since(new.since) / 1_000_000_000;
    assert!((300..=900).contains(&in_memory), "{in_memory}");
    // Neither a gap nor a step, at the seam or elsewhere.
    let points: Vec<Point> = history
        .total
        .points
        .iter()
        .map(|point| point.unwrap())
        .collect();
    assert_eq!(points.len(), 47 * 12);
    let mean = points[0];
    for (n, point) in points.iter().enumerate() {
        let close = |found: u64, expected: u64| near(found as f64, expected as f64, 0.1);
        assert!(close(point.cpu, mean.cpu), "{n}: {point:?}, not {mean:?}");
        assert!(
            close(point.memory, mean.memory),
            "{n}: {point:?}, not {mean:?}"
        );
    }
    let cpu = history.total.cpu.unwrap();
    assert!(near(cpu.p50 as f64, mean.cpu as f64, 0.02), "{cpu:?}");
    // Without a step, it is a round one.
    let days = self::history(&harness, "clustervitals/cluster/history?since=47h").await;
    assert_eq!(days.span.step.0, 1_800_000_000_000);
    // What is in memory needs no engine, and has no seam.
    let recent = self::history(&harness, "clustervitals/cluster/history?since=5m").await;
    assert!(recent.sources.is_empty() && recent.absent.is_none());
}

async fn finds_a_pod_that_is_gone(engine: &RunningEngine) {
    let harness = harness(&engine.url).await;
    let day = "since=2026-05-26T20:26:40Z&until=2026-05-27T20:26:40Z";
    assert_eq!(
        Timestamp::from_secs(EPOCH - 48 * HOUR).to_rfc3339_seconds(),
        "2026-05-26T20:26:40Z"
    );
    let path = format!("namespaces/shop/podvitals/ghost-1/history?{day}&step=10m");
    let gone = history(&harness, &path).await;
    assert_eq!(gone.sources.len(), 1);
    let [app] = &gone.containers[..] else {
        panic!("{:?}", gone.containers);
    };
    assert_eq!((&*app.name, &*app.uid), ("app", ""));
    assert_eq!(app.points, gone.total.points);
    // The first and the last steps have only a part of their samples.
    for (n, point) in app.points.iter().enumerate().skip(1).take(142) {
        let point = point.unwrap();
        let middle = EPOCH - 48 * HOUR + n as i64 * 600 + 300;
        let found = point.cpu as f64 / 1e9;
        assert!(
            near(found, ramp(middle), 0.01),
            "{n}: {found}, not {}",
            ramp(middle)
        );
        assert_eq!(point.memory, 100_000_000);
    }
    let [mark] = &gone.marks[..] else {
        panic!("{:?}", gone.marks);
    };
    assert_eq!(mark.time.as_secs(), EPOCH - 25 * HOUR);
    assert_eq!((&*mark.container, mark.cause), ("app", Cause::OomKilled));
    assert_eq!(mark.text, "OOMKilled, exit 137");
    let path =
        format!("namespaces/shop/podvitals/-/history?workload=Deployment/ghost&{day}&step=10m");
    let workload = history(&harness, &path).await;
    let (found, expected) = (workload.total.points[70].unwrap(), app.points[70].unwrap());
    assert!(near(found.cpu as f64, expected.cpu as f64, 0.001));
    // A pod that never existed has no history, in neither.
    let (status, body) = harness
        .get(&format!(
            "{BASE}/namespaces/shop/podvitals/never/history?since=47h"
        ))
        .await;
    assert_eq!(status, 404, "{}", String::from_utf8_lossy(&body));
}

/// The state of the cluster at a time that is not in memory.
async fn lists_a_past_time(engine: &RunningEngine) {
    let harness = harness(&engine.url).await;
    let at = |hours: i64| Timestamp::from_secs(EPOCH - hours * HOUR).to_rfc3339_seconds();
    let path = format!("{BASE}/namespaces/shop/podvitals/ghost-1?at={}", at(30));
    let ghost: PodVitals = serde_json::from_value(harness.json(&path).await).unwrap();
    assert_eq!(
        (&*ghost.phase, &*ghost.status, ghost.ready),
        ("Running", "Running", true)
    );
    assert_eq!((&*ghost.node_name, ghost.restarts.count), ("gone-node", 0));
    let workload = ghost.workload.as_ref().unwrap();
    assert_eq!((&*workload.kind, &*workload.name), ("Deployment", "ghost"));
    let created = ghost.metadata.creation_timestamp.unwrap();
    assert_eq!(created.as_secs(), EPOCH - 48 * HOUR);
    let usage = ghost.usage.as_ref().unwrap();
    let cores = usage.cpu.to_nanocores().0 as f64 / 1e9;
    assert!(near(cores, ramp(EPOCH - 30 * HOUR), 0.01), "{cores}");
    assert_eq!(ghost.ratios.memory_of_limit, Some(0.5));
    // After the kill.
    let path = format!(
        "{BASE}/namespaces/shop/podvitals?at={}&search=oomkilled",
        at(24).replace("20:26:40", "20:16:40")
    );
    let list = harness.json(&path).await;
    let after: PodVitals = serde_json::from_value(list["items"][0].clone()).unwrap();
    assert_eq!(after.restarts.count, 1);
    let last = after.restarts.last.unwrap();
    assert_eq!((last.cause, last.ended.exit_code), (Cause::OomKilled, 137));
    assert_eq!(last.ended.finished.unwrap().as_secs(), EPOCH - 25 * HOUR);
    // After its end, and in another namespace.
    for path in [
        format!("shop/podvitals/ghost-1?at={}", at(20)),
        format!("other/podvitals/ghost-1?at={}", at(30)),
    ] {
        let (status, _) = harness.get(&format!("{BASE}/namespaces/{path}")).await;
        assert_eq!(status, 404, "{path}");
    }
    let cluster = harness
        .json(&format!("{BASE}/clustervitals/cluster?at={}", at(30)))
        .await;
    assert_eq!(
        (&cluster["nodes"]["total"], &cluster["pods"]["total"]),
        (&3.into(), &2.into())
    );
}

/// Quantiles of two days.
async fn has_statistics(engine: &RunningEngine) {
    let harness = harness(&engine.url).await;
    let pod = first_pod(&harness, "?stats=47h").await;
    let stats = pod.containers[0].stats.as_ref().unwrap();
    assert!(
        near(stats.covered.0 as f64, 47.0 * 3_600e9, 0.01),
        "{stats:?}"
    );
    assert!(stats.samples > 5_000, "{stats:?}");
    let close =
        |found: u64, expected: f64| assert!(near(found as f64, expected, 0.02), "{stats:?}");
    close(stats.cpu.p50, 0.123e9);
    close(stats.cpu.p99, 1.23e9);
    close(stats.cpu.max, 1.23e9);
    close(stats.memory.p50, 1e8);
    close(stats.memory.max, 3e8);
    let nodes = harness.json(&format!("{BASE}/nodevitals?stats=47h")).await;
    let covered = nodes["items"][0]["stats"]["covered"].as_str().unwrap();
    assert!(
        covered.starts_with("46h") || covered.starts_with("47h"),
        "{covered}"
    );
}

/// The outage of a time that the server did not watch.
async fn knows_availability(engine: &RunningEngine) {
    let harness = harness(&engine.url).await;
    let workload = first_workload(&harness, "?span=5m,60d").await;
    let [short, long] = workload.spans.as_slice() else {
        panic!("{workload:?}");
    };
    assert_eq!((short.down_seconds, short.outages), (0, 0));
    let known = (long.up_seconds + long.degraded_seconds + long.down_seconds) as f64;
    assert!(near(known, 60.0 * 86_400.0, 0.01), "{long:?}");
    assert!(near(long.down_seconds as f64, 3_600.0, 0.01), "{long:?}");
    assert_eq!((long.outages, long.longest_outage_seconds), (1, None));
    assert!(near(
        long.availability.unwrap(),
        1.0 - 3_600.0 / known,
        1e-4
    ));
    let path = format!("{BASE}/availabilities?span=401d");
    let (status, _) = harness.get(&path).await;
    assert_eq!(status, 400, "{path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_has_what_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let engine = RunningEngine::prometheus(folder.path(), &samples().await).await;
    goes_back_two_days(&engine).await;
    finds_a_pod_that_is_gone(&engine).await;
    lists_a_past_time(&engine).await;
    has_statistics(&engine).await;
    knows_availability(&engine).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victoria_metrics_has_what_is_older() {
    let folder = tempfile::tempdir().unwrap();
    let engine = RunningEngine::victoria_metrics(folder.path(), &samples().await).await;
    goes_back_two_days(&engine).await;
    finds_a_pod_that_is_gone(&engine).await;
    lists_a_past_time(&engine).await;
    has_statistics(&engine).await;
    knows_availability(&engine).await;
}

/// Nobody listens: the history in memory goes on, and says what is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_engine_a_history_has_what_is_in_memory() {
    let harness = harness("http://127.0.0.1:9").await;
    let path = format!("{BASE}/clustervitals/cluster/history?since=47h&step=5m");
    let response = harness.request("GET", &path).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let warning = response.headers()["warning"].to_str().unwrap().to_owned();
    assert_eq!(warning, "299 - \"the long history cannot be reached\"");
    let history: History = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let absent = history.absent.unwrap();
    assert_eq!(absent.reason, "Unreachable");
    assert_eq!(history.sources.len(), 1);
    assert_eq!(history.sources[0].source, HistoryStore::Memory);
    let found = history.total.points.iter().flatten().count();
    assert!((1..=3).contains(&found), "{found}");
    assert!(history.total.points.last().unwrap().is_some());
    // It may have existed.
    let (status, body) = harness
        .get(&format!(
            "{BASE}/namespaces/shop/podvitals/ghost-1/history?since=47h"
        ))
        .await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, body["message"].as_str()),
        (503, Some("the long history cannot be reached"))
    );
    let (status, body) = harness.get(&format!("{BASE}/podvitals?at=-47h")).await;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (status, body["message"].as_str()),
        (503, Some("the long history cannot be reached"))
    );
    let response = harness
        .request("GET", &format!("{BASE}/podvitals?stats=47h"))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["warning"], warning);
    // In memory there is all of it.
    let (status, _) = harness
        .get(&format!(
            "{BASE}/namespaces/shop/podvitals/ghost-1/history?since=5m"
        ))
        .await;
    assert_eq!(status, 404);
}
