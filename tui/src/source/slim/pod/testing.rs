//! A pod to read.

use super::SlimPod;

/// Reads a pod.
pub(super) fn pod(json: &str) -> SlimPod {
    serde_json::from_str(json).unwrap()
}

/// One of everything: an init container, a sidecar, and an application that was killed for its memory and is not ready.
pub(super) const FLAKY: &str = r#"{"metadata":{"namespace":"shop","name":"web-5d-x","uid":"u","labels":{"pod-template-hash":"5d"},
        "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web-5d","uid":"r","controller":true}]},
        "spec":{"nodeName":"n1","initContainers":[{"name":"big","resources":{"requests":{"cpu":"2"}}},
                {"name":"side","restartPolicy":"Always","resources":{"requests":{"cpu":"100m"},"limits":{"memory":"10Mi"}}}],
            "containers":[{"name":"web","resources":{"requests":{"cpu":"250m"},"limits":{"memory":"50Mi","cpu":"1"}},
                "readinessProbe":{"httpGet":{"path":"/ready","port":8080,"scheme":"HTTP"},"failureThreshold":2},"livenessProbe":{"exec":{"command":["cat","x"]}}}]},
        "status":{"phase":"Running","initContainerStatuses":[{"name":"big","ready":true,"state":{"terminated":{"exitCode":0,"reason":"Completed"}}},
                {"name":"side","ready":true,"started":true,"state":{"running":{}}}],
            "containerStatuses":[{"name":"web","ready":false,"started":true,"restartCount":3,"state":{"running":{"startedAt":"2026-11-21T05:09:00Z"}},
                "lastState":{"terminated":{"exitCode":137,"reason":"OOMKilled","finishedAt":"2026-11-21T05:08:00Z"}}}]}}"#;
