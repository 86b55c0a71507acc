//! What people do to a cluster: deleting, evicting, restarting, scaling, cordoning.

use std::time::Duration;

use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, Config, Faults, SimClock};
use serde_json::{Value, json};

use crate::harness::{client, send};

async fn cluster() -> Cluster {
    let config = Config {
        nodes: 2,
        pods_per_node: 10,
        faults: Faults::None,
        clock: Some(SimClock::manual(
            kubevitals_proto::time::Timestamp::from_secs(1_800_000_000),
        )),
        ..Config::default()
    };
    Cluster::start(config).await.unwrap()
}

struct Client(kube::Client);

impl Client {
    /// Sends a body, and returns the code of the answer.
    async fn send(&self, method: &str, path: &str, body: &Value) -> u16 {
        let kind = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        send(&self.0, request, &body.to_string()).await.code
    }
}

fn pods(cluster: &Cluster, label: &str) -> Vec<Value> {
    let snapshot = cluster.store().snapshot(Resource::Pods);
    let all = snapshot
        .range(Some("shop"), None)
        .map(|(_, pod)| pod.to_value(Resource::Pods));
    all.filter(|pod| pod["metadata"]["labels"]["app"] == label)
        .collect()
}

#[tokio::test]
async fn a_deleted_pod_is_replaced_and_a_scaled_workload_has_as_many_as_it_should() {
    let cluster = cluster().await;
    let client = Client(client(cluster.kubeconfig()).await);
    let name = pods(&cluster, "web")[0]["metadata"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/api/v1/namespaces/shop/pods/{name}");
    assert_eq!(client.send("DELETE", &path, &json!({})).await, 200);
    cluster.advance(Duration::from_secs(60));
    let after = pods(&cluster, "web");
    assert!(after.len() == 3 && after.iter().all(|pod| pod["metadata"]["name"] != *name));
    for replicas in [5, 1, 0, 2] {
        let patch = json!({"spec": {"replicas": replicas}});
        assert_eq!(
            client
                .send(
                    "PATCH",
                    "/apis/apps/v1/namespaces/shop/deployments/web/scale",
                    &patch
                )
                .await,
            200
        );
        cluster.advance(Duration::from_secs(60));
        assert_eq!(pods(&cluster, "web").len(), replicas);
    }
}

#[tokio::test]
async fn a_restart_replaces_all_pods() {
    let cluster = cluster().await;
    let client = Client(client(cluster.kubeconfig()).await);
    let names = |cluster: &Cluster| {
        pods(cluster, "web")
            .iter()
            .map(|pod| pod["metadata"]["name"].to_string())
            .collect::<Vec<_>>()
    };
    let before = names(&cluster);
    let patch = json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}});
    assert_eq!(
        client
            .send(
                "PATCH",
                "/apis/apps/v1/namespaces/shop/deployments/web",
                &patch
            )
            .await,
        200
    );
    cluster.advance(Duration::from_secs(180));
    let after = names(&cluster);
    assert!(
        after.len() == 3 && after.iter().all(|name| !before.contains(name)),
        "{after:?}"
    );
}

#[tokio::test]
async fn evicted_pods_move_from_a_cordoned_node_as_their_budget_allows() {
    let cluster = cluster().await;
    let client = Client(client(cluster.kubeconfig()).await);
    let node = cluster.node_names()[0].clone();
    let patch = json!({"spec": {"unschedulable": true}});
    assert_eq!(
        client
            .send("PATCH", &format!("/api/v1/nodes/{node}"), &patch)
            .await,
        200
    );
    let on = |pods: &[Value]| {
        pods.iter()
            .filter(|pod| pod["spec"]["nodeName"] == *node)
            .cloned()
            .collect::<Vec<_>>()
    };
    let here = on(&pods(&cluster, "web"));
    assert!(!here.is_empty());
    let all = pods(&cluster, "web");
    let evict = async |pod: &Value| {
        let name = pod["metadata"]["name"].as_str().unwrap();
        let path = format!("/api/v1/namespaces/shop/pods/{name}/eviction");
        client
            .send(
                "POST",
                &path,
                &json!({"kind": "Eviction", "metadata": {"name": name}}),
            )
            .await
    };
    assert_eq!(evict(&here[0]).await, 201);
    cluster.advance(Duration::from_secs(4));
    // One of the workload is unavailable.
    let other = all
        .iter()
        .find(|pod| pod["metadata"]["name"] != here[0]["metadata"]["name"])
        .unwrap();
    assert_eq!(evict(other).await, 429);
    cluster.advance(Duration::from_secs(60));
    assert_eq!(on(&pods(&cluster, "web")).len(), here.len() - 1);
    assert_eq!(pods(&cluster, "web").len(), all.len());
}
