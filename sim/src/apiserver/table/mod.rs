//! Table answers: the columns that kubectl prints, with the cells of each as kube-apiserver's printers compute them.

mod columns;
mod computed;
mod hpa;

use kubevitals_proto::age;
use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use self::columns::Cell::{self, Int, Of, Since, Text};
use crate::members::Members;
use crate::objects::Resource;

/// The column definitions of a resource.
pub(super) fn definitions(resource: Resource) -> Value {
    columns::of(resource).iter().map(|it| json!(it.0)).collect()
}

/// The cells of one object's row.
pub(super) fn cells(resource: Resource, object: &Value, now: Timestamp) -> Value {
    let cells = columns::of(resource).iter().map(|(_, cell)| cell);
    cells.map(|it| cell(it, object, now)).collect()
}

fn cell(cell: &Cell, object: &Value, now: Timestamp) -> Value {
    match cell {
        Text(pointer, otherwise) => match object.pointer(pointer) {
            Some(Value::Number(number)) => json!(number.to_string()),
            _ => json!(object.text_or(pointer, otherwise)),
        },
        Int(pointer) => json!(object.int(pointer)),
        Since(times) => {
            let mut times = times.iter().map(|time| object.text(time));
            let time = times.find(|time| !time.is_empty());
            json!(age::since(time.and_then(|it| it.parse().ok()), now))
        }
        Of(compute) => compute(object, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of one object's row at a time, separated by `|`.
    fn row(resource: Resource, object: &Value, now: &str) -> String {
        let cells = cells(resource, object, now.parse().unwrap());
        let cells = cells.as_array().unwrap().iter();
        let texts = cells.map(|it| it.to_string().replace('"', ""));
        texts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn an_event_has_the_times_and_the_object_that_it_reports() {
        let old = json!({
            "metadata": {"name": "e"}, "type": "Warning", "reason": "BackOff", "message": "back-off\n", "count": 4,
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:09:30Z", "eventTime": null,
            "involvedObject": {"kind": "Pod", "name": "a", "fieldPath": "spec.containers{c}"},
            "source": {"component": "kubelet", "host": "n1"},
        });
        let new = json!({"metadata": {"name": "e"}, "eventTime": "2026-01-01T00:09:00.123456Z", "involvedObject": {"kind": "Pod", "name": "a"}});
        let row = |event| row(Resource::Events, event, "2026-01-01T00:10:00Z");
        assert_eq!(
            row(&old),
            "30s|Warning|BackOff|pod/a|spec.containers{c}|kubelet, n1|back-off|10m|4|e"
        );
        assert!(row(&new).starts_with("60s|"), "{}", row(&new));
    }

    #[test]
    fn a_node_has_its_status_and_its_roles() {
        let node = json!({
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": "", "kubernetes.io/role": "db"}},
            "spec": {"unschedulable": true},
            "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
        });
        let row = row(Resource::Nodes, &node, "1970-01-01T00:00:00Z");
        assert!(
            row.starts_with("n|NotReady,SchedulingDisabled|db,worker|"),
            "{row}"
        );
    }

    #[test]
    fn a_pod_has_the_number_of_its_restarts_and_the_time_of_the_last() {
        let pod = json!({
            "metadata": {"namespace": "a", "name": "b"},
            "spec": {"containers": [{"name": "one"}, {"name": "two"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "one", "ready": true, "state": {"running": {}}},
                {"name": "two", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"finishedAt": "2026-01-01T00:55:00Z"}}},
            ]},
        });
        let row = row(Resource::Pods, &pod, "2026-01-01T01:00:00Z");
        assert!(
            row.starts_with("b|1/2|CrashLoopBackOff|3 (5m ago)|"),
            "{row}"
        );
    }

    #[test]
    fn a_deployment_has_its_ready_pods_of_those_desired() {
        let object = json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 3,
                "selector": {"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]},
                "template": {"spec": {"containers": [{"name": "x", "image": "i:1"}, {"name": "y", "image": "j"}]}},
            },
            "status": {"readyReplicas": 2, "updatedReplicas": 3},
        });
        let row = row(Resource::Deployments, &object, "1970-01-01T00:00:00Z");
        assert_eq!(row, "web|2/3|3|0|<unknown>|x,y|i:1,j|a=1,b=2,c");
    }
}
