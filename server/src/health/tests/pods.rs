//! One test for each rule about pods.

use kubevitals_proto::vitals::Cause::{Exited, LivenessProbe, NodeLost, NodePressure, OomKilled};
use kubevitals_proto::vitals::Certainty::{Direct, Likely};
use kubevitals_proto::vitals::IncidentKind::{
    Eviction, ImagePull, NodeNotReady, PodFailed, PodNotReady, ProbeFailing, Restart,
};
use kubevitals_proto::vitals::{Cause, Certainty, Evidence, Incident, ProbeStatus, Source};
use serde_json::{Value, json};

use super::TestCluster;
use super::objects::{again, at, down, ended, running, waiting};
use super::web::Web;
use crate::health::container_index::ContainerIndex;
use crate::health::snapshot::SnapshotError;

/// The first evidence from this source.
fn evidence(incident: &Incident, source: Source) -> &Evidence {
    let mut evidence = incident.evidence.iter();
    evidence.find(|it| it.source == source).unwrap()
}

#[test]
fn healthy_pod_has_no_facts() {
    let mut web = Web::healthy();
    web.counters("Liveness", 60, 6, 0);
    web.counters("Liveness", 120, 12, 0);
    assert!(web.cluster.engine.pods.is_empty());
    assert_eq!(web.liveness(), ProbeStatus::Passing);
}

#[test]
fn restart_ends_after_ten_healthy_minutes() {
    let mut web = Web::healthy();
    web.set(10, false, down(0, ended(3, "Error", -3598, 10)));
    web.set(12, true, again(1, 11, ended(3, "Error", -3598, 10)));
    web.cluster.pass(590);
    let it = web.only();
    assert_eq!((it.reason, it.cause), (Restart, Exited));
    assert_eq!((it.began, it.ended, it.count), (at(10), None, 1));
    web.cluster.pass(20);
    assert_eq!(web.only().ended, Some(at(12)));
}

#[test]
fn terminations_for_one_cause_are_one_incident() {
    let mut web = Web::healthy();
    web.set(10, false, down(0, ended(3, "Error", 0, 10)));
    web.set(12, true, again(1, 11, ended(3, "Error", 0, 10)));
    web.set(30, false, down(1, ended(3, "Error", 11, 30)));
    web.set(50, true, again(2, 50, ended(3, "Error", 11, 30)));
    web.set(90, false, down(2, ended(137, "OOMKilled", 50, 90)));
    assert_eq!(web.cluster.causes(), [(Exited, 2), (OomKilled, 1)]);
}

#[test]
fn restarts_between_two_states_are_counted() {
    let mut web = Web::healthy();
    web.set(100, true, again(3, 95, ended(3, "Error", 80, 90)));
    let it = web.only();
    assert_eq!(it.count, 3);
    let mut texts = it.evidence.iter().map(|evidence| &evidence.text);
    assert!(
        texts.any(|text| text.contains("2 earlier terminations")),
        "{it:#?}"
    );
}

#[test]
fn liveness_failure_and_kill_are_one_incident() {
    let mut web = Web::healthy();
    web.fails(10, 1, "Liveness");
    assert_eq!(web.liveness(), ProbeStatus::Failing);
    assert!(web.cluster.incidents().is_empty(), "one of three is none");
    web.fails(20, 2, "Liveness");
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    let it = web.only();
    assert_eq!((it.reason, it.began), (ProbeFailing, at(10)));
    web.set(35, false, down(0, ended(137, "Error", -3598, 34)));
    web.set(40, true, again(1, 36, ended(137, "Error", -3598, 34)));
    let it = web.only();
    assert_eq!(it.reason, Restart);
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Direct));
    assert_eq!((it.began, it.count), (at(10), 1));
    let workload = it.involved.workload.as_ref().unwrap();
    assert_eq!(workload.kind, "StatefulSet");
    let untried = "it may have been tried since";
    assert_eq!(web.liveness(), ProbeStatus::Unknown, "{untried}");
}

#[test]
fn readiness_failing_with_liveness_is_part_of_its_incident() {
    let mut web = Web::healthy();
    web.fails(5, 3, "Readiness");
    web.set_ready(6, false);
    assert_eq!(web.only().cause, Cause::ReadinessProbe);
    web.fails(10, 1, "Liveness");
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    assert_eq!(web.only().cause, LivenessProbe);
    web.set(35, false, down(0, ended(137, "Error", -3598, 34)));
    let it = web.only();
    assert_eq!((it.reason, it.began), (Restart, at(5)));
}

