//! What one cause did to many pods is one incident.

use std::sync::Arc;

use kubevitals_proto::vitals::{Cause, Incident, IncidentKind};
use serde_json::{Value, json};

use super::TestCluster;
use super::pods::{at, text};
use crate::cluster::PodKey;
use crate::health::changes::Change;
use crate::health::limits::Limits;

/// What a pod of the tests is.
struct Spec<'a> {
    namespace: &'a str,
    name: String,
    number: usize,
    node: &'a str,
    owner: Option<(&'a str, &'a str)>,
    created: i64,
}

impl Spec<'_> {
    fn json(&self, ready: (bool, i64), status: Value, more: &Value) -> Value {
        let owners = self.owner.map(|(kind, name)| {
            json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true}])
        });
        let mut whole = json!({
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": if ready.0 { "True" } else { "False" },
                "lastTransitionTime": text(ready.1)}],
            "containerStatuses": [status],
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        json!({
            "metadata": {"namespace": self.namespace, "name": self.name, "creationTimestamp": text(self.created),
                "uid": format!("00000000-0000-0000-0000-{:012}", self.number), "ownerReferences": owners,
                "labels": {"app": "web"}},
            "spec": {"nodeName": self.node, "containers": [{"name": "web",
                "livenessProbe": {"tcpSocket": {"port": 1}}, "readinessProbe": {"tcpSocket": {"port": 1}}}]},
            "status": whole,
        })
    }
}

fn runs(ready: bool, since: i64) -> Value {
    json!({"name": "web", "ready": ready, "started": true, "restartCount": 0,
        "state": {"running": {"startedAt": text(since)}}})
}

fn waits(reason: &str) -> Value {
    json!({"name": "web", "ready": false, "started": false, "restartCount": 0,
        "state": {"waiting": {"reason": reason, "message": "no"}}})
}

fn crashed(code: i32, restarts: u32, finished: i64) -> Value {
    json!({"name": "web", "ready": false, "started": false, "restartCount": restarts,
        "state": {"terminated": {"exitCode": code, "reason": "Error", "startedAt": text(finished - 3),
            "finishedAt": text(finished)}}})
}

const LOW: &str =
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ";

/// Evicts a pod that was well: when, and with which message.
fn evict(cluster: &mut TestCluster, spec: &Spec<'_>, second: i64, message: &str) {
    cluster.now = at(second);
    cluster.pod(spec.json((true, spec.created), runs(true, spec.created), &json!({})));
    let more = json!({"phase": "Failed", "reason": "Evicted", "message": message});
    let mut ended = crashed(137, 0, second);
    ended["name"] = "web".into();
    cluster.pod(spec.json((false, second), ended, &more));
}

fn stands(namespace: &'static str, number: usize, node: &'static str) -> Spec<'static> {
    Spec {
        namespace,
        name: format!("web-{number}"),
        number,
        node,
        owner: None,
        created: -90_000,
    }
}

fn deployed(number: usize) -> Spec<'static> {
    Spec {
        namespace: "shop",
        name: format!("web-{number}"),
        number,
        node: "n1",
        owner: Some(("StatefulSet", "web")),
        created: 0,
    }
}

fn cluster() -> TestCluster {
    TestCluster::new(at(0))
}

fn names(incident: &Incident) -> Vec<&str> {
    incident.affected.iter().map(|pod| &*pod.name).collect()
}

#[test]
fn twenty_evictions_by_one_node_are_one_incident() {
    let mut cluster = cluster();
    for n in 1..=20 {
        evict(&mut cluster, &stands("shop", n, "n1"), 3 * n as i64, LOW);
    }
    let incident = cluster.only();
    assert_eq!(
        (
            incident.reason,
            incident.cause,
            incident.count,
            incident.affected_count
        ),
        (IncidentKind::Eviction, Cause::NodePressure, 20, 20)
    );
    assert_eq!((incident.began, incident.ended), (at(3), Some(at(60))));
    assert_eq!(
        (
            &*incident.involved.kind,
            &*incident.involved.name,
            &*incident.involved.namespace
        ),
        ("Node", "n1", "shop")
    );
    assert_eq!(
        incident.message,
        "Node n1 was short of memory: 20 pods were evicted"
    );
    assert_eq!(names(&incident).len(), 20);
    assert!(incident.metadata.labels.is_empty());
    // Each pod tells its cause.
    for pod in cluster.pods() {
        let of_pod = cluster.engine.incidents_of(&pod);
        assert_eq!(of_pod, std::slice::from_ref(&incident.metadata.name));
    }
}

#[test]
fn first_pods_are_named_and_all_are_counted() {
    let mut cluster = cluster();
    for n in 1..=50 {
        evict(&mut cluster, &stands("shop", n, "n1"), n as i64, LOW);
    }
    let incident = cluster.only();
    assert_eq!((names(&incident).len(), incident.affected_count), (20, 50));
    assert!(incident.evidence.len() <= 24);
    assert_eq!(names(&incident)[..2], ["web-1", "web-2"]);
}

