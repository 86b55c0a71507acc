//! The simulated HorizontalPodAutoscaler controller, with aggregated APIs that a test answers.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use kubevitals_proto::time::Timestamp;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Autoscaler, Cluster, Config, Faults, PodEndpoints, SimClock};
use parking_lot::Mutex;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A cluster whose `web` has an autoscaler, and the aggregated APIs that answer every value request with this number.
async fn start(metric: Value, value: Arc<Mutex<Option<&'static str>>>) -> (Cluster, Requests) {
    let cluster = Cluster::start(Config {
        nodes: 3,
        pods_per_node: 8,
        faults: Faults::None,
        pod_endpoints: Some(PodEndpoints::default()),
        autoscaler: Autoscaler::Stepped,
        clock: Some(SimClock::manual(START)),
        ..Config::default()
    })
    .await
    .unwrap();
    let all = Resource::HorizontalPodAutoscalers;
    for (namespace, name) in [
        ("shop", "web"),
        ("shop", "checkout"),
        ("payments", "fraud-score"),
    ] {
        cluster.store().delete(all, Some(namespace), name);
    }
    cluster.store().apply(
        Resource::ApiServices,
        json!({
            "metadata": {"name": "v1beta2.custom.metrics.k8s.io"},
            "spec": {
                "group": "custom.metrics.k8s.io", "version": "v1beta2", "versionPriority": 100,
                "service": {"namespace": "kube-system", "name": "vitals-server"},
            },
        }),
    );
    cluster.store().apply(
        Resource::HorizontalPodAutoscalers,
        json!({
            "metadata": {"name": "web", "namespace": "shop", "generation": 1},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2, "maxReplicas": 12, "metrics": [metric],
            },
        }),
    );
    let requests = Requests::default();
    let (seen, store) = (requests.clone(), cluster.store().clone());
    cluster.api().set_local(Some(Arc::new(move |request: &Request<()>| {
        let path = request.uri().path_and_query().unwrap().to_string();
        seen.lock().push(path.clone());
        let pods = store.snapshot(Resource::Pods);
        let pods = pods.range(Some("shop"), None).map(|(_, pod)| pod.to_value(Resource::Pods));
        let pods = pods.filter(|pod| pod["metadata"]["labels"]["app"] == "web");
        let item = |name: &str, value| json!({
            "describedObject": {"kind": "Pod", "namespace": "shop", "name": name, "apiVersion": "/v1"},
            "metric": {"name": "m"}, "timestamp": store.now(), "windowSeconds": 60, "value": value,
        });
        let body = match *value.lock() {
            None => json!({"items": []}),
            Some(value) if path.contains("/pods/*/") => {
                let items = pods.map(|pod| item(pod["metadata"]["name"].as_str().unwrap(), value));
                json!({"items": items.collect::<Vec<_>>()})
            }
            Some(value) => json!({"items": [item("one", value)]}),
        };
        let body = Full::from(body.to_string()).map_err(|never| match never {});
        Response::new(body.boxed_unsync())
    })));
    (cluster, requests)
}

type Requests = Arc<Mutex<Vec<String>>>;

fn object(cluster: &Cluster, resource: Resource) -> Value {
    let object = cluster.store().get(resource, Some("shop"), "web");
    object.unwrap().to_value(resource)
}

fn replicas(cluster: &Cluster) -> i64 {
    object(cluster, Resource::Deployments)["spec"]["replicas"]
        .as_i64()
        .unwrap()
}

/// A condition: its status and its reason.
fn condition(cluster: &Cluster, kind: &str) -> (String, String) {
    let hpa = object(cluster, Resource::HorizontalPodAutoscalers);
    let conditions = hpa["status"]["conditions"].as_array().unwrap();
    let condition = conditions.iter().find(|it| it["type"] == kind).unwrap();
    let text = |member: &str| condition[member].as_str().unwrap().to_owned();
    (text("status"), text("reason"))
}

/// Lets passes happen for so many seconds.
async fn run(cluster: &Cluster, secs: u64) {
    for _ in 0..secs / 15 {
        cluster.advance(Duration::from_secs(15));
        cluster.autoscale().await;
    }
}

#[tokio::test]
async fn a_metric_of_pods_scales_up_at_once_and_down_when_it_is_stable() {
    let value = Arc::new(Mutex::new(Some("20")));
    let metric = json!({"type": "Pods", "pods": {
        "metric": {"name": "http_requests_per_second", "selector": {"matchLabels": {"code": "200"}}},
        "target": {"type": "AverageValue", "averageValue": "20"},
    }});
    let (cluster, requests) = start(metric, value.clone()).await;
    let before = replicas(&cluster);
    run(&cluster, 30).await;
    assert_eq!(replicas(&cluster), before);
    let path = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/http_requests_per_second?labelSelector=app%3Dweb&metricLabelSelector=code%3D200";
    assert_eq!(requests.lock().last().map(String::as_str), Some(path));
    *value.lock() = Some("40");
    run(&cluster, 15).await;
    assert_eq!(replicas(&cluster), 2 * before);
    assert_eq!(condition(&cluster, "AbleToScale").1, "SucceededRescale");
    *value.lock() = Some("10");
    run(&cluster, 60).await;
    assert_eq!(
        replicas(&cluster),
        2 * before,
        "not before the window is over"
    );
    assert_eq!(condition(&cluster, "AbleToScale").1, "ScaleDownStabilized");
    run(&cluster, 300).await;
    assert_eq!(replicas(&cluster), before);
    let hpa = object(&cluster, Resource::HorizontalPodAutoscalers);
    let status = &hpa["status"];
    assert_eq!(
        status["currentMetrics"][0]["pods"]["current"]["averageValue"],
        "10"
    );
    assert_eq!(status["observedGeneration"], 1);
    assert!(status["lastScaleTime"].is_string());
}

#[tokio::test]
async fn a_metric_without_a_value_changes_nothing_and_says_why() {
    let value = Arc::new(Mutex::new(None));
    let metric = json!({"type": "External", "external": {
        "metric": {"name": "queue_length"}, "target": {"type": "AverageValue", "averageValue": "30"},
    }});
    let (cluster, requests) = start(metric, value.clone()).await;
    let before = replicas(&cluster);
    run(&cluster, 60).await;
    assert_eq!(replicas(&cluster), before);
    let failed = ("False".to_owned(), "FailedGetExternalMetric".to_owned());
    assert_eq!(condition(&cluster, "ScalingActive"), failed);
    let path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue_length";
    assert_eq!(requests.lock().last().map(String::as_str), Some(path));
    *value.lock() = Some("1k");
    run(&cluster, 60).await;
    assert_eq!(replicas(&cluster), 12);
    assert_eq!(condition(&cluster, "ScalingLimited").1, "TooManyReplicas");
}

#[tokio::test]
async fn a_metric_of_an_object_is_requested_of_its_resource() {
    let value = Arc::new(Mutex::new(Some("90")));
    let metric = json!({"type": "Object", "object": {
        "metric": {"name": "hits"}, "target": {"type": "Value", "value": "45"},
        "describedObject": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "main"},
    }});
    let (cluster, requests) = start(metric, value).await;
    let before = replicas(&cluster);
    run(&cluster, 15).await;
    assert_eq!(replicas(&cluster), 2 * before);
    let path =
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/ingresses.networking.k8s.io/main/hits";
    assert_eq!(requests.lock().last().map(String::as_str), Some(path));
}
