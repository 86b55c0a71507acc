//! Merging snapshots: an incident that two processes know stays one.

use std::sync::Arc;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Incident, IncidentKind};
use serde_json::{Value, json};

use super::super::merge::MergeResult;
use super::super::snapshot::Snapshot;
use super::TestCluster;
use crate::cluster::PodKey;

const START: i64 = 1_800_057_600;
const UID: &str = "dbe5842e-0978-4422-a9fa-8026a53c65dd";

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(START + second)
}

fn text(second: i64) -> String {
    at(second).to_rfc3339_seconds()
}

fn replica(second: i64) -> TestCluster {
    TestCluster::new(at(second))
}

/// A pod of one container, made long before.
fn pod(ready: bool, since: i64, status: Value) -> Value {
    let mut container = json!({"name": "web", "ready": ready, "started": ready});
    for (key, value) in status.as_object().unwrap() {
        container[key] = value.clone();
    }
    let ready = if ready { "True" } else { "False" };
    json!({
        "metadata": {"namespace": "shop", "name": "web-1", "uid": UID, "creationTimestamp": text(-36_000)},
        "spec": {"nodeName": "n1", "containers": [{"name": "web"}]},
        "status": {
            "phase": "Running", "containerStatuses": [container],
            "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": text(since)}],
        },
    })
}

fn exit(code: i32, finished: i64) -> Value {
    json!({"terminated": {"exitCode": code, "reason": "Error", "startedAt": text(finished - 5),
        "finishedAt": text(finished)}})
}

/// It has ended so often, the last time then, and waits.
fn loops(ends: u32, finished: i64) -> Value {
    let waits = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    pod(
        false,
        -3000,
        json!({"restartCount": ends - 1, "state": waits, "lastState": exit(7, finished)}),
    )
}

/// It runs since then, after it has ended so often.
fn runs(ends: u32, since: i64) -> Value {
    let state = json!({"running": {"startedAt": text(since)}});
    let last = exit(7, since - 1);
    pod(
        true,
        since,
        json!({"restartCount": ends, "state": state, "lastState": last}),
    )
}

fn well() -> Value {
    let state = json!({"running": {"startedAt": text(-36_000)}});
    pod(true, -36_000, json!({"restartCount": 0, "state": state}))
}

/// The snapshot of an engine, as another process reads it.
fn carried(from: &TestCluster) -> Snapshot {
    let json = serde_json::to_vec(&from.engine.export()).unwrap();
    Snapshot::from_json(&json).unwrap()
}

/// Merges the present snapshot of another replica.
fn take_over(by: &mut TestCluster, from: &TestCluster) -> MergeResult {
    by.engine.merge(carried(from), from.now, by.now).unwrap()
}

/// A replica that has seen a container end five times since the start, as of second 300.
fn long_there() -> TestCluster {
    let mut cluster = replica(0);
    cluster.pod(well());
    for (ends, second) in [(1, 60), (2, 120), (3, 180), (4, 240), (5, 300)] {
        cluster.now = at(second);
        cluster.pod(loops(ends, second));
    }
    let incident = cluster.only();
    assert_eq!((incident.count, incident.began), (5, at(60)));
    cluster
}

#[test]
fn later_replica_has_the_same_incident() {
    let first = long_there();
    let mut second = replica(310);
    second.pod(loops(5, 300));
    let own = second.only();
    assert_ne!(own.began, at(60), "it cannot know");
    take_over(&mut second, &first);
    let (theirs, ours) = (first.only(), second.only());
    assert_eq!(ours.metadata.name, theirs.metadata.name);
    assert_eq!((ours.count, ours.began, ours.ended), (5, at(60), None));
    assert_eq!(ours.last_seen, theirs.last_seen);

    // From now on both have the same of it.
    let mut first = first;
    for cluster in [&mut first, &mut second] {
        cluster.now = at(400);
        cluster.pod(loops(6, 395));
        cluster.now = at(700);
        cluster.pod(runs(6, 690));
        cluster.pass(601);
    }
    let (theirs, ours) = (first.only(), second.only());
    assert_eq!((ours.count, ours.ended), (6, Some(at(690))));
    assert_eq!((theirs.count, theirs.ended), (6, Some(at(690))));
}