#[test]
fn other_nodes_namespaces_resources_and_times_are_other_incidents() {
    let disk = "The node was low on resource: ephemeral-storage. ";
    let own = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ";
    for (what, second, third) in [
        ("node", ("shop", "n2", 2, LOW), ("shop", "n2", 3, LOW)),
        ("namespace", ("pay", "n1", 2, LOW), ("pay", "n1", 3, LOW)),
        ("resource", ("shop", "n1", 2, disk), ("shop", "n1", 3, disk)),
        ("time", ("shop", "n1", 700, LOW), ("shop", "n1", 800, LOW)),
    ] {
        let mut cluster = cluster();
        evict(&mut cluster, &stands("shop", 1, "n1"), 0, LOW);
        evict(&mut cluster, &stands("shop", 2, "n1"), 1, LOW);
        for (n, (namespace, node, at, message)) in [(3, second), (4, third)] {
            evict(&mut cluster, &stands(namespace, n, node), at, message);
        }
        let incidents = cluster.incidents();
        let counts: Vec<u64> = incidents.iter().map(|it| it.affected_count).collect();
        assert_eq!(counts, [2, 2], "{what}: {incidents:#?}");
        let named = incidents.iter().all(|it| it.affected.len() == 2);
        assert!(
            named
                && incidents
                    .iter()
                    .all(|it| it.metadata.namespace == it.involved.namespace)
        );
    }
    // What a pod did to itself is its own.
    let mut cluster = cluster();
    for n in 1..=3 {
        evict(&mut cluster, &stands("shop", n, "n1"), n as i64, own);
    }
    assert_eq!(cluster.incidents().len(), 3);
    assert!(
        cluster
            .incidents()
            .iter()
            .all(|it| it.cause == Cause::Unknown)
    );
}

#[test]
fn evictions_minutes_apart_are_one_incident_in_any_order() {
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [1, 4, 2, 3], [2, 4, 1, 3]] {
        let mut cluster = cluster();
        for n in order {
            cluster.now = at(2000);
            evict(&mut cluster, &stands("shop", n, "n1"), 400 * n as i64, LOW);
        }
        let incident = cluster.only();
        assert_eq!(incident.affected_count, 4, "{order:?}");
        assert_eq!(
            (incident.began, incident.ended),
            (at(400), Some(at(1600))),
            "{order:?}"
        );
        assert_eq!(names(&incident), ["web-1", "web-2", "web-3", "web-4"]);
    }
}

/// A rollout whose pods fail: each of them with this status from its start.
fn rollout(cluster: &mut TestCluster, pods: std::ops::RangeInclusive<usize>, status: &Value) {
    for n in pods {
        cluster.pod(deployed(n).json((false, 0), status.clone(), &json!({})));
    }
}

#[test]
fn failing_rollout_is_one_incident() {
    for (status, reason, cause) in [
        (
            waits("ImagePullBackOff"),
            IncidentKind::ImagePull,
            Cause::ImageUnavailable,
        ),
        (
            waits("CreateContainerConfigError"),
            IncidentKind::PodNotReady,
            Cause::Unknown,
        ),
        (crashed(1, 0, 9), IncidentKind::Restart, Cause::Exited),
        (
            runs(false, 2),
            IncidentKind::ProbeFailing,
            Cause::ReadinessProbe,
        ),
    ] {
        let mut cluster = cluster();
        cluster.now = at(10);
        rollout(&mut cluster, 1..=7, &status);
        cluster.pass(200);
        let incident = cluster.only();
        assert_eq!(
            (incident.reason, incident.cause, incident.affected_count),
            (reason, cause, 7)
        );
        assert_eq!(
            (&*incident.involved.kind, &*incident.involved.name),
            ("StatefulSet", "web")
        );
        assert!(
            incident
                .message
                .starts_with("7 pods of StatefulSet web fail alike: ")
        );
        assert_eq!(incident.ended, None);
        for pod in cluster.pods() {
            assert_eq!(
                cluster.engine.incidents_of(&pod),
                std::slice::from_ref(&incident.metadata.name)
            );
        }
        // It is over with the last of them.
        for n in 1..=7 {
            assert_eq!(cluster.only().ended, None, "{reason:?} before {n}");
            cluster.delete(&PodKey {
                namespace: "shop".into(),
                name: format!("web-{n}").into(),
            });
        }
        assert!(cluster.only().ended.is_some());
        assert!(cluster.only().message.contains("failed alike"));
    }
}

