//! A simulated HorizontalPodAutoscaler controller that scales a simulated service by what the server reports.

use std::time::Duration;

use kubevitals_proto::objects::PodKey;
use kubevitals_proto::selector::LabelSelector;
use kubevitals_proto::time::Timestamp;
use kubevitals_server::pod_metrics;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Autoscaler, Cluster, Config, EndpointFault, Faults, PodEndpoints, SimClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Harness, wait_until};

/// The time between two passes of the controller, and two scrapes of a pod.
const INTERVAL: Duration = Duration::from_secs(15);
/// The replicas of `web` at the start, which serve this many requests a second each.
const REPLICAS: i64 = 3;
const RATE: f64 = 20.0;
/// The scrapes after which no value of before the start is in a window.
const WINDOW: u32 = 5;

struct Service {
    harness: Harness,
    _folder: TempDir,
}

impl Service {
    /// A cluster with one autoscaler: of `web`, by this metric.
    async fn start(metric: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pod-metrics.yaml");
        std::fs::write(&file, "allowed_addresses: [\"127.0.0.0/8\"]\n").unwrap();
        let config = Config {
            nodes: 3,
            pods_per_node: 8,
            faults: Faults::None,
            pod_endpoints: Some(PodEndpoints::default()),
            autoscaler: Autoscaler::Stepped,
            clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
            ..Config::default()
        };
        let prepare = |cluster: &Cluster| prepare(cluster, &metric);
        let harness = Harness::start_changed(config, prepare, |settings| {
            settings.pod_metrics = Some(pod_metrics::Settings {
                config: Some(file),
                ..pod_metrics::Settings::default()
            });
        })
        .await;
        let this = Self {
            harness,
            _folder: folder,
        };
        this.set_rate(RATE * REPLICAS as f64);
        this
    }

    /// The same, once every pod of `web` was scraped and its windows are full.
    async fn warm(metric: Value) -> Self {
        let this = Self::start(metric).await;
        wait_until("every pod is scraped", async || {
            this.cluster().advance(INTERVAL);
            this.web().iter().all(|pod| this.scraped(pod).is_some())
        })
        .await;
        for _ in 0..WINDOW {
            this.pass().await;
        }
        this.run(5).await;
        assert_eq!(this.replicas(), REPLICAS);
        this
    }

    fn cluster(&self) -> &Cluster {
        &self.harness.cluster
    }

    fn set_rate(&self, rate: f64) {
        assert!(self.cluster().set_rate("shop", "web", rate));
    }

    /// The names of the pods of `web` that are not being deleted.
    fn web(&self) -> Vec<String> {
        let pods = self.cluster().store().snapshot(Resource::Pods);
        let pods = pods
            .range(None, None)
            .map(|(_, pod)| pod.to_value(Resource::Pods));
        let pods = pods.filter(|pod| {
            let metadata = &pod["metadata"];
            metadata["labels"]["app"] == "web" && metadata["deletionTimestamp"].is_null()
        });
        pods.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The time of the last scrape of a pod, if it was successful.
    fn scraped(&self, pod: &str) -> Option<Timestamp> {
        let own = self.harness.server.query().pod_metrics().unwrap();
        let pod = PodKey::new("shop", pod);
        let chain = own.explain(&pod, "http_requests_total", &LabelSelector::default());
        let last = chain.scrape.filter(|scrape| scrape.result.is_ok());
        last.map(|scrape| scrape.at)
    }

    /// Lets an interval pass, in which each pod is scraped once more. Pods that were not scraped yet, or are deleted, do
    /// not count.
    async fn pass(&self) {
        let mut pods = self.web();
        pods.retain(|pod| self.scraped(pod).is_some());
        self.cluster().advance(INTERVAL);
        let now = self.cluster().clock().now();
        let left = self.web();
        pods.retain(|pod| left.contains(pod));
        wait_until("every pod is scraped once more", async || {
            let mut pods = pods.iter();
            pods.all(|pod| self.scraped(pod).is_none_or(|at| at == now))
        })
        .await;
    }

    /// Lets intervals pass, and the controller act after each.
    async fn run(&self, intervals: u32) {
        for _ in 0..intervals {
            self.pass().await;
            self.cluster().autoscale().await;
        }
    }

    fn object(&self, resource: Resource) -> Value {
        let object = self.cluster().store().get(resource, Some("shop"), "web");
        object.unwrap().to_value(resource)
    }

    fn replicas(&self) -> i64 {
        self.object(Resource::Deployments)["spec"]["replicas"]
            .as_i64()
            .unwrap()
    }

    /// The ScalingActive condition: its status, reason and message.
    fn active(&self) -> (String, String, String) {
        let hpa = self.object(Resource::HorizontalPodAutoscalers);
        let conditions = hpa["status"]["conditions"].as_array();
        let mut active = conditions.into_iter().flatten();
        let active = active.find(|it| it["type"] == "ScalingActive");
        let text = |member: &str| {
            let text = active.and_then(|it| it[member].as_str());
            text.unwrap_or_default().to_owned()
        };
        (text("status"), text("reason"), text("message"))
    }
}

fn prepare(cluster: &Cluster, metric: &Value) {
    let hpas = Resource::HorizontalPodAutoscalers;
    let store = cluster.store();
    for (namespace, name) in [
        ("shop", "web"),
        ("shop", "checkout"),
        ("payments", "fraud-score"),
    ] {
        store.delete(hpas, Some(namespace), name);
    }
    store.apply(
        hpas,
        json!({
            "metadata": {"name": "web", "namespace": "shop", "generation": 1},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "minReplicas": 2, "maxReplicas": 20, "metrics": [metric],
            },
        }),
    );
    for (group, version) in [
        ("custom.metrics.k8s.io", "v1beta1"),
        ("custom.metrics.k8s.io", "v1beta2"),
        ("external.metrics.k8s.io", "v1beta1"),
    ] {
        store.apply(
            Resource::ApiServices,
            json!({
                "metadata": {"name": format!("{version}.{group}")},
                "spec": {
                    "group": group, "version": version, "versionPriority": 100,
                    "service": {"namespace": "kube-system", "name": "vitals-server"},
                },
            }),
        );
    }
    cluster.identities().grant_pod_metrics();
    // Only `web` counts in its namespace.
    cluster.set_rate("shop", "checkout", 0.0);
}

