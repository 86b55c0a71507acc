//! What made a pod.

use serde_json::json;

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    let case = |name, kind: &str, owner: &str, controller: bool| {
        let owners = json!([
            {"apiVersion": "v1", "kind": "Other", "name": "other", "uid": "o"},
            {"apiVersion": "v1", "kind": kind, "name": owner, "uid": "u", "controller": controller},
        ]);
        let metadata = json!({"labels": {"pod-template-hash": "5b6"}, "ownerReferences": owners});
        Case::running(name, metadata, json!({}), json!({}))
    };
    vec![
        case("of-deployment", "ReplicaSet", "web-5b6", true).workload("Deployment web"),
        case("of-replica-set", "ReplicaSet", "web-5b7", true).workload("ReplicaSet web-5b7"),
        // FAILED in the source `metrics`: a Deployment without a name.
        case("of-nameless", "ReplicaSet", "-5b6", true).workload("ReplicaSet -5b6"),
        case("of-stateful-set", "StatefulSet", "db-5b6", true).workload("StatefulSet db-5b6"),
        case("of-daemon-set", "DaemonSet", "agent", true).workload("DaemonSet agent"),
        case("of-node", "Node", "n1", true).workload("Node n1"),
        case("of-cron-job", "Job", "nightly-29393760", true).workload("CronJob nightly"),
        // Named like a CronJob's, but made by hand; and one that is gone.
        case("of-job", "Job", "once-29393760", true).workload("Job once-29393760"),
        case("of-gone-job", "Job", "gone-29393760", true).workload("Job gone-29393760"),
        case("of-none", "ReplicaSet", "web-5b6", false).workload(""),
    ]
}
