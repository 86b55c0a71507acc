//! The metrics of HorizontalPodAutoscalers: the requests of the HPA controller and of kubectl, and who may send them.

mod requests;
mod users;

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::objects::PodKey;
use kubevitals_proto::time::Timestamp;
use kubevitals_server::pod_metrics::{self, Series, Value};
use kubevitals_sim::identity::{Rule, SERVER_ACCOUNT, Subject};
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Config, Faults, SimClock};
use serde_json::json;

use crate::harness::{Harness, wait_until};

/// The time of all values: 2026-06-01T12:00:00Z.
const AT: i64 = 1_780_315_200;

const CUSTOM: &str = "/apis/custom.metrics.k8s.io";
const EXTERNAL: &str = "/apis/external.metrics.k8s.io/v1beta1";

/// A cluster with namespace `store`: Deployment `web` with two pods that expose metrics, one that does not and one
/// that has ended, a StatefulSet `db` with one pod, and the Service `front` of the pods of `web`.
async fn store() -> Harness {
    let harness = without_services().await;
    let (namespace, name) = SERVER_ACCOUNT;
    let rule = Rule::resources(&["list"], "", &["services"]);
    let account = Subject::service_account(namespace, name);
    harness.cluster.identities().grant(account, rule);
    harness
}

/// The same, on which the server may not list Services.
async fn without_services() -> Harness {
    start(add_objects).await
}

/// A server with pods' own metrics on a cluster with these objects, among them the pod `store/db-0`.
async fn start(prepare: impl FnOnce(&kubevitals_sim::Cluster)) -> Harness {
    let config = Config {
        nodes: 2,
        pods_per_node: 2,
        faults: Faults::None,
        clock: Some(SimClock::manual(Timestamp::from_secs(1_800_000_000))),
        ..Config::default()
    };
    let harness = Harness::start_changed(config, prepare, |settings| {
        settings.pod_metrics = Some(pod_metrics::Settings {
            config: None,
            interval: Duration::from_secs(15),
            window: Duration::from_secs(60),
            memory_limit: 256 << 20,
        });
    })
    .await;
    wait_until("the pods of the store are listed", async || {
        harness.server.query().detector().detect();
        harness.server.query().detector().is_complete()
            && harness
                .get("/apis/kubevitals.io/v1alpha1/namespaces/store/podvitals/db-0")
                .await
                .0
                == 200
    })
    .await;
    record(&harness);
    harness
}

fn add_objects(cluster: &kubevitals_sim::Cluster) {
    let store = cluster.store();
    let pod = |name: &str, owner: &str, owner_name: &str, labels: serde_json::Value, node: &str| {
        json!({
            "metadata": {
                "namespace": "store", "name": name, "labels": labels,
                "ownerReferences": [{
                    "apiVersion": "apps/v1", "kind": owner, "name": owner_name, "controller": true,
                    "uid": format!("uid-of-{owner_name}"),
                }],
            },
            "spec": {"nodeName": node, "containers": [{"name": "app", "image": "app"}]},
            "status": {"phase": "Running"},
        })
    };
    store.apply(Resource::Namespaces, json!({"metadata": {"name": "store"}}));
    for (name, node) in [
        ("web-1", "node-0001"),
        ("web-2", "node-0002"),
        ("web-3", "node-0002"),
    ] {
        let labels = json!({"app": "web", "pod-template-hash": "abc", "n": &name[4..]});
        store.apply(
            Resource::Pods,
            pod(name, "ReplicaSet", "web-abc", labels, node),
        );
    }
    let labels = json!({"app": "web", "pod-template-hash": "abc", "n": "0"});
    let mut ended = pod("web-0", "ReplicaSet", "web-abc", labels, "node-0001");
    ended["status"]["phase"] = "Failed".into();
    store.apply(Resource::Pods, ended);
    let labels = json!({"app": "db"});
    store.apply(
        Resource::Pods,
        pod("db-0", "StatefulSet", "db", labels, "node-0001"),
    );
    let services = [
        ("front", json!({"app": "web"})),
        ("db", json!({"app": "db"})),
        ("empty", json!({})),
    ];
    for (name, selector) in services {
        let metadata = json!({"namespace": "store", "name": name, "labels": {"tier": name}});
        let spec = json!({"selector": selector, "ports": [{"port": 80}]});
        store.apply(
            Resource::Services,
            json!({"metadata": metadata, "spec": spec}),
        );
    }
}

/// A series: its name, its labels, its value, and its window in seconds.
type Recorded<'a> = (&'a str, &'a [(&'a str, &'a str)], f64, Option<u64>);

/// Records the series of a pod.
fn record_series(harness: &Harness, namespace: &str, pod: &str, series: &[Recorded<'_>]) {
    let convert = |&(name, labels, value, window): &Recorded<'_>| Series {
        name: Arc::from(name),
        labels: labels.iter().copied().collect::<Labels>(),
        value: Value {
            value,
            at: Timestamp::from_secs(AT),
            window: window.map(Duration::from_secs),
        },
    };
    let metrics = harness.server.query().pod_metrics().unwrap();
    let series = series.iter().map(convert).collect();
    metrics.record(PodKey::new(namespace, pod), series);
}

/// Records the series of the store.
fn record(harness: &Harness) {
    const RPS: &str = "http_requests_per_second";
    const LATENCY: &str = "latency_seconds_p95";
    let get: &[_] = &[("verb", "GET")];
    const HUGE: Recorded<'_> = ("huge", &[], f64::MAX, None);
    let pods: [(&str, &[Recorded<'_>]); 5] = [
        ("web-0", &[(RPS, get, 100.0, Some(60))]),
        (
            "web-1",
            &[
                (RPS, get, 10.5, Some(60)),
                (RPS, &[("verb", "POST")], 2.0, Some(60)),
                (LATENCY, &[], 0.25, Some(60)),
                ("Queue:Length", &[], 3.0, None),
                HUGE,
            ],
        ),
        (
            "web-2",
            &[
                (RPS, get, 20.0, Some(60)),
                (LATENCY, &[], 0.5, Some(60)),
                HUGE,
            ],
        ),
        ("web-3", &[]),
        (
            "db-0",
            &[
                (RPS, get, 1.0, Some(60)),
                ("queue_length", &[("queue", "mail")], -2.0, None),
            ],
        ),
    ];
    for (pod, series) in pods {
        record_series(harness, "store", pod, series);
    }
}