fn pods_metric(name: &str, average: &str) -> Value {
    json!({"type": "Pods", "pods": {
        "metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average},
    }})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_per_second_that_double_double_the_pods_and_back() {
    let service = Service::warm(pods_metric("http_requests_per_second", "21")).await;
    service.set_rate(2.0 * RATE * REPLICAS as f64);
    // Up at once; by five minutes later what the windows overshot is gone.
    service.run(10).await;
    assert!(service.replicas() >= 2 * REPLICAS, "{}", service.replicas());
    service.run(50).await;
    assert_eq!(service.replicas(), 2 * REPLICAS);
    service.set_rate(RATE * REPLICAS as f64);
    service.run(60).await;
    assert_eq!(service.replicas(), REPLICAS);
    assert_eq!(service.active().0, "True");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_percentile_that_is_too_long_adds_pods_until_it_is_not() {
    let service = Service::warm(pods_metric("http_request_duration_seconds_p95", "50m")).await;
    service.set_rate(4.0 * RATE * REPLICAS as f64);
    service.run(80).await;
    // Six pods are the fewest that are within the tolerance of 10 %.
    let replicas = service.replicas();
    assert!((6..=8).contains(&replicas), "{replicas}");
    service.set_rate(RATE * REPLICAS as f64);
    service.run(120).await;
    assert!(service.replicas() <= REPLICAS, "{}", service.replicas());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_external_metric_scales_by_the_sum_of_the_namespace() {
    let metric = json!({"type": "External", "external": {
        "metric": {"name": "http_requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "21"},
    }});
    let service = Service::warm(metric).await;
    service.set_rate(2.0 * RATE * REPLICAS as f64);
    service.run(60).await;
    assert_eq!(service.replicas(), 2 * REPLICAS);
    service.set_rate(RATE * REPLICAS as f64);
    service.run(60).await;
    assert_eq!(service.replicas(), REPLICAS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_scaled_by_a_metric_that_nobody_exposes() {
    let service = Service::start(pods_metric("orders_per_second", "20")).await;
    service.set_rate(10.0 * RATE * REPLICAS as f64);
    for _ in 0..30 {
        service.cluster().advance(INTERVAL);
        service.cluster().autoscale().await;
        assert_eq!(service.replicas(), REPLICAS);
    }
    let (status, reason, message) = service.active();
    assert_eq!(
        (&*status, &*reason),
        ("False", "FailedGetPodsMetric"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_scaled_when_the_endpoints_are_dead() {
    let service = Service::warm(pods_metric("http_requests_per_second", "21")).await;
    for pod in service.web() {
        service
            .cluster()
            .break_endpoint("shop", &pod, EndpointFault::Refuse);
    }
    service.set_rate(10.0 * RATE * REPLICAS as f64);
    wait_until("the values are too old", async || {
        service.cluster().advance(INTERVAL);
        service.cluster().autoscale().await;
        assert_eq!(service.replicas(), REPLICAS);
        service.active().0 == "False"
    })
    .await;
    assert_eq!(service.active().1, "FailedGetPodsMetric");
}

/// The pods that still answer have a third of the requests: a sum of theirs would take pods away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_scaled_by_a_part_of_a_sum() {
    let metric = json!({"type": "External", "external": {
        "metric": {"name": "http_requests_per_second"},
        "target": {"type": "AverageValue", "averageValue": "21"},
    }});
    let service = Service::warm(metric).await;
    for pod in service.web().iter().skip(1) {
        let cluster = service.cluster();
        assert!(cluster.break_endpoint("shop", pod, EndpointFault::Refuse));
    }
    // Longer than the five minutes for which the controller waits before it takes pods away.
    for _ in 0..30 {
        service.run(1).await;
        assert_eq!(service.replicas(), REPLICAS);
    }
    let (status, reason, message) = service.active();
    assert_eq!(
        (&*status, &*reason),
        ("False", "FailedGetExternalMetric"),
        "{message}"
    );
    assert!(
        message.contains("should have a value and have none"),
        "{message}"
    );
}