#[test]
fn counts_continue_after_a_merge() {
    let first = long_there();
    // Two more ends that only the second one has seen the last of.
    let mut second = replica(500);
    second.pod(loops(7, 480));
    take_over(&mut second, &first);
    let ours = second.only();
    assert_eq!((ours.count, ours.began), (7, at(60)));
    assert_eq!(ours.last_seen, at(480));
}

#[test]
fn engine_with_older_facts_keeps_them_and_takes_larger_counts() {
    let first = long_there();
    let mut later = replica(310);
    later.pod(loops(5, 300));
    let mut first = first;
    let before = first.only();
    take_over(&mut first, &later);
    assert_eq!(first.only(), before);
    assert_eq!(
        take_over(&mut first, &later).added,
        0,
        "nor when it comes again"
    );
}

#[test]
fn merging_the_own_snapshot_changes_nothing() {
    let mut first = long_there();
    let copy = carried(&first);
    let before = first.only();
    for _ in 0..2 {
        let merged = first.engine.merge(copy.clone(), at(300), first.now);
        assert_eq!(merged.unwrap().added, 0);
        assert_eq!(first.only(), before);
    }
    assert_eq!(carried(&first), copy);
}

#[test]
fn cluster_state_decides_whether_an_incident_is_open() {
    let first = long_there();
    // While nobody was there it has come to run, and is well.
    let mut second = replica(2000);
    second.pod(runs(6, 400));
    second.pass(1);
    take_over(&mut second, &first);
    let ours = second.only();
    assert_eq!((ours.count, ours.ended), (6, Some(at(400))));
    assert_eq!(ours.metadata.name, first.only().metadata.name);
}

#[test]
fn newer_snapshot_decides_for_unreported_pods() {
    let mut first = long_there();
    let (open, written) = (carried(&first), first.now);
    first.now = at(400);
    first.pod(runs(5, 390));
    first.pass(601);
    let (closed, later) = (carried(&first), first.now);
    for accounts in [
        [(&open, written), (&closed, later)],
        [(&closed, later), (&open, written)],
    ] {
        let mut second = replica(1100);
        for (snapshot, written) in accounts {
            let merged = second.engine.merge(snapshot.clone(), written, at(1100));
            merged.unwrap();
        }
        let ours = second.only();
        assert_eq!((ours.count, ours.ended), (5, Some(at(390))));
    }
}

#[test]
fn withdrawn_incident_is_not_merged_again() {
    let mut first = long_there();
    let copy = carried(&first);
    let (id, _) = first.engine.incidents.records().next().unwrap();
    first.engine.incidents.remove(id);
    first.delete(&PodKey {
        namespace: Arc::from("shop"),
        name: Arc::from("web-1"),
    });
    let learned = first.merge(copy).unwrap();
    assert_eq!((learned.added, learned.left_out), (0, 1));
    assert!(first.incidents().is_empty());
}

#[test]
fn incidents_of_deleted_pods_end_in_time() {
    let first = long_there();
    let mut second = replica(310);
    take_over(&mut second, &first);
    assert_eq!(second.only().ended, None);
    second.pass(121);
    assert!(second.only().ended.is_some());
}

fn node(ready: bool, since: i64) -> Value {
    let status = if ready { "True" } else { "Unknown" };
    json!({
        "metadata": {"name": "n1", "uid": "n", "creationTimestamp": text(-36_000)},
        "status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": text(since),
            "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}]},
    })
}

#[test]
fn node_outage_of_both_replicas_is_one_incident() {
    let mut first = replica(0);
    first.node(node(true, -36_000));
    first.now = at(10);
    first.node(node(false, 10));
    let theirs = first.only();
    assert_eq!(theirs.reason, IncidentKind::NodeNotReady);
    // It is still away when the second one starts.
    let mut second = replica(30);
    second.node(node(false, 10));
    take_over(&mut second, &first);
    assert_eq!(second.only().metadata.name, theirs.metadata.name);
    second.now = at(50);
    second.node(node(true, 48));
    assert_eq!(second.only().ended, Some(at(48)));
    // It is back when a third one starts.
    let mut third = replica(60);
    third.node(node(true, 48));
    take_over(&mut third, &first);
    assert_eq!(third.only().ended, Some(at(48)));
    assert_eq!(third.only().metadata.name, theirs.metadata.name);
}

