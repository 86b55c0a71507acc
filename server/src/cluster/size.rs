//! The memory of a pod: the object, its name, its entry in the cache, and its part of shared data.

use std::sync::Arc;

use imbl::OrdMap;
use kube::runtime::watcher::Event;
use kubevitals_proto::objects::{Pools, WirePod};
use serde_json::{Value, json};
use tikv_jemalloc_ctl::thread;

use super::watch::testing::{NullPublisher, ObjectCache, WatchState as _};
use super::{Pod, PodKey};

/// The limit of bytes a pod; 150,000 pods need 46 MB.
const MOST: u64 = 310;

/// The bytes that this thread has allocated and not freed.
fn allocated() -> u64 {
    thread::allocatedp::read().unwrap().get() - thread::deallocatedp::read().unwrap().get()
}

/// A pod like others: of a Deployment of a hundred replicas, every second with a sidecar, with labels, probes, limits.
fn pod(n: usize) -> Value {
    let workload = format!("checkout-{:03}", n / 100);
    let hash = format!("{:010x}", n / 100);
    let container = |name: &str| {
        json!({
            "name": name, "image": "registry.example.com/shop/checkout:1.2.3",
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        })
    };
    let status = |name: &str| {
        json!({
            "name": name, "ready": true, "started": true, "restartCount": 0, "lastState": {},
            "state": {"running": {"startedAt": "2026-11-21T06:05:38Z"}},
            "allocatedResources": {"cpu": "100m", "memory": "128Mi"},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        })
    };
    let names = if n.is_multiple_of(2) {
        &["app"][..]
    } else {
        &["app", "proxy"]
    };
    json!({
        "metadata": {
            "namespace": format!("team-{:02}", n / 1000), "name": format!("{workload}-{hash}-{n:05x}"),
            "uid": format!("dbe5842e-0978-4422-a9fa-{n:012x}"), "creationTimestamp": "2026-11-21T06:05:36Z",
            "labels": {"app": workload, "app.kubernetes.io/part-of": "shop", "pod-template-hash": hash, "tier": "backend"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": format!("{workload}-{hash}"), "controller": true}],
        },
        "spec": {"nodeName": format!("node-{:04}", n % 700), "containers": names.iter().map(|it| container(it)).collect::<Vec<_>>()},
        "status": {
            "phase": "Running", "startTime": "2026-11-21T06:05:36Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T06:05:40Z"}],
            "containerStatuses": names.iter().map(|it| status(it)).collect::<Vec<_>>(),
        },
    })
}

#[test]
fn a_pod_is_within_the_limit() {
    const PODS: usize = 5_000;
    let pools = Pools::default();
    let mut table = ObjectCache::<WirePod, NullPublisher>::new(NullPublisher, Arc::default());
    let before = allocated();
    table.apply(Event::Init, &pools);
    for n in 0..PODS {
        let slim = serde_json::from_value(pod(n)).unwrap();
        table.apply(Event::InitApply(slim), &pools);
    }
    table.apply(Event::InitDone, &pools);
    let listed = (allocated() - before) / PODS as u64;
    // Each changes once.
    for n in 0..PODS {
        let mut changed = pod(n);
        changed["status"]["containerStatuses"][0]["restartCount"] = 1.into();
        let slim = serde_json::from_value(changed).unwrap();
        table.apply(Event::Apply(slim), &pools);
    }
    let changed = (allocated() - before) / PODS as u64;
    let pods: &OrdMap<PodKey, Arc<Pod>> = &table.objects;
    assert_eq!(pods.len(), PODS);
    println!("{listed} bytes a pod when listed, {changed} when each has changed");
    assert!(
        listed.max(changed) <= MOST,
        "{listed} and {changed} bytes a pod"
    );
}
