//! Descriptions of objects, as text.

use kubevitals_proto::time::Timestamp;
use serde_json::{Value, json};

use super::{Parts, describe, ports, yaml};
use crate::model::Kind;

fn described(kind: Kind, object: &Value, events: Result<Vec<Value>, String>) -> String {
    let parts = Parts {
        object,
        kind,
        pods: Ok(Vec::new()),
        events: events.map(|events| events.into_iter().collect()),
        now: Timestamp::from_secs(1_795_237_200),
    };
    let lines = describe(&parts).into_iter().map(|line| line.text);
    lines.collect::<Vec<_>>().join("\n")
}

fn pod() -> Value {
    json!({
        "metadata": {
            "namespace": "shop", "name": "web-1", "creationTimestamp": "2026-11-21T04:00:00Z",
            "labels": {"app": "web"},
            "annotations": {"note": "two\nlines\u{1b}[31m", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web"}],
        },
        "spec": {
            "nodeName": "node-1",
            "containers": [{
                "name": "app", "image": "web:1", "ports": [{"containerPort": 8080, "name": "http"}],
                "resources": {"limits": {"memory": "256Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
                "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }],
            "volumes": [{"name": "data", "emptyDir": {}}],
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
            "containerStatuses": [{
                "name": "app", "ready": false, "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 7, "reason": "Error", "finishedAt": "2026-11-21T04:59:00Z"}},
            }],
        },
    })
}

#[test]
fn a_pod_is_described() {
    let event = json!({
        "type": "Warning", "reason": "BackOff", "message": "Back-off\nrestarting", "count": 4,
        "lastTimestamp": "2026-11-21T04:59:30Z",
    });
    insta::assert_snapshot!(described(Kind::Pod, &pod(), Ok(vec![event])));
}

#[test]
fn what_cannot_be_read_is_named() {
    let text = described(
        Kind::Node,
        &json!({"metadata": {"name": "n"}}),
        Err("forbidden: no".to_owned()),
    );
    assert!(
        text.contains("Events:           cannot be read: forbidden: no"),
        "{text}"
    );
}

#[test]
fn managed_fields_are_folded_and_secrets_hidden() {
    let mut object = pod();
    object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
    let document = yaml(object).unwrap();
    let (at, hidden) = document.folded.unwrap();
    assert_eq!(document.lines[at].text, "  managedFields: # folded: u");
    assert_eq!(hidden[0].text, "  - manager: kubectl");
    let secret = yaml(json!({"kind": "Secret", "data": {"password": "aHVudGVyMg=="}})).unwrap();
    assert!(
        secret
            .lines
            .iter()
            .all(|line| !line.text.contains("aHVudGVyMg"))
    );
}

#[test]
fn ports_are_those_of_the_pod_or_of_the_template() {
    let expected = [(8080, "app http".to_owned())];
    assert_eq!(ports(&pod()), expected);
    assert_eq!(
        ports(&json!({"spec": {"template": {"spec": pod()["spec"]}}})),
        expected
    );
    assert_eq!(
        ports(&json!({"spec": {"containers": [{"ports": [{"containerPort": 99_999}]}]}})),
        []
    );
}

#[test]
fn objects_of_any_form_are_described() {
    for object in [
        json!(null),
        json!([]),
        json!({"metadata": 3, "spec": "x", "status": [1]}),
        json!({"spec": {"containers": {"a": 1}}}),
    ] {
        for kind in Kind::ALL {
            assert!(!described(kind, &object, Ok(vec![json!(1)])).is_empty());
        }
    }
}