#[test]
fn event_after_the_termination_explains_it() {
    let mut web = Web::healthy();
    web.first_kill();
    let before = web.only();
    let unknown = (Cause::Unknown, Certainty::Unknown);
    assert_eq!((before.cause, before.certainty), unknown);
    web.kill(30, 1);
    let after = web.only();
    assert_eq!((after.cause, after.certainty), (LivenessProbe, Direct));
    assert_eq!(after.metadata.name, before.metadata.name);
}

#[test]
fn pod_and_incident_agree_on_the_last_restart() {
    let mut web = Web::healthy();
    web.kill(30, 1);
    web.first_kill();
    // No Event reports the next termination, and the kubelet waits before it starts the container again.
    let last = ended(137, "Error", 35, 95);
    web.set(97, false, waiting(1, "CrashLoopBackOff", last));
    let it = web.only();
    let (engine, pod) = (&web.cluster.engine, web.cluster.first_pod());
    let restarts = engine.restarts(&pod);
    let last = engine.last_restart(&pod, ContainerIndex(0));
    assert_eq!(restarts.last(), last.as_ref());
    let last = last.unwrap();
    assert_eq!(last.ended.finished, Some(at(95)));
    assert_eq!((last.cause, last.certainty), (it.cause, it.certainty));
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Direct));
    // The incident counts terminations. The pod counts restarts after they have happened, as kubectl does.
    assert_eq!((pod.summary().restarts, it.count), (1, 2));
}

#[test]
fn counters_make_a_kill_likely_without_an_event() {
    let mut web = Web::healthy();
    web.counters("Liveness", 0, 100, 0);
    web.first_kill();
    web.counters("Liveness", 60, 103, 3);
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Likely));
    let counted = &evidence(&it, Source::ProbeCounter).text;
    assert!(counted.contains("rose by 3 to 3"), "{counted}");
}

#[test]
fn kill_just_after_a_reading_is_likely() {
    let mut web = Web::healthy();
    for (second, successful, failed) in [(0, 100, 0), (60, 103, 0), (120, 103, 3)] {
        web.counters("Liveness", second, successful, failed);
    }
    web.restart(1, 137, (-3598, 125));
    web.counters("Liveness", 180, 109, 3);
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Likely));
}

#[test]
fn late_loss_of_a_node_withdraws_incidents_of_its_pods() {
    let mut web = Web::created(-3600);
    web.node(0, true);
    web.apply();
    web.set_unready_by_node(40);
    web.cluster.pass(60);
    assert_eq!(web.only().reason, PodNotReady);
    web.node(101, false);
    let it = web.only();
    assert_eq!(it.reason, NodeNotReady);
    assert!(it.message.contains("1 pod"), "{}", it.message);
}

#[test]
fn earlier_kill_does_not_begin_a_later_incident() {
    let mut web = Web::healthy();
    web.kill(30, 1);
    web.first_kill();
    web.cluster.pass(700);
    web.counters("Liveness", 800, 100, 3);
    web.set(836, true, again(2, 835, ended(137, "Error", 35, 834)));
    web.counters("Liveness", 860, 103, 6);
    let it = &web.cluster.incidents()[1];
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Likely));
    assert_eq!(it.began, at(834));
    let mut times = it.evidence.iter().map(|evidence| evidence.time);
    assert!(times.all(|time| time >= at(834)), "{it:#?}");
}

#[test]
fn failures_below_the_threshold_make_nothing_likely() {
    let mut web = Web::healthy();
    web.counters("Liveness", 0, 100, 0);
    web.restart(1, 1, (-3598, 34));
    web.counters("Liveness", 60, 103, 2);
    assert_eq!(web.only().cause, Exited);
}

#[test]
fn kill_near_the_memory_limit_is_a_likely_oom_kill() {
    let mut web = Web::healthy();
    web.use_memory(&[(1, 20), (16, 40), (31, 62)]);
    web.first_kill();
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (OomKilled, Likely));
    let usage = &evidence(&it, Source::History).text;
    let expected = "memory rose from 20Mi to 62Mi in 30s, limit 64Mi";
    assert!(usage.starts_with(expected), "{usage}");
}

/// The limit in the spec is 64Mi. While a resize waits, another one is in force.
#[test]
fn limit_in_force_counts_during_a_resize() {
    for (in_force, used, cause) in [
        ("64Mi", 31, Cause::Unknown),
        ("32Mi", 31, OomKilled),
        ("128Mi", 62, Cause::Unknown),
        ("128Mi", 120, OomKilled),
    ] {
        let mut web = Web::created(-3600);
        let resources = json!({"requests": {"memory": "16Mi"}, "limits": {"memory": in_force}});
        web.container["resources"] = resources.clone();
        web.apply();
        web.use_memory(&[(31, used)]);
        let mut container = again(1, 35, ended(137, "Error", -3598, 34));
        container["resources"] = resources;
        web.set(35, true, container);
        let it = web.only();
        assert_eq!(it.cause, cause, "{used}Mi of {in_force}");
        let names = it.message.contains(&format!("memory limit {in_force}"));
        assert_eq!(names, cause == OomKilled, "{}", it.message);
    }
}

