//! Objects of the tests as JSON. Times are in seconds after [`START`].

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

/// The time at which tests start: a whole day, so that times are easy to read.
const START: i64 = 1_800_057_600;

/// The kubelet's Event and message about a kill for the liveness probe.
pub(super) const KILL: (&str, &str) = (
    "Killing",
    "Container web failed liveness probe, will be restarted",
);

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(START + second)
}

pub(super) fn text(second: i64) -> String {
    at(second).to_rfc3339_seconds()
}

/// A pod of the container `web` with a memory limit of 64Mi.
#[derive(Debug, Clone)]
pub(super) struct PodSpec {
    pub(super) namespace: &'static str,
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) node: &'static str,
    /// The kind of the owner, whose name is `web`.
    pub(super) owner: Option<&'static str>,
    pub(super) created: i64,
    pub(super) deleted: Option<i64>,
    pub(super) policy: Option<&'static str>,
    /// The container's probes.
    pub(super) probes: Vec<&'static str>,
}

impl Default for PodSpec {
    /// A pod of a StatefulSet with a liveness and a readiness probe (period 10 s, 3 failures), created an hour before.
    fn default() -> Self {
        Self {
            namespace: "shop",
            name: "web-1".to_owned(),
            uid: "dbe5842e-0978-4422-a9fa-8026a53c65dd".to_owned(),
            node: "n1",
            owner: Some("StatefulSet"),
            created: -3600,
            deleted: None,
            policy: None,
            probes: vec!["livenessProbe", "readinessProbe"],
        }
    }
}

impl PodSpec {
    /// The pod with this readiness and its time, container status, and further fields of the status.
    pub(super) fn json(&self, ready: (bool, i64), container: Value, more: &Value) -> Value {
        let owners = self.owner.map(|kind| {
            json!([{"apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": "u", "controller": true}])
        });
        let mut spec = json!({"name": "web", "resources": {"limits": {"memory": "64Mi"}}});
        for probe in &self.probes {
            spec[*probe] = json!({"tcpSocket": {"port": 1}});
        }
        let mut status = with(json!({"phase": "Running"}), more);
        status["conditions"] = json!([condition("Ready", ready)]);
        status["containerStatuses"] = json!([with(json!({"name": "web"}), &container)]);
        json!({
            "metadata": {
                "namespace": self.namespace, "name": self.name, "uid": self.uid, "labels": {"app": "web"},
                "creationTimestamp": text(self.created), "deletionTimestamp": self.deleted.map(text),
                "ownerReferences": owners,
            },
            "spec": {"nodeName": self.node, "restartPolicy": self.policy, "containers": [spec]},
            "status": status,
        })
    }
}

/// An object with further fields.
fn with(mut object: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
    object
}

fn condition(kind: &str, (status, since): (bool, i64)) -> Value {
    let status = if status { "True" } else { "False" };
    json!({"type": kind, "status": status, "lastTransitionTime": text(since)})
}

/// The node `n1`. If it is not ready, its kubelet does not respond.
pub(super) fn node(ready: bool, since: i64) -> Value {
    let status = if ready { "True" } else { "Unknown" };
    json!({
        "metadata": {"name": "n1", "uid": "n", "creationTimestamp": text(-36_000)},
        "status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": text(since),
            "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}]},
    })
}

/// An Event of the kubelet `n1` about the container of the pod `web-1` with this UID.
pub(super) fn event(
    uid: &str,
    name: &str,
    (first, last): (i64, i64),
    count: u32,
    (reason, message): (&str, &str),
) -> Value {
    let kind = if reason == "Killing" {
        "Normal"
    } else {
        "Warning"
    };
    json!({
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": uid,
            "fieldPath": "spec.containers{web}"},
        "reason": reason, "message": message, "type": kind, "count": count,
        "source": {"component": "kubelet", "host": "n1"},
        "firstTimestamp": text(first), "lastTimestamp": text(last),
    })
}

/// The kubelet's counter of a probe of the container of the pod `web-1` with this UID.
pub(super) fn counter(uid: &str, probe: &str, result: &str, count: u32) -> String {
    format!(
        "prober_probe_total{{container=\"web\",namespace=\"shop\",pod=\"web-1\",pod_uid=\"{uid}\",probe_type=\"{probe}\",result=\"{result}\"}} {count}\n"
    )
}

/// The status of a container that runs.
pub(super) fn running(restarts: u32, since: i64, ready: bool) -> Value {
    json!({"ready": ready, "started": true, "restartCount": restarts,
        "state": {"running": {"startedAt": text(since)}}})
}

/// The state of a container that has terminated.
pub(super) fn ended(code: i32, reason: &str, started: i64, finished: i64) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": text(started),
        "finishedAt": text(finished)}})
}

/// The status of a container that runs again after its last termination.
pub(super) fn again(restarts: u32, since: i64, last: Value) -> Value {
    with(running(restarts, since, true), &json!({"lastState": last}))
}

/// The status of a container that does not run.
pub(super) fn down(restarts: u32, state: Value) -> Value {
    json!({"ready": false, "started": false, "restartCount": restarts, "state": state})
}

/// The status of a container that waits.
pub(super) fn waiting(restarts: u32, reason: &str, last: Value) -> Value {
    let state = json!({"waiting": {"reason": reason}});
    with(down(restarts, state), &json!({"lastState": last}))
}
