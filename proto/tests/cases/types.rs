//! Members of a type that Kubernetes does not give them: only that member is dropped, not the pod, and not the page.
//! Each row FAILED in the source `metrics`, which lost the page, and with it all pods.

use serde_json::{Value, json};

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, pointer: &str, value: Value| {
        let owners = json!([{"apiVersion": "v1", "kind": "DaemonSet", "name": "agent", "uid": "u", "controller": true}]);
        let mut case = Case::running(
            name,
            json!({"labels": {"app": "web"}, "ownerReferences": owners}),
            json!({"containers": [{"name": "app",
                "resources": {"requests": {"cpu": "500m", "memory": "64Mi"}},
                "readinessProbe": {"httpGet": {"port": 80}, "failureThreshold": 5}}]}),
            json!({}),
        )
        .resources("500m 64Mi", "- -", "500m 64Mi", "- -")
        .workload("DaemonSet agent")
        .probes("1/1")
        .not_conforming();
        *case.pod.pointer_mut(pointer).unwrap() = value;
        case
    };
    let status = "/status/containerStatuses/0";
    let at = |member: &str| format!("{status}/{member}");
    vec![
        case("type-restarts", &at("restartCount"), json!("three")),
        case("type-started", &at("started"), json!({"when": "now"})),
        case("type-started-at", &at("state/running/startedAt"), json!(7)),
        case("type-owners", "/metadata/ownerReferences", json!("agent")).workload(""),
        case("type-owner", "/metadata/ownerReferences/0", json!(7)).workload(""),
        case(
            "type-created",
            "/metadata/creationTimestamp",
            json!("yesterday"),
        ),
        case(
            "type-amount",
            "/spec/containers/0/resources/requests/cpu",
            json!("much"),
        )
        .resources("- 64Mi", "- -", "- 64Mi", "- -"),
        case(
            "type-requests",
            "/spec/containers/0/resources/requests",
            json!([1, 2]),
        )
        .resources("- -", "- -", "- -", "- -"),
        case(
            "type-resources",
            "/spec/containers/0/resources",
            json!("few"),
        )
        .resources("- -", "- -", "- -", "- -"),
        case(
            "type-threshold",
            "/spec/containers/0/readinessProbe/failureThreshold",
            json!("many"),
        ),
        case(
            "type-port",
            "/spec/containers/0/readinessProbe/httpGet/port",
            json!({"a": 1}),
        ),
    ]
}
