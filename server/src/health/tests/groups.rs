//! Incidents of many pods with one cause are one incident.

use std::sync::Arc;

use kubevitals_proto::vitals::Cause::{Exited, ImageUnavailable, NodePressure};
use kubevitals_proto::vitals::IncidentKind::{
    Eviction, ImagePull, PodNotReady, ProbeFailing, Restart,
};
use kubevitals_proto::vitals::{Cause, Incident};
use serde_json::{Value, json};

use super::TestCluster;
use super::objects::{PodSpec, at, down, ended, running, text};
use crate::health::changes::Change;
use crate::health::limits::Limits;

fn waits(reason: &str) -> Value {
    down(0, json!({"waiting": {"reason": reason, "message": "no"}}))
}

fn crashed(code: i32, finished: i64) -> Value {
    down(0, ended(code, "Error", finished - 3, finished))
}

const LOW: &str =
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. ";

/// A pod without an owner that was created long ago.
fn single(namespace: &'static str, number: i64, node: &'static str) -> PodSpec {
    PodSpec {
        namespace,
        node,
        owner: None,
        created: -90_000,
        ..new(number)
    }
}

/// A new pod of a StatefulSet.
fn new(number: i64) -> PodSpec {
    PodSpec {
        name: format!("web-{number}"),
        uid: format!("00000000-0000-0000-0000-{number:012}"),
        created: 0,
        ..PodSpec::default()
    }
}

fn cluster() -> TestCluster {
    TestCluster::new(at(0))
}

impl TestCluster {
    fn add(&mut self, spec: &PodSpec, ready: (bool, i64), container: Value) {
        self.pod(spec.json(ready, container, &json!({})));
    }

    /// Evicts a pod that was healthy.
    fn evict(&mut self, spec: &PodSpec, second: i64, message: &str) {
        self.now = at(second);
        let created = spec.created;
        self.add(spec, (true, created), running(0, created, true));
        let status = json!({"phase": "Failed", "reason": "Evicted", "message": message});
        self.pod(spec.json((false, second), crashed(137, second), &status));
    }

    /// Creates pods of a workload that have this status from their start.
    fn roll_out(&mut self, pods: std::ops::RangeInclusive<i64>, container: &Value) {
        for number in pods {
            self.add(&new(number), (false, 0), container.clone());
        }
    }

    /// Checks that the only incident is the only one of each pod, and returns it.
    fn only_of_every_pod(&self) -> Arc<Incident> {
        let incident = self.only();
        for pod in self.pods() {
            assert_eq!(self.engine.incidents_of(&pod), [&*incident.metadata.name]);
        }
        incident
    }

    fn affected_counts(&self) -> Vec<u64> {
        self.incidents()
            .iter()
            .map(|it| it.affected_count)
            .collect()
    }
}

fn names(incident: &Incident) -> Vec<&str> {
    incident.affected.iter().map(|pod| &*pod.name).collect()
}

#[test]
fn twenty_evictions_by_one_node_are_one_incident() {
    let mut cluster = cluster();
    for n in 1..=20 {
        cluster.evict(&single("shop", n, "n1"), 3 * n, LOW);
    }
    let it = cluster.only_of_every_pod();
    assert_eq!((it.reason, it.cause), (Eviction, NodePressure));
    assert_eq!((it.count, it.affected_count), (20, 20));
    assert_eq!((it.began, it.ended), (at(3), Some(at(60))));
    let involved = &it.involved;
    let named = [&involved.kind, &involved.name, &involved.namespace];
    assert_eq!(named, ["Node", "n1", "shop"]);
    let message = "Node n1 was low on memory: 20 pods were evicted";
    assert_eq!(it.message, message);
    assert_eq!(names(&it).len(), 20);
    assert!(it.metadata.labels.is_empty());
}

#[test]
fn first_pods_are_named_and_all_are_counted() {
    let mut cluster = cluster();
    for n in 1..=50 {
        cluster.evict(&single("shop", n, "n1"), n, LOW);
    }
    let it = cluster.only();
    assert_eq!((names(&it).len(), it.affected_count), (20, 50));
    assert!(it.evidence.len() <= 24);
    assert_eq!(names(&it)[..2], ["web-1", "web-2"]);
}

