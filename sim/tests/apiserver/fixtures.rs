//! Objects to serve.

use kubevitals_sim::objects::{Resource, Store};
use serde_json::{Value, json};

pub(crate) fn node(name: &str) -> Value {
    json!({
        "metadata": {
            "name": name, "creationTimestamp": "2026-01-01T07:00:00Z",
            "labels": {"kubernetes.io/hostname": name, "node-role.kubernetes.io/worker": ""},
        },
        "status": {
            "addresses": [{"type": "InternalIP", "address": "127.1.0.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {
                "kubeletVersion": "v1.36.0", "osImage": "Debian GNU/Linux 13", "kernelVersion": "6.12.0",
                "containerRuntimeVersion": "containerd://2.1.0", "architecture": "amd64", "bootID": "b",
                "kubeProxyVersion": "", "machineID": "m", "operatingSystem": "linux", "systemUUID": "s",
            },
        },
    })
}

pub(crate) fn pod(namespace: &str, name: &str, app: &str) -> Value {
    json!({
        "metadata": {
            "namespace": namespace, "name": name, "labels": {"app": app},
            "creationTimestamp": "2026-01-01T11:50:00Z",
        },
        "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "example.org/app:1"}]},
        "status": {
            "phase": "Running", "podIPs": [{"ip": "10.0.0.1"}],
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{
                "name": "main", "image": "example.org/app:1", "imageID": "", "ready": true, "restartCount": 0,
                "state": {"running": {"startedAt": "2026-01-01T11:50:01Z"}},
            }],
        },
    })
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Active"}})
}

/// `count` pods `p000`, `p001` … in `default`.
pub(crate) fn many_pods(store: &Store, count: usize) {
    for i in 0..count {
        store.apply(Resource::Pods, pod("default", &format!("p{i:03}"), "many"));
    }
}