#[test]
fn events_of_an_earlier_pod_do_not_count() {
    let mut web = Web::healthy();
    let earlier = "00000000-0000-0000-0000-00000000000a".to_owned();
    let uid = std::mem::replace(&mut web.spec.uid, earlier);
    web.kill(30, 1);
    web.spec.uid = uid;
    web.first_kill();
    assert_eq!(web.only().cause, Cause::Unknown);
}

#[test]
fn objects_listed_again_do_not_count_again() {
    let mut web = Web::healthy();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.first_kill();
    let before = web.only();
    web.cluster.now = at(50);
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.apply();
    assert_eq!(web.only(), before);
}

#[test]
fn deletion_ends_the_pods_incidents() {
    let mut web = Web::healthy();
    web.set(10, true, again(1, 10, ended(3, "Error", -3598, 9)));
    web.spec.deleted = Some(50);
    web.set(20, true, again(1, 10, ended(3, "Error", -3598, 9)));
    assert_eq!(web.only().ended, Some(at(20)));
    web.set(22, false, down(1, ended(137, "Error", 10, 22)));
    web.cluster.now = at(23);
    web.cluster.delete("web-1");
    assert_eq!(web.only().count, 1);
}

/// The status of a pod that its node has evicted.
fn evicted() -> Value {
    json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."})
}

#[test]
fn eviction_is_one_incident_that_ends_at_once() {
    let mut web = Web::healthy();
    web.status = evicted();
    web.set(10, false, down(0, ended(137, "Error", -3598, 9)));
    let it = web.only();
    assert_eq!((it.reason, it.cause), (Eviction, NodePressure));
    assert_eq!((it.began, it.ended), (at(9), Some(at(9))));
    assert!(it.message.contains("low on resource"));
    web.set(30, false, down(0, ended(137, "Error", -3598, 9)));
    web.cluster.pass(300);
    web.only();
}

#[test]
fn failed_pod_is_an_incident_and_succeeded_pod_is_not() {
    let mut web = Web::healthy();
    web.status = json!({"phase": "Failed"});
    web.set(10, false, down(0, ended(2, "Error", -3598, 9)));
    let it = web.only();
    assert_eq!((it.reason, it.cause), (PodFailed, Exited));
    assert_eq!(it.involved.container, "web");
    let mut web = Web::healthy();
    web.status = json!({"phase": "Succeeded"});
    web.set(10, false, down(0, ended(0, "Completed", -3598, 9)));
    assert!(web.cluster.incidents().is_empty());
}

#[test]
fn container_without_restart_has_failed() {
    let mut web = Web::created(-3600);
    (web.spec.policy, web.spec.owner) = (Some("Never"), Some("Job"));
    web.apply();
    web.set(10, false, down(0, ended(2, "Error", -3598, 9)));
    assert_eq!(web.only().reason, PodFailed);
    web.status = json!({"phase": "Failed"});
    web.set(20, false, down(0, ended(2, "Error", -3598, 9)));
    let it = web.only();
    assert_eq!((it.began, it.ended), (at(9), Some(at(9))));
}

#[test]
fn static_pod_has_another_uid_at_its_kubelet() {
    let mut web = Web::created(-3600);
    web.spec.owner = Some("Node");
    web.apply();
    let own = "3f2a9c1b7d5e4f60812c9ab34de01f77".to_owned();
    let uid = std::mem::replace(&mut web.spec.uid, own);
    web.counters("Liveness", 0, 10, 0);
    web.counters("Liveness", 60, 16, 0);
    assert_eq!(web.liveness(), ProbeStatus::Passing);
    web.fails(70, 3, "Liveness");
    web.kill(70, 1);
    web.spec.uid = uid;
    web.restart(1, 137, (-3598, 74));
    assert_eq!(web.only().cause, LivenessProbe);
}

#[test]
fn image_incident_ends_when_the_container_runs() {
    let mut web = Web::created(0);
    web.ready = (false, 0);
    web.status = json!({"phase": "Pending"});
    web.container = waiting(0, "ContainerCreating", json!({}));
    web.apply();
    let said = ("Failed", "Failed to pull image \"x\": not found");
    web.event("pull", (5, 5), 1, said);
    web.set(6, false, waiting(0, "ErrImagePull", json!({})));
    web.set(9, false, waiting(0, "ImagePullBackOff", json!({})));
    let it = web.only();
    assert_eq!((it.reason, it.began), (ImagePull, at(5)));
    web.status = json!({"phase": "Running"});
    web.set(70, true, running(0, 68, true));
    assert_eq!(web.only().ended, Some(at(68)));
}