#[test]
fn other_nodes_namespaces_resources_and_times_are_other_incidents() {
    let disk = "The node was low on resource: ephemeral-storage. ";
    for (case, namespace, node, message, times) in [
        ("node", "shop", "n2", LOW, [2, 3]),
        ("namespace", "pay", "n1", LOW, [2, 3]),
        ("resource", "shop", "n1", disk, [2, 3]),
        ("time", "shop", "n1", LOW, [700, 800]),
    ] {
        let mut cluster = cluster();
        cluster.evict(&single("shop", 1, "n1"), 0, LOW);
        cluster.evict(&single("shop", 2, "n1"), 1, LOW);
        for (n, second) in [3, 4].into_iter().zip(times) {
            cluster.evict(&single(namespace, n, node), second, message);
        }
        assert_eq!(cluster.affected_counts(), [2, 2], "{case}");
        for it in cluster.incidents() {
            assert_eq!(it.affected.len(), 2, "{case}");
            assert_eq!(it.metadata.namespace, it.involved.namespace);
        }
    }
}

#[test]
fn pods_above_their_own_limits_have_their_own_incidents() {
    let own = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ";
    let mut cluster = cluster();
    for n in 1..=3 {
        cluster.evict(&single("shop", n, "n1"), n, own);
    }
    let causes: Vec<Cause> = cluster.incidents().iter().map(|it| it.cause).collect();
    assert_eq!(causes, [Cause::Unknown; 3]);
}

#[test]
fn evictions_minutes_apart_are_one_incident_in_any_order() {
    for order in [[1, 2, 3, 4], [4, 3, 2, 1], [1, 4, 2, 3], [2, 4, 1, 3]] {
        let mut cluster = cluster();
        for n in order {
            cluster.evict(&single("shop", n, "n1"), 400 * n, LOW);
        }
        let it = cluster.only();
        assert_eq!(it.affected_count, 4, "{order:?}");
        assert_eq!((it.began, it.ended), (at(400), Some(at(1600))), "{order:?}");
        assert_eq!(names(&it), ["web-1", "web-2", "web-3", "web-4"]);
    }
}

#[test]
fn failing_rollout_is_one_incident() {
    for (container, reason, cause) in [
        (waits("ImagePullBackOff"), ImagePull, ImageUnavailable),
        (
            waits("CreateContainerConfigError"),
            PodNotReady,
            Cause::Unknown,
        ),
        (crashed(1, 9), Restart, Exited),
        (running(0, 2, false), ProbeFailing, Cause::ReadinessProbe),
    ] {
        let mut cluster = cluster();
        cluster.now = at(10);
        cluster.roll_out(1..=7, &container);
        cluster.pass(200);
        let it = cluster.only_of_every_pod();
        assert_eq!((it.reason, it.cause), (reason, cause));
        assert_eq!((it.affected_count, it.ended), (7, None));
        let involved = (&*it.involved.kind, &*it.involved.name);
        assert_eq!(involved, ("StatefulSet", "web"));
        let beginning = "7 pods of StatefulSet web fail for the same reason: ";
        assert!(it.message.starts_with(beginning), "{}", it.message);
        // The incident ends with the last pod.
        for n in 1..=7 {
            assert_eq!(cluster.only().ended, None, "{reason:?} before {n}");
            cluster.delete(&format!("web-{n}"));
        }
        assert!(cluster.only().ended.is_some());
        assert!(
            cluster
                .only()
                .message
                .contains("failed for the same reason")
        );
    }
}

#[test]
fn different_failures_of_one_workload_are_different_incidents() {
    let mut cluster = cluster();
    cluster.now = at(10);
    cluster.roll_out(1..=7, &waits("ErrImagePull"));
    cluster.roll_out(8..=9, &crashed(1, 9));
    cluster.roll_out(10..=10, &crashed(2, 9));
    let incidents = cluster.incidents();
    let counts = incidents.iter().map(|it| (it.cause, it.affected_count));
    let mut counts: Vec<_> = counts.collect();
    counts.sort();
    assert_eq!(counts, [(Exited, 0), (Exited, 2), (ImageUnavailable, 7)]);
}

