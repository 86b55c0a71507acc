//! Results of queries to a real Prometheus as external metrics.

use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_server::external_queries::ExternalQueryFlags;
use kubevitals_server::pod_metrics;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::Value;

use crate::harness::{Harness, wait_until};
use crate::long_history::engines::{RunningEngine, Samples};

const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// In the past of the engine, which refuses samples of the future.
const EPOCH: i64 = 1_780_000_000;

const QUERIES: &str = r#"queries:
- name: orders_waiting
  query: sum by (queue) (rabbitmq_queue_messages{namespace="$namespace"})
- name: orders_per_second
  query: sum(rate(orders_total{namespace="$namespace"}[5m]))
- name: broken
  query: sum(
  namespaces: [shop]
"#;

/// Ten minutes of a queue of 40 and 2 messages, and of 3 orders a second.
fn samples() -> Samples {
    let mut samples = Samples::default();
    for seconds in (EPOCH - 600..=EPOCH).step_by(15) {
        for (queue, pod, length) in [("a", "0", 30.0), ("a", "1", 10.0), ("b", "0", 2.0)] {
            let labels = format!(r#"namespace="shop",queue="{queue}",pod="{pod}""#);
            samples.add("rabbitmq_queue_messages", &labels, seconds, length);
        }
        let orders = 3.0 * (seconds - EPOCH + 600) as f64;
        samples.add("orders_total", r#"namespace="shop""#, seconds, orders);
    }
    samples
}

async fn start(engine: &str, file: &std::path::Path) -> Harness {
    std::fs::write(file, QUERIES).unwrap();
    let config = Config {
        nodes: 1,
        pods_per_node: 1,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(EPOCH))),
        ..Config::default()
    };
    let flags = ExternalQueryFlags {
        external_query_config: Some(file.to_owned()),
        external_query_url: Some(engine.parse().unwrap()),
        external_query_http_config: None,
    };
    Harness::start_with(config, |settings| {
        settings.pod_metrics = Some(pod_metrics::Settings {
            config: None,
            interval: Duration::from_secs(15),
            window: Duration::from_secs(60),
            memory_limit: 16 << 20,
        });
        settings.external_queries = flags.settings(None, true).unwrap();
    })
    .await
}

#[tokio::test]
async fn results_of_a_real_prometheus_are_external_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let engine = RunningEngine::prometheus(folder.path(), &samples()).await;
    let harness = start(&engine.url, &folder.path().join("queries.yaml")).await;
    let path = |metric: &str| format!("{EXTERNAL}/namespaces/shop/{metric}");
    for metric in ["orders_waiting", "orders_per_second"] {
        let path = path(metric);
        wait_until("the query is evaluated", async || {
            harness.get(&path).await.0 == 200
        })
        .await;
    }
    let waiting = harness.json(&path("orders_waiting")).await;
    let items: Vec<_> = waiting["items"].as_array().unwrap().iter().collect();
    let of = |item: &Value| {
        (
            item["metricLabels"].to_string(),
            item["value"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        items.into_iter().map(of).collect::<Vec<_>>(),
        [
            (r#"{"queue":"a"}"#.to_owned(), "40".to_owned()),
            (r#"{"queue":"b"}"#.to_owned(), "2".to_owned()),
        ]
    );
    let selected = harness
        .json(&(path("orders_waiting") + "?labelSelector=queue%3Db"))
        .await;
    assert_eq!(selected["items"].as_array().unwrap().len(), 1);
    let rate = harness.json(&path("orders_per_second")).await;
    assert_eq!(rate["items"][0]["value"], "3");
    // Another namespace has no such series, and may not read the third query.
    for (path, why) in [
        (
            format!("{EXTERNAL}/namespaces/test/orders_waiting"),
            "the result of the query has no series",
        ),
        (
            format!("{EXTERNAL}/namespaces/test/broken"),
            "does not allow this query in the namespace",
        ),
        (
            path("broken"),
            "the engine of external queries rejects the query",
        ),
    ] {
        let mut found = String::new();
        wait_until(why, async || {
            let (status, body) = harness.get(&path).await;
            found = String::from_utf8_lossy(&body).into_owned();
            status == 404 && found.contains(why)
        })
        .await;
    }
    let (status, discovery) = harness.get(EXTERNAL).await;
    assert_eq!(status, 200);
    let discovery = String::from_utf8(discovery).unwrap();
    for name in ["orders_waiting", "orders_per_second", "broken"] {
        assert!(discovery.contains(name), "{discovery}");
    }
}
