//! Probes, as far as the pod alone says how they are. Of a liveness probe it says nothing until the kubelet kills.

use serde_json::{Value, json};

use super::{Case, OLD, run, unready, wait};

fn get(more: Value) -> Value {
    let mut probe = json!({"httpGet": {"port": 8080, "path": "/"}});
    for (member, value) in more.as_object().unwrap() {
        probe[member] = value.clone();
    }
    probe
}

/// A pod whose only container has these probes and this status.
fn case(name: &'static str, line: &str, probes: Value, status: Value) -> Case {
    let mut container = probes;
    container["name"] = "app".into();
    let pod = json!({
        "metadata": {},
        "spec": {"containers": [container]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    });
    Case::new(name, line, pod)
}

pub(super) fn cases() -> Vec<Case> {
    let all = || json!({"startupProbe": get(json!({})), "livenessProbe": get(json!({})), "readinessProbe": get(json!({}))});
    let readiness = |more| json!({"readinessProbe": get(more)});
    let starting = json!({"name": "app", "ready": false, "started": false, "restartCount": 0,
        "state": {"running": {"startedAt": OLD}}});
    vec![
        case("probes-pass", "1/1 Running 0", all(), run("app", 0)).probes("2/2"),
        case("probes-starting", "0/1 Running 0", all(), starting).probes("0/3 startup pending"),
        case("probes-unready", "0/1 Running 0", all(), unready("app"))
            .probes("1/2 readiness failing"),
        case(
            "probes-waiting",
            "0/1 CrashLoopBackOff 2",
            all(),
            wait("app", 2, "CrashLoopBackOff"),
        )
        .probes("0/3 not running"),
        case(
            "probes-liveness",
            "1/1 Running 0",
            json!({"livenessProbe": get(json!({}))}),
            run("app", 0),
        )
        .probes("unknown"),
        // For half a century. FAILED in the source `metrics`: `readiness failing`; so did the next one.
        case(
            "probes-initial-delay",
            "0/1 Running 0",
            readiness(json!({"initialDelaySeconds": 1_500_000_000})),
            unready("app"),
        )
        .probes("0/1 waiting"),
        case(
            "probes-first-attempt",
            "0/1 Running 0",
            readiness(json!({"periodSeconds": 1_500_000_000})),
            unready("app"),
        )
        .probes("0/1 waiting"),
        of_sidecar(),
    ]
}

fn of_sidecar() -> Case {
    let pod = json!({
        "metadata": {},
        "spec": {
            "initContainers": [{"name": "side", "restartPolicy": "Always", "readinessProbe": get(json!({}))}],
            "containers": [{"name": "app", "readinessProbe": get(json!({}))}],
        },
        "status": {"phase": "Running", "initContainerStatuses": [unready("side")],
            "containerStatuses": [run("app", 0)]},
    });
    Case::new("probes-of-sidecar", "1/2 Running 0", pod).probes("1/2 readiness failing")
}
