//! The metrics that pods expose themselves: of one pod, and why it has a value or none.

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::OwnMetrics;
use kubevitals_proto::why::{Kind, State, Why};
use kubevitals_server::config::Settings;
use kubevitals_server::pod_metrics::{self, Series, Value};
use kubevitals_server::query::PodKey;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, SimClock};

use crate::harness::{Harness, wait_until};

const BASE: &str = "/apis/kubevitals.io/v1alpha1";

async fn cluster(change: impl FnOnce(&mut Settings)) -> (Harness, PodKey) {
    let config = Config {
        nodes: 1,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
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