#[test]
fn different_failures_of_one_workload_are_different_incidents() {
    let mut cluster = cluster();
    cluster.now = at(10);
    rollout(&mut cluster, 1..=7, &waits("ErrImagePull"));
    rollout(&mut cluster, 8..=9, &crashed(1, 0, 9));
    rollout(&mut cluster, 10..=10, &crashed(2, 0, 9));
    let incidents = cluster.incidents();
    let mut counts: Vec<_> = incidents
        .iter()
        .map(|it| (it.cause, it.affected_count))
        .collect();
    counts.sort();
    assert_eq!(
        counts,
        [
            (Cause::Exited, 0),
            (Cause::Exited, 2),
            (Cause::ImageUnavailable, 7)
        ]
    );
}

#[test]
fn pods_that_were_healthy_have_their_own_incidents() {
    let mut cluster = cluster();
    for n in 1..=3 {
        let spec = Spec {
            created: -90_000,
            ..deployed(n)
        };
        cluster.pod(spec.json((true, -90_000), runs(true, -90_000), &json!({})));
        cluster.now = at(10);
        cluster.pod(spec.json((false, 10), crashed(1, 0, 9), &json!({})));
    }
    assert_eq!(cluster.incidents().len(), 3);
}

#[test]
fn incident_of_the_first_pod_joins_the_group_and_changes() {
    let mut cluster = cluster();
    cluster.now = at(10);
    rollout(&mut cluster, 1..=1, &waits("ErrImagePull"));
    let first = cluster.only();
    let version = cluster.engine.incidents.changes.version();
    rollout(&mut cluster, 2..=2, &waits("ErrImagePull"));
    let whole = cluster.only();
    let changed = cluster.engine.incidents.changes.since(version).unwrap();
    let key = |it: &Arc<Incident>| {
        (
            Arc::from(&*it.metadata.namespace),
            Arc::from(&*it.metadata.name),
        )
    };
    assert!(changed.dropped.contains(&key(&first)));
    assert!(changed.incidents.contains(&key(&whole)));
    assert!(
        matches!(Change::pod(&first.involved), Change::Pod(pod) if changed.pods.contains(&pod))
    );
    // What becomes of one of them is its own.
    cluster.now = at(30);
    rollout(&mut cluster, 2..=2, &crashed(1, 0, 29));
    let incidents = cluster.incidents();
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
}

#[test]
fn groups_outlive_a_restart() {
    let mut cluster = cluster();
    cluster.now = at(10);
    rollout(&mut cluster, 1..=5, &crashed(1, 0, 9));
    for n in 6..=9 {
        evict(&mut cluster, &stands("shop", n, "n1"), 20, LOW);
    }
    let before = cluster.incidents();
    assert_eq!(before.len(), 2);
    cluster.restart();
    let mut after = cluster.incidents();
    assert_eq!(after, before);
    cluster.now = at(10);
    rollout(&mut cluster, 1..=5, &crashed(1, 0, 9));
    after = cluster.incidents();
    assert_eq!(after.len(), 2);
}

#[test]
fn group_counts_members_above_the_limit() {
    let limits = Limits {
        incidents: 100,
        ..Limits::default()
    };
    let mut cluster = TestCluster::with_limits(at(0), limits);
    cluster.now = at(10);
    rollout(&mut cluster, 1..=300, &crashed(1, 0, 9));
    cluster.engine.incidents.flush();
    let incident = cluster.only();
    assert_eq!((incident.affected_count, incident.count), (300, 300));
    assert!(cluster.engine.incidents.records().count() <= 100);
}

#[test]
fn node_incident_shows_no_more_than_the_nodes_events() {
    let mut cluster = cluster();
    let node = |status: &str| {
        json!({
            "metadata": {"name": "n1", "uid": "n", "creationTimestamp": text(-36_000), "labels": {"secret": "label"}},
            "status": {"conditions": [
                {"type": "Ready", "status": status, "lastTransitionTime": text(20), "reason": "KubeletNotReady",
                    "message": "secret message"},
                {"type": "DiskPressure", "status": "True", "lastTransitionTime": text(20), "reason": "Full",
                    "message": "secret message"}]},
        })
    };
    cluster.node(node("True"));
    for (n, namespace) in [(1, "shop"), (2, "secret")] {
        cluster.pod(stands(namespace, n, "n1").json((true, -90), runs(true, -90), &json!({})));
    }
    cluster.now = at(20);
    cluster.node(node("False"));
    for (n, namespace) in [(1, "shop"), (2, "secret")] {
        cluster.pod(stands(namespace, n, "n1").json((false, 20), runs(true, -90), &json!({})));
    }
    let incident = cluster.only();
    assert!(
        !serde_json::to_string(&*incident)
            .unwrap()
            .contains("secret")
    );
    assert!(incident.message.contains("2 pods"), "{}", incident.message);
    for pod in cluster.pods() {
        assert_eq!(
            cluster.engine.incidents_of(&pod),
            std::slice::from_ref(&incident.metadata.name)
        );
    }
}
