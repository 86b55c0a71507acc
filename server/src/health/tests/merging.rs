//! Merging snapshots: an incident that two processes have stays one.

use kubevitals_proto::vitals::Cause::{Exited, OomKilled};
use kubevitals_proto::vitals::IncidentKind;
use serde_json::{Value, json};

use super::TestCluster;
use super::objects::{PodSpec, again, at, ended, node, running, waiting};
use crate::health::announcements::Announcement;
use crate::health::merge::MergeResult;
use crate::health::snapshot::Snapshot;

fn replica(second: i64) -> TestCluster {
    TestCluster::new(at(second))
}

/// A pod of one container without probes, created long ago.
fn pod(ready: bool, since: i64, container: Value) -> Value {
    let spec = PodSpec {
        owner: None,
        created: -36_000,
        probes: Vec::new(),
        ..PodSpec::default()
    };
    spec.json((ready, since), container, &json!({}))
}

/// The container has terminated this number of times, the last time at `finished`, and waits.
fn loops(ends: u32, finished: i64) -> Value {
    loops_with(ends, finished, 7, "Error")
}

fn loops_with(ends: u32, finished: i64, code: i32, reason: &str) -> Value {
    let last = ended(code, reason, finished - 5, finished);
    pod(false, -3000, waiting(ends - 1, "CrashLoopBackOff", last))
}

/// The container runs since `since`, after this number of terminations.
fn runs(ends: u32, since: i64) -> Value {
    let last = ended(7, "Error", since - 6, since - 1);
    pod(true, since, again(ends, since, last))
}

fn healthy() -> Value {
    pod(true, -36_000, running(0, -36_000, true))
}

impl TestCluster {
    /// Changes the pod at a time.
    fn pod_at(&mut self, second: i64, pod: Value) {
        self.now = at(second);
        self.pod(pod);
    }

    fn node_at(&mut self, second: i64, node: Value) {
        self.now = at(second);
        self.node(node);
    }

    /// The snapshot of the engine, as another process reads it.
    fn snapshot(&self) -> Snapshot {
        let json = serde_json::to_vec(&self.engine.export()).unwrap();
        Snapshot::from_json(&json).unwrap()
    }

    /// Merges the present snapshot of another replica.
    fn merge_from(&mut self, other: &Self) -> MergeResult {
        let merged = self.engine.merge(other.snapshot(), other.now, self.now);
        merged.unwrap()
    }
}

/// A replica that has seen a container terminate five times since the start, at second 300.
fn long_running() -> TestCluster {
    let mut cluster = replica(0);
    cluster.pod(healthy());
    for (ends, second) in [(1, 60), (2, 120), (3, 180), (4, 240), (5, 300)] {
        cluster.pod_at(second, loops(ends, second));
    }
    let it = cluster.only();
    assert_eq!((it.count, it.began), (5, at(60)));
    cluster
}

#[test]
fn later_replica_has_the_same_incident() {
    let mut first = long_running();
    let mut second = replica(310);
    second.pod(loops(5, 300));
    assert_ne!(second.only().began, at(60), "the first one is unknown");
    second.merge_from(&first);
    let (theirs, ours) = (first.only(), second.only());
    assert_eq!(ours.metadata.name, theirs.metadata.name);
    assert_eq!((ours.count, ours.began, ours.ended), (5, at(60), None));
    assert_eq!(ours.last_seen, theirs.last_seen);

    // From now on both replicas see the same.
    for cluster in [&mut first, &mut second] {
        cluster.pod_at(400, loops(6, 395));
        cluster.pod_at(700, runs(6, 690));
        cluster.pass(601);
        let it = cluster.only();
        assert_eq!((it.count, it.ended), (6, Some(at(690))));
    }
}

#[test]
fn counts_continue_after_a_merge() {
    let first = long_running();
    // Two more terminations, of which the second replica has seen only the last.
    let mut second = replica(500);
    second.pod(loops(7, 480));
    second.merge_from(&first);
    let ours = second.only();
    assert_eq!((ours.count, ours.began), (7, at(60)));
    assert_eq!(ours.last_seen, at(480));
}

