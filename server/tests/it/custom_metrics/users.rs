//! Who may read a metric, over the connection of the kube-apiserver and with the real kubectl.

use kubevitals_sim::Config;
use kubevitals_sim::identity::Rule;
use serde_json::Value;

use super::{CUSTOM, EXTERNAL, store};
use crate::harness::Harness;
use crate::kubectl::Kubectl;

const GROUP: &str = "custom.metrics.k8s.io";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_reads_the_metrics_that_its_user_may_read() {
    let harness = store().await;
    let rule = |resource: &str| Rule::resources(&["get"], GROUP, &[resource]).in_namespace("store");
    let external = Rule::resources(&["list"], "external.metrics.k8s.io", &["queue_length"]);
    let rules = [
        rule("pods/http_requests_per_second"),
        rule("metrics").named(&["http_requests_per_second"]),
        external.in_namespace("store"),
    ];
    let kubectl = Kubectl::of_user(&harness, "scaler", rules);
    let custom = |path: &str| format!("get --raw {CUSTOM}/v1beta2/namespaces/{path}");
    let said = kubectl
        .says(&custom("store/pods/*/http_requests_per_second"))
        .await;
    let list: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(list["items"][0]["value"], "1", "db-0 comes first: {list}");
    assert_eq!(list["items"].as_array().unwrap().len(), 3);
    let said = kubectl
        .says(&custom("store/metrics/http_requests_per_second"))
        .await;
    assert!(said.contains(r#""value":"33500m""#), "{said}");
    let said = kubectl
        .says(&format!(
            "get --raw {EXTERNAL}/namespaces/store/queue_length"
        ))
        .await;
    assert!(said.contains(r#""value":"-2""#), "{said}");
    for denied in [
        custom("store/pods/*/latency_seconds_p95"),
        custom("store/pods/*/http_requests_per_second/more"),
        custom("store/services/front/http_requests_per_second"),
        custom("store/metrics/queue_length"),
        custom("other/pods/*/http_requests_per_second"),
        format!("get --raw {CUSTOM}/v1beta2/nodes/*/http_requests_per_second"),
        format!("get --raw {EXTERNAL}/namespaces/store/http_requests_per_second"),
        format!("get --raw {EXTERNAL}/namespaces/other/queue_length"),
    ] {
        let output = kubectl.run(&denied).await;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        // Nothing is read for a path of which a user may read a part.
        let refused = error.contains("(Forbidden)") || error.contains("(NotFound)");
        assert!(!output.status.success() && refused, "{denied}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_flag_nothing_is_served() {
    let harness = Harness::start(Config {
        nodes: 1,
        pods_per_node: 1,
        ..Config::default()
    })
    .await;
    let apis = harness.json("/apis").await;
    assert_eq!(apis["groups"].as_array().unwrap().len(), 2);
    for path in [
        CUSTOM.to_owned(),
        format!("{CUSTOM}/v1beta2"),
        format!("{CUSTOM}/v1beta2/namespaces/default/pods/*/a"),
        EXTERNAL.to_owned(),
        format!("{EXTERNAL}/namespaces/default/a"),
    ] {
        assert_eq!(harness.get(&path).await.0, 404, "{path}");
    }
    assert!(harness.server.query().pod_metrics().is_none());
}
