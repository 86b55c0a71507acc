//! The metrics that pods expose themselves: of one pod, and why it has a value or none.

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::OwnMetrics;
use kubevitals_proto::why::{Kind, State, Why};
use kubevitals_server::config::Settings;
use kubevitals_server::pod_metrics::{self, Series, Value};
use kubevitals_server::query::PodKey;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, PodEndpoints, SimClock};

use crate::harness::{Harness, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";

fn config() -> Config {
    Config {
        nodes: 1,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    }
}

async fn cluster(change: impl FnOnce(&mut Settings)) -> (Harness, PodKey) {
    started(config(), change).await
}

/// A server that knows all objects, and a pod.
async fn started(config: Config, change: impl FnOnce(&mut Settings)) -> (Harness, PodKey) {
    let harness = Harness::start_with(config, change).await;
    wait_until("the server knows all objects", async || {
        harness.get(&format!("{BASE}/podvitals")).await.0 == 200
    })
    .await;
    let pods = harness.cluster.store().snapshot(Resource::Pods);
    let (_, pod) = pods.range(None, None).next().unwrap();
    let meta = pod.meta();
    let key = PodKey::new(meta.namespace.as_deref().unwrap(), &*meta.name);
    (harness, key)
}

fn enabled(settings: &mut Settings) {
    settings.pod_metrics = Some(pod_metrics::Settings {
        config: None,
        interval: std::time::Duration::from_secs(15),
        window: std::time::Duration::from_secs(60),
        memory_limit: 1 << 20,
    });
}

fn path(pod: &PodKey, rest: &str) -> String {
    format!(
        "{BASE}/namespaces/{}/podvitals/{}/{rest}",
        pod.namespace, pod.name
    )
}

async fn metrics(harness: &Harness, pod: &PodKey, query: &str) -> OwnMetrics {
    let json = harness.json(&path(pod, &format!("metrics{query}"))).await;
    serde_json::from_value(json).unwrap()
}

async fn why(harness: &Harness, pod: &PodKey, metric: &str) -> Why {
    let json = harness
        .json(&path(pod, &format!("why?metric={metric}")))
        .await;
    let why: Why = serde_json::from_value(json).unwrap();
    assert_eq!(
        (why.kind, &*why.api_version),
        (Kind::OwnMetricWhy, "kubevitals.io/v1alpha1")
    );
    why
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_has_the_metrics_that_were_recorded() {
    let (harness, pod) = cluster(enabled).await;
    let at = harness.server.query().wall();
    let series = |code: &str, value| Series {
        name: "http_requests_per_second".into(),
        labels: [("code", code)].into_iter().collect(),
        value: Value {
            value,
            at,
            window: Some(std::time::Duration::from_secs(60)),
        },
    };
    let queue = Series {
        name: "queue_length".into(),
        labels: Labels::default(),
        value: Value {
            value: 7.0,
            at,
            window: None,
        },
    };
    let all = vec![series("200", 10.5), series("500", 2.0), queue];
    let query = harness.server.query();
    query.pod_metrics().unwrap().record(pod.clone(), all);
    let found = metrics(&harness, &pod, "").await;
    assert_eq!(found.absent, None);
    let values = found.metrics.iter();
    let values: Vec<_> = values
        .map(|it| (&*it.name, it.value, it.series.len()))
        .collect();
    assert_eq!(
        values,
        [
            ("http_requests_per_second", Some(12.5), 2),
            ("queue_length", Some(7.0), 0)
        ]
    );
    assert!(found.metrics.iter().all(|it| it.points.is_empty()));
    let past = metrics(&harness, &pod, "?since=1m&step=15s").await;
    assert_eq!(past.metrics[0].points.len(), 4);
    let (status, _) = harness.get(&path(&pod, "metrics?since=yesterday")).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_has_a_reason() {
    let (harness, pod) = cluster(enabled).await;
    let found = metrics(&harness, &pod, "").await;
    assert!(!found.absent.unwrap().message.is_empty());
    let found = why(&harness, &pod, "queue_length").await;
    assert!(!found.available && !found.hint.is_empty(), "{found:#?}");
    assert_eq!(found.steps.last().unwrap().state, State::Failed);
    let nobody = PodKey::new("default", "nobody");
    let found = why(&harness, &nobody, "queue_length").await;
    assert_eq!(found.reason, "unknown");
    assert_eq!(harness.get(&path(&nobody, "metrics")).await.0, 404);
    for (query, message) in [
        ("why", "metric: the name of a metric"),
        (
            "why?metric=a&metricLabelSelector=a%20in",
            "metricLabelSelector: ",
        ),
    ] {
        let (status, body) = harness.get(&path(&pod, query)).await;
        let body = String::from_utf8(body).unwrap();
        assert!(status == 400 && body.contains(message), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_flag_both_say_so() {
    let (harness, pod) = cluster(|_| {}).await;
    assert_eq!(
        metrics(&harness, &pod, "").await.absent.unwrap().reason,
        "Disabled"
    );
    let found = why(&harness, &pod, "queue_length").await;
    assert_eq!(found.reason, "disabled");
    assert_eq!(found.hint, "start vitals-server with --pod-metrics");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gpus_are_of_the_pods_that_an_exporter_names() {
    let config = Config {
        pod_endpoints: Some(PodEndpoints {
            gpu_nodes: 1,
            ..PodEndpoints::default()
        }),
        ..config()
    };
    let (harness, _) = started(config, enabled).await;
    harness.first_step(1).await;
    let path = format!("{BASE}/namespaces/ml/podvitals");
    let list = harness.json(&path).await;
    let pods: Vec<PodKey> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pod| PodKey::new("ml", pod["metadata"]["name"].as_str().unwrap()))
        .collect();
    assert_eq!(pods.len(), 2, "{list}");
    assert_eq!(list["items"][0]["requests"]["gpu"], 1);
    assert_eq!(list["items"][0]["gpu"], serde_json::Value::Null);
    let query = harness.server.query();
    for (pod, (gpu, percent)) in pods.iter().zip([("GPU-a", 80.0), ("GPU-b", 20.0)]) {
        let series = |name: &str, value| Series {
            name: name.into(),
            labels: [("UUID", gpu), ("container", "llm")].into_iter().collect(),
            value: Value {
                value,
                at: query.wall(),
                window: None,
            },
        };
        let all = vec![
            series("DCGM_FI_DEV_GPU_UTIL", percent),
            series("DCGM_FI_DEV_FB_USED", 1024.0),
            series("DCGM_FI_DEV_FB_FREE", 3072.0),
        ];
        query.pod_metrics().unwrap().record(pod.clone(), all);
    }
    let pod = harness.json(&format!("{path}/{}", pods[0].name)).await;
    for of in [&pod, &pod["containers"][0]] {
        assert_eq!(of["gpu"]["count"], 1, "{pod}");
        assert_eq!(of["gpu"]["utilization"], "800m");
        assert_eq!(of["gpu"]["memory"], "1Gi");
        assert_eq!(of["gpu"]["memoryCapacity"], "4Gi");
    }
    let nodes = harness.json(&format!("{BASE}/nodevitals")).await;
    let node = &nodes["items"][0];
    assert_eq!(node["allocatable"]["gpu"], 4, "{node}");
    assert_eq!(node["requests"]["gpu"], 2);
    assert_eq!(node["gpu"]["count"], 2);
    assert_eq!(node["gpu"]["utilization"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gpus_are_read_from_the_page_of_an_exporter() {
    let config = Config {
        pod_endpoints: Some(PodEndpoints {
            gpu_nodes: 1,
            ..PodEndpoints::default()
        }),
        ..config()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pod-metrics.yaml");
    std::fs::write(&file, "allowed_addresses: [\"127.0.0.0/8\"]\n").unwrap();
    let (harness, _) = started(config, |settings| {
        settings.pod_metrics = Some(pod_metrics::Settings {
            config: Some(file),
            ..pod_metrics::Settings::default()
        });
    })
    .await;
    let path = format!("{BASE}/namespaces/ml/podvitals");
    wait_until("both pods have a GPU", async || {
        harness.cluster.advance(std::time::Duration::from_secs(15));
        let list = harness.json(&path).await;
        let pods = list["items"].as_array().unwrap();
        pods.len() == 2
            && pods.iter().all(|pod| {
                let gpu = &pod["gpu"];
                // 81,559 MiB without what the driver takes.
                gpu["count"] == 1 && gpu["utilization"] != "0" && gpu["memoryCapacity"] == "80919Mi"
            })
    })
    .await;
}