#[test]
fn engine_with_older_facts_keeps_them_and_takes_larger_counts() {
    let mut first = long_running();
    let mut later = replica(310);
    later.pod(loops(5, 300));
    let before = first.only();
    first.merge_from(&later);
    assert_eq!(first.only(), before);
    assert_eq!(first.merge_from(&later).added, 0, "nor the second time");
}

#[test]
fn merging_the_own_snapshot_changes_nothing() {
    let mut first = long_running();
    let (copy, before) = (first.snapshot(), first.only());
    for _ in 0..2 {
        assert_eq!(first.merge(copy.clone()).unwrap().added, 0);
        assert_eq!(first.only(), before);
    }
    assert_eq!(first.snapshot(), copy);
}

#[test]
fn cluster_state_decides_whether_an_incident_is_open() {
    let first = long_running();
    // The container has started meanwhile, and is healthy.
    let mut second = replica(2000);
    second.pod(runs(6, 400));
    second.pass(1);
    second.merge_from(&first);
    let ours = second.only();
    assert_eq!((ours.count, ours.ended), (6, Some(at(400))));
    assert_eq!(ours.metadata.name, first.only().metadata.name);
}

#[test]
fn newer_snapshot_decides_for_unreported_pods() {
    let mut first = long_running();
    let open = (first.snapshot(), first.now);
    first.pod_at(400, runs(5, 390));
    first.pass(601);
    let closed = (first.snapshot(), first.now);
    for snapshots in [[&open, &closed], [&closed, &open]] {
        let mut second = replica(1100);
        for (snapshot, written) in snapshots {
            let merged = second.engine.merge(snapshot.clone(), *written, at(1100));
            merged.unwrap();
        }
        let ours = second.only();
        assert_eq!((ours.count, ours.ended), (5, Some(at(390))));
    }
}

#[test]
fn withdrawn_incident_is_not_merged_again() {
    let mut first = long_running();
    let copy = first.snapshot();
    let (id, _) = first.engine.incidents.records().next().unwrap();
    first.engine.incidents.remove(id);
    first.delete("web-1");
    let merged = first.merge(copy).unwrap();
    assert_eq!((merged.added, merged.left_out), (0, 1));
    assert!(first.incidents().is_empty());
}

#[test]
fn incidents_of_deleted_pods_end_in_time() {
    let mut second = replica(310);
    second.merge_from(&long_running());
    assert_eq!(second.only().ended, None);
    second.pass(121);
    assert!(second.only().ended.is_some());
}

#[test]
fn node_outage_of_both_replicas_is_one_incident() {
    let mut first = replica(0);
    first.node(node(true, -36_000));
    first.node_at(10, node(false, 10));
    let theirs = first.only();
    assert_eq!(theirs.reason, IncidentKind::NodeNotReady);
    // The node is still lost when the second replica starts.
    let mut second = replica(30);
    second.node(node(false, 10));
    second.merge_from(&first);
    assert_eq!(second.only().metadata.name, theirs.metadata.name);
    second.node_at(50, node(true, 48));
    assert_eq!(second.only().ended, Some(at(48)));
    // The node is ready again when a third replica starts.
    let mut third = replica(60);
    third.node(node(true, 48));
    third.merge_from(&first);
    assert_eq!(third.only().ended, Some(at(48)));
    assert_eq!(third.only().metadata.name, theirs.metadata.name);
}

#[test]
fn incidents_of_other_pods_are_added() {
    let mut second = replica(310);
    let mut other = loops(2, 305);
    other["metadata"]["uid"] = json!("0b7a3b1e-9d0c-4f5b-8a44-111111111111");
    other["metadata"]["name"] = json!("web-2");
    second.pod(other);
    second.pod(loops(5, 300));
    second.merge_from(&long_running());
    let incidents = second.incidents();
    let mut names: Vec<&str> = incidents.iter().map(|it| &*it.involved.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["web-1", "web-2"]);
}

