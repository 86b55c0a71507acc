//! The autoscalers of the demo that scale by metrics of pods, and what serves these metrics.

use kubevitals_server::pod_metrics;
use kubevitals_sim::objects::Resource;
use kubevitals_sim::{Cluster, PodEndpoints};
use serde_json::{Value, json};

/// A cluster of so many nodes has one with GPUs.
const NODES_FOR_GPUS: u32 = 3;

/// What the pods of a demo of so many nodes expose.
pub(super) fn endpoints(nodes: u32) -> PodEndpoints {
    PodEndpoints {
        filler: 0,
        gpu_nodes: u32::from(nodes >= NODES_FOR_GPUS),
        swing: 0.5,
        ..PodEndpoints::default()
    }
}

/// Registers the server's APIs for autoscalers, and adds an autoscaler to each of some Deployments, where they exist:
/// by requests a second, by the use of GPUs and an external metric, and by a metric that nobody exposes.
pub(super) fn add(cluster: &Cluster) {
    cluster.identities().grant_pod_metrics();
    let store = cluster.store();
    for (group, version) in [
        ("custom.metrics.k8s.io", "v1beta1"),
        ("custom.metrics.k8s.io", "v1beta2"),
        ("external.metrics.k8s.io", "v1beta1"),
    ] {
        store.apply(Resource::ApiServices, api_service(group, version));
    }
    let requests = "http_requests_per_second";
    let gpus = vec![
        of_pods("DCGM_FI_DEV_GPU_UTIL", "80"),
        external(requests, "60"),
    ];
    for (namespace, name, replicas, metrics) in [
        ("payments", "ledger", (1, 6), vec![of_pods(requests, "20")]),
        ("ml", "llm-serving", (2, 4), gpus),
        (
            "kube-system",
            "coredns",
            (1, 6),
            vec![external("queue_length", "100")],
        ),
    ] {
        let target = store.get(Resource::Deployments, Some(namespace), name);
        if target.is_some() {
            let autoscaler = autoscaler(namespace, name, replicas, &metrics);
            store.apply(Resource::HorizontalPodAutoscalers, autoscaler);
        }
    }
}

/// Settings by which the server scrapes the pods of the demo, which have loopback addresses.
pub(super) fn settings(cluster: &Cluster) -> std::io::Result<pod_metrics::Settings> {
    let file = cluster.folder().join("pod-metrics.yaml");
    std::fs::write(&file, "allowed_addresses: [\"127.0.0.0/8\"]\n")?;
    Ok(pod_metrics::Settings {
        config: Some(file),
        ..pod_metrics::Settings::default()
    })
}

fn api_service(group: &str, version: &str) -> Value {
    json!({
        "metadata": {"name": format!("{version}.{group}")},
        "spec": {
            "group": group, "version": version, "versionPriority": 100,
            "service": {"namespace": "kube-system", "name": "vitals-server"},
        },
    })
}

fn autoscaler(namespace: &str, name: &str, replicas: (u32, u32), metrics: &[Value]) -> Value {
    json!({
        "metadata": {"namespace": namespace, "name": name, "generation": 1},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": replicas.0, "maxReplicas": replicas.1, "metrics": metrics,
        },
    })
}

fn of_pods(name: &str, average: &str) -> Value {
    json!({"type": "Pods", "pods": {
        "metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average},
    }})
}

fn external(name: &str, average: &str) -> Value {
    json!({"type": "External", "external": {
        "metric": {"name": name}, "target": {"type": "AverageValue", "averageValue": average},
    }})
}