#[test]
fn lost_node_is_one_incident_with_its_pods() {
    let mut web = Web::created(-3600);
    web.node(0, true);
    web.apply();
    // The two watches report it in any order.
    web.set_unready_by_node(40);
    web.node(41, false);
    web.cluster.pass(200);
    let it = web.only();
    assert_eq!((it.reason, it.cause), (NodeNotReady, NodeLost));
    assert!(it.message.contains("1 pod"), "{}", it.message);
    assert_eq!(web.liveness(), ProbeStatus::Unknown);
    web.node(300, true);
    web.set_ready(301, true);
    web.cluster.pass(200);
    let it = web.only();
    assert_eq!(it.ended, Some(at(300)));
    let expected = "was not ready for 4m19s; 1 pod";
    assert!(it.message.contains(expected), "{}", it.message);
}

#[test]
fn unexplained_unready_pod_is_an_incident_after_a_while() {
    let mut web = Web::created(-3600);
    web.node(0, true);
    web.apply();
    web.set_unready_by_node(40);
    web.cluster.pass(29);
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(1);
    let it = web.only();
    assert_eq!((it.reason, it.cause), (PodNotReady, Cause::Unknown));
    assert_eq!(it.began, at(40));
    web.set_ready(90, true);
    assert_eq!(web.only().ended, Some(at(90)));
}

#[test]
fn status_at_first_sight_gives_earlier_terminations() {
    let mut web = Web::created(-90_000);
    web.container = again(5, -60, ended(137, "OOMKilled", -300, -65));
    web.apply();
    let it = web.only();
    assert_eq!((it.cause, it.count, it.began), (OomKilled, 1, at(-65)));
    let mut old = Web::created(-90_000);
    old.container = again(5, -40_000, ended(137, "OOMKilled", -50_000, -40_001));
    old.apply();
    assert!(old.cluster.incidents().is_empty() && old.cluster.engine.pods.is_empty());
}

#[test]
fn probe_without_attempts_is_unknown() {
    let mut web = Web::healthy();
    web.counters("Liveness", 0, 10, 0);
    web.counters("Liveness", 60, 16, 0);
    assert_eq!(web.liveness(), ProbeStatus::Passing);
    for minute in 2..6 {
        web.counters("Liveness", minute * 60, 16, 0);
    }
    assert_eq!(web.liveness(), ProbeStatus::Unknown);
}

#[test]
fn restart_of_the_server_keeps_open_incidents() {
    let mut web = Web::healthy();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.first_kill();
    let before = web.only();
    web.cluster.restart();
    web.apply();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    assert_eq!(web.only(), before);
    // The container terminates again while the server does not run.
    web.cluster.restart();
    web.set(300, true, again(2, 295, ended(137, "Error", 35, 294)));
    web.kill(290, 2);
    let after = web.only();
    assert_eq!((after.count, after.cause), (2, LivenessProbe));
    assert_eq!(after.metadata.name, before.metadata.name);
    web.cluster.pass(600);
    assert_eq!(web.only().ended, Some(at(295)));
}

#[test]
fn incidents_of_pods_deleted_meanwhile_end() {
    let mut web = Web::healthy();
    web.node(5, true);
    web.restart(1, 3, (-3598, 34));
    web.node(40, false);
    web.cluster.restart();
    assert!(web.cluster.incidents().iter().all(|it| it.ended.is_none()));
    web.cluster.pass(121);
    assert!(web.cluster.incidents().iter().all(|it| it.ended.is_some()));
}

#[test]
fn eviction_is_not_repeated_after_a_restart() {
    let mut web = Web::healthy();
    web.status = evicted();
    web.set(10, false, down(0, ended(137, "Error", -3598, 9)));
    web.cluster.restart();
    web.apply();
    web.only();
}

#[test]
fn invalid_snapshot_is_refused() {
    let mut web = Web::healthy();
    web.restart(1, 3, (-3598, 34));
    let snapshot = serde_json::to_value(web.cluster.engine.export()).unwrap();
    let merge = |member: &str, value: Value| {
        let mut snapshot = snapshot.clone();
        snapshot[member] = value;
        let snapshot = serde_json::from_value(snapshot).unwrap();
        TestCluster::new(at(0)).merge(snapshot).map(|_| ())
    };
    assert_eq!(merge("form", 1.into()), Ok(()));
    assert_eq!(merge("form", 2.into()), Err(SnapshotError::Form(2)));
    assert_eq!(merge("incidents", json!([])), Err(SnapshotError::Broken));
}