#[test]
fn invalid_incidents_are_left_out_or_limited() {
    let mut snapshot = serde_json::to_value(long_running().engine.export()).unwrap();
    let good = snapshot["incidents"][0].clone();
    let with = |pointer: &str, value: Value| {
        let mut incident = good.clone();
        *incident["incident"].pointer_mut(pointer).unwrap() = value;
        incident
    };
    let mut wild = with("/metadata/name", json!("wild"));
    let incident = &mut wild["incident"];
    incident["involved"]["uid"] = json!("x");
    incident["count"] = json!(u64::MAX);
    incident["began"] = json!("2199-01-01T00:00:00Z");
    incident["lastSeen"] = json!("1700-01-01T00:00:00Z");
    incident["ended"] = json!("1969-01-01T00:00:00Z");
    incident["message"] = json!("é".repeat(10_000));
    let evidence =
        json!({"time": "2199-01-01T00:00:00Z", "source": "Event", "text": "x".repeat(2000)});
    incident["evidence"] = json!(vec![evidence; 40]);
    let mut incidents = vec![wild, with("/involved/node", json!("n".repeat(300)))];
    for name in ["", "../../etc", "UPPER", "a b", &"x".repeat(300)] {
        incidents.push(with("/metadata/name", json!(name)));
        incidents.push(with("/metadata/namespace", json!(name)));
    }
    let invalid = incidents.len() - 1;
    snapshot["incidents"] = json!(incidents);
    snapshot["pods"] = json!([]);
    let mut second = replica(310);
    let merged = second.merge(serde_json::from_value(snapshot).unwrap());
    let merged = merged.unwrap();
    assert_eq!((merged.added, merged.left_out), (1, invalid));
    let it = second.only();
    let latest = at(310 + 60);
    assert!(it.began <= latest && it.last_seen <= latest);
    let ended = it.ended.unwrap();
    assert!(ended >= it.began && ended <= latest);
    assert_eq!(it.count, u64::from(u32::MAX));
    assert!(it.message.len() <= 4096 && it.evidence.len() == 24);
    assert!(it.evidence.iter().all(|it| it.text.len() <= 400));
    // It can be written and read again.
    assert_eq!(second.snapshot().incidents(), 1);
}

#[test]
fn incidents_older_than_the_retention_are_left_out() {
    let mut first = long_running();
    first.pod_at(400, runs(5, 390));
    first.pass(601);
    let mut second = replica(390 + 24 * 3600 + 1);
    let merged = second.merge(first.snapshot()).unwrap();
    assert_eq!((merged.added, merged.left_out), (0, 1));
}

#[test]
fn two_causes_at_the_same_time_stay_two_incidents() {
    let mut first = replica(0);
    first.pod(healthy());
    first.pod_at(60, loops(1, 60));
    let killed = loops_with(2, 120, 137, "OOMKilled");
    first.pod_at(120, killed.clone());
    assert_eq!(first.causes(), [(Exited, 1), (OomKilled, 1)]);
    let mut second = replica(130);
    second.pod(killed);
    second.merge_from(&first);
    let mut causes = second.causes();
    causes.sort_by_key(|(cause, _)| std::cmp::Reverse(*cause));
    assert_eq!(causes, first.causes());
}

#[test]
fn announcements_are_merged_until_their_incident_is_dropped() {
    let mut first = long_running();
    let name = first.only().metadata.clone();
    first.engine.announce(&name, Some(Announcement::Opened));
    let mut second = replica(310);
    second.merge_from(&first);
    let announced = |it: &TestCluster| it.engine.announcements.get(&name.namespace, &name.name);
    assert_eq!(announced(&second), Some(Announcement::Opened));
    let before = first.snapshot().digest();
    let over = Announcement::Resolved(at(300));
    first.engine.announce(&name, Some(over));
    // Otherwise the ConfigMap would not be written.
    assert_ne!(first.snapshot().digest(), before);
    second.merge_from(&first);
    assert_eq!(announced(&second), Some(over));
    // A later end of the same incident is not lost to an older snapshot.
    first.engine.announce(&name, None);
    second.merge_from(&first);
    assert_eq!(announced(&second), Some(over));
    second.pod_at(400, runs(5, 390));
    second.pass(601);
    second.pass(24 * 3600);
    assert_eq!(second.engine.incidents.records().count(), 0);
    assert_eq!(announced(&second), None);
}