#[test]
fn incidents_of_other_pods_are_added() {
    let first = long_there();
    let mut second = replica(310);
    let mut other = loops(2, 305);
    other["metadata"]["uid"] = json!("0b7a3b1e-9d0c-4f5b-8a44-111111111111");
    other["metadata"]["name"] = json!("web-2");
    second.pod(other);
    second.pod(loops(5, 300));
    take_over(&mut second, &first);
    let mut names: Vec<String> = second
        .incidents()
        .iter()
        .map(|it| it.involved.name.clone())
        .collect();
    names.sort();
    assert_eq!(names, ["web-1", "web-2"]);
}

#[test]
fn invalid_incidents_are_left_out_or_limited() {
    let first = long_there();
    let mut snapshot = serde_json::to_value(first.engine.export()).unwrap();
    let good = snapshot["incidents"][0].clone();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut kept = good.clone();
        change(&mut kept["incident"]);
        kept
    };
    let wild = with(&|incident| {
        incident["metadata"]["name"] = json!("wild");
        incident["involved"]["uid"] = json!("x");
        incident["count"] = json!(u64::MAX);
        incident["began"] = json!("2199-01-01T00:00:00Z");
        incident["lastSeen"] = json!("1700-01-01T00:00:00Z");
        incident["ended"] = json!("1969-01-01T00:00:00Z");
        incident["message"] = json!("é".repeat(10_000));
        let evidence =
            json!({"time": "2199-01-01T00:00:00Z", "source": "Event", "text": "x".repeat(2000)});
        incident["evidence"] = json!(vec![evidence; 40]);
    });
    let mut incidents = vec![wild];
    for name in ["", "../../etc", "UPPER", "a b", &"x".repeat(300)] {
        incidents.push(with(&|incident| incident["metadata"]["name"] = json!(name)));
        incidents.push(with(&|incident| {
            incident["metadata"]["namespace"] = json!(name)
        }));
    }
    incidents.push(with(&|incident| {
        incident["involved"]["node"] = json!("n".repeat(300))
    }));
    let strange = incidents.len() - 1;
    snapshot["incidents"] = json!(incidents);
    snapshot["pods"] = json!([]);
    let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
    let mut second = replica(310);
    let learned = second.merge(snapshot).unwrap();
    assert_eq!((learned.added, learned.left_out), (1, strange));
    let wild: Arc<Incident> = second.only();
    let latest = at(310 + 60);
    assert!(wild.began <= latest && wild.last_seen <= latest);
    assert!(
        wild.ended
            .is_some_and(|ended| ended >= wild.began && ended <= latest)
    );
    assert_eq!(wild.count, u64::from(u32::MAX));
    assert!(wild.message.len() <= 4096 && wild.evidence.len() == 24);
    assert!(wild.evidence.iter().all(|it| it.text.len() <= 400));
    // It can be written and read again.
    assert_eq!(carried(&second).incidents(), 1);
}

#[test]
fn incidents_older_than_the_retention_are_left_out() {
    let mut first = long_there();
    first.now = at(400);
    first.pod(runs(5, 390));
    first.pass(601);
    let mut second = replica(390 + 24 * 3600 + 1);
    let learned = second.merge(carried(&first)).unwrap();
    assert_eq!((learned.added, learned.left_out), (0, 1));
}

#[test]
fn two_causes_at_the_same_time_stay_two_incidents() {
    let mut first = replica(0);
    first.pod(well());
    first.now = at(60);
    first.pod(loops(1, 60));
    let mut killed = loops(2, 120);
    let last = &mut killed["status"]["containerStatuses"][0]["lastState"]["terminated"];
    last["reason"] = json!("OOMKilled");
    last["exitCode"] = json!(137);
    first.now = at(120);
    first.pod(killed.clone());
    let causes = |cluster: &TestCluster| {
        let mut causes: Vec<Cause> = cluster.incidents().iter().map(|it| it.cause).collect();
        causes.sort();
        causes
    };
    assert_eq!(causes(&first), [Cause::OomKilled, Cause::Exited]);
    let mut second = replica(130);
    second.pod(killed);
    take_over(&mut second, &first);
    assert_eq!(causes(&second), causes(&first));
}