#[test]
fn pods_that_were_healthy_have_their_own_incidents() {
    let mut cluster = cluster();
    for n in 1..=3 {
        let spec = PodSpec {
            created: -90_000,
            ..new(n)
        };
        cluster.add(&spec, (true, -90_000), running(0, -90_000, true));
        cluster.now = at(10);
        cluster.add(&spec, (false, 10), crashed(1, 9));
    }
    assert_eq!(cluster.incidents().len(), 3);
}

#[test]
fn incident_of_the_first_pod_joins_the_group_and_changes() {
    let mut cluster = cluster();
    cluster.now = at(10);
    cluster.roll_out(1..=1, &waits("ErrImagePull"));
    let first = cluster.only();
    let version = cluster.engine.incidents.changes.version();
    cluster.roll_out(2..=2, &waits("ErrImagePull"));
    let joint = cluster.only();
    let changed = cluster.engine.incidents.changes.since(version).unwrap();
    let key = |it: &Incident| {
        let meta = &it.metadata;
        (Arc::from(&*meta.namespace), Arc::from(&*meta.name))
    };
    assert!(changed.dropped.contains(&key(&first)));
    assert!(changed.incidents.contains(&key(&joint)));
    let of_pod = Change::pod(&first.involved);
    assert!(matches!(of_pod, Change::Pod(pod) if changed.pods.contains(&pod)));
    // A pod with another problem has its own incident.
    cluster.now = at(30);
    cluster.roll_out(2..=2, &crashed(1, 29));
    assert_eq!(cluster.incidents().len(), 2);
}

#[test]
fn groups_outlive_a_restart() {
    let mut cluster = cluster();
    cluster.now = at(10);
    cluster.roll_out(1..=5, &crashed(1, 9));
    for n in 6..=9 {
        cluster.evict(&single("shop", n, "n1"), 20, LOW);
    }
    let before = cluster.incidents();
    assert_eq!(before.len(), 2);
    cluster.restart();
    assert_eq!(cluster.incidents(), before);
    cluster.now = at(10);
    cluster.roll_out(1..=5, &crashed(1, 9));
    assert_eq!(cluster.incidents().len(), 2);
}

#[test]
fn group_counts_members_above_the_limit() {
    let limits = Limits {
        incidents: 100,
        ..Limits::default()
    };
    let mut cluster = TestCluster::with_limits(at(10), limits);
    cluster.roll_out(1..=300, &crashed(1, 9));
    cluster.engine.incidents.flush();
    let it = cluster.only();
    assert_eq!((it.affected_count, it.count), (300, 300));
    assert!(cluster.engine.incidents.records().count() <= 100);
}

#[test]
fn node_incident_shows_no_more_than_the_nodes_events() {
    let mut cluster = cluster();
    for (status, second) in [("True", 0), ("False", 20)] {
        cluster.now = at(second);
        let condition = |kind: &str, status: &str, reason: &str| {
            json!({"type": kind, "status": status, "lastTransitionTime": text(20), "reason": reason,
                "message": "secret message"})
        };
        cluster.node(json!({
            "metadata": {"name": "n1", "uid": "n", "creationTimestamp": text(-36_000), "labels": {"secret": "label"}},
            "status": {"conditions": [condition("Ready", status, "KubeletNotReady"), condition("DiskPressure", "True", "Full")]},
        }));
        let ready = if second == 0 {
            (true, -90)
        } else {
            (false, 20)
        };
        for (n, namespace) in [(1, "shop"), (2, "secret")] {
            cluster.add(&single(namespace, n, "n1"), ready, running(0, -90, true));
        }
    }
    let it = cluster.only_of_every_pod();
    let json = serde_json::to_string(&*it).unwrap();
    assert!(!json.contains("secret"), "{json}");
    assert!(it.message.contains("2 pods"), "{}", it.message);
}
