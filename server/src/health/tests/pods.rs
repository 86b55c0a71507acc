//! Small stories, one a rule.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, ProbeKind, ProbeStatus, Source};
use serde_json::{Value, json};

use super::super::container_index::ContainerIndex;
use super::super::snapshot::SnapshotError;
use super::super::usage_history::UsagePoint;
use super::TestCluster;

/// The time at which stories begin: a whole day, so that times are easy to read.
const START: i64 = 1_800_057_600;
const UID: &str = "dbe5842e-0978-4422-a9fa-8026a53c65dd";

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(START + second)
}

pub(super) fn text(second: i64) -> String {
    at(second).to_rfc3339_seconds()
}

/// A pod of one container with a liveness and a readiness probe (period 10 s, 3 failures) and 64Mi, made an hour
/// before.
pub(super) struct Web {
    pub(super) cluster: TestCluster,
    pub(super) uid: &'static str,
    created: i64,
    pub(super) ready: (bool, i64),
    pub(super) status: Value,
    pub(super) pod: Value,
    /// Whether it has a startup probe too.
    pub(super) startup: bool,
}

impl Web {
    pub(super) fn new() -> Self {
        Self::made(-3600)
    }

    pub(super) fn made(created: i64) -> Self {
        Self {
            cluster: TestCluster::new(at(0)),
            uid: UID,
            created,
            ready: (true, created + 5),
            status: running(0, created + 2, true),
            pod: json!({"phase": "Running"}),
            startup: false,
        }
    }

    pub(super) fn json(&self) -> Value {
        let (ready, since) = self.ready;
        let mut status = self.pod.clone();
        status["conditions"] = json!([{
            "type": "Ready", "status": if ready { "True" } else { "False" }, "lastTransitionTime": text(since),
        }]);
        let mut container = self.status.clone();
        container["name"] = "web".into();
        status["containerStatuses"] = json!([container]);
        let owner = self
            .pod
            .get("owner")
            .and_then(Value::as_str)
            .unwrap_or("StatefulSet");
        let mut metadata = json!({
            "namespace": "shop", "name": "web-1", "uid": self.uid, "creationTimestamp": text(self.created),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": owner, "name": "web", "uid": "u",
                "controller": true}],
        });
        if let Some(going) = self.pod.get("going").and_then(Value::as_i64) {
            metadata["deletionTimestamp"] = text(going).into();
        }
        let startup = self.startup.then(|| json!({"tcpSocket": {"port": 1}}));
        json!({
            "metadata": metadata,
            "spec": {"nodeName": "n1", "restartPolicy": self.pod.get("policy"), "containers": [{
                "name": "web", "startupProbe": startup, "livenessProbe": {"tcpSocket": {"port": 1}}, "readinessProbe": {"tcpSocket": {"port": 1}},
                "resources": {"limits": {"memory": "64Mi"}},
            }]},
            "status": status,
        })
    }

    /// So many seconds after the start it is like this.
    pub(super) fn is(&mut self, second: i64, ready: bool, status: Value) {
        self.cluster.now = at(second);
        if ready != self.ready.0 {
            self.ready = (ready, second);
        }
        self.status = status;
        self.tell();
    }

    pub(super) fn tell(&mut self) {
        let json = self.json();
        self.cluster.pod(json);
    }

    pub(super) fn event(
        &mut self,
        name: &str,
        second: i64,
        count: u32,
        reason: &str,
        message: &str,
    ) {
        self.event_of(self.uid, name, second, count, (reason, message));
    }

    pub(super) fn event_of(
        &mut self,
        uid: &str,
        name: &str,
        second: i64,
        count: u32,
        said: (&str, &str),
    ) {
        self.event_at(uid, name, (second, second), count, said);
    }

    /// An event that was seen from the one second to the other.
    pub(super) fn event_between(
        &mut self,
        name: &str,
        seen: (i64, i64),
        count: u32,
        said: (&str, &str),
    ) {
        self.event_at(self.uid, name, seen, count, said);
    }

    fn event_at(
        &mut self,
        uid: &str,
        name: &str,
        (first, last): (i64, i64),
        count: u32,
        said: (&str, &str),
    ) {
        self.cluster.now = self.cluster.now.max(at(last));
        let kind = if said.0 == "Killing" {
            "Normal"
        } else {
            "Warning"
        };
        self.cluster.event(json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name},
            "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": uid,
                "fieldPath": "spec.containers{web}"},
            "reason": said.0, "message": said.1, "type": kind, "count": count,
            "source": {"component": "kubelet", "host": "n1"},
            "firstTimestamp": text(first), "lastTimestamp": text(last),
        }));
    }

    pub(super) fn kill(&mut self, second: i64, count: u32) {
        self.event(
            "kill",
            second,
            count,
            "Killing",
            "Container web failed liveness probe, will be restarted",
        );
    }

    pub(super) fn fails(&mut self, second: i64, count: u32, probe: &str) {
        let message = format!("{probe} probe failed: dial tcp: refused");
        self.event(probe, second, count, "Unhealthy", &message);
    }

    pub(super) fn counters(&mut self, second: i64, successful: u32, failed: u32) {
        self.counters_of("Liveness", second, successful, failed);
    }

    pub(super) fn readiness_counters(&mut self, second: i64, successful: u32, failed: u32) {
        self.counters_of("Readiness", second, successful, failed);
    }

    fn counters_of(&mut self, probe: &str, second: i64, successful: u32, failed: u32) {
        self.cluster.now = at(second);
        let line = |result: &str, count: u32| {
            format!(
                "prober_probe_total{{container=\"web\",namespace=\"shop\",pod=\"web-1\",pod_uid=\"{}\",probe_type=\"{probe}\",result=\"{result}\"}} {count}\n",
                self.uid
            )
        };
        let page = line("successful", successful) + &line("failed", failed);
        self.cluster.probes("n1", &page);
    }

    pub(super) fn liveness(&self) -> ProbeStatus {
        let pod = self.cluster.first_pod();
        let probes = self.cluster.engine.probe_statuses(&pod, self.cluster.now);
        probes
            .iter()
            .find(|probe| probe.kind == ProbeKind::Liveness)
            .unwrap()
            .status
    }

    pub(super) fn node(&mut self, second: i64, ready: bool) {
        self.cluster.now = at(second);
        let status = if ready { "True" } else { "Unknown" };
        self.cluster.node(json!({
            "metadata": {"name": "n1", "uid": "n", "creationTimestamp": text(-36_000)},
            "status": {"conditions": [{"type": "Ready", "status": status, "lastTransitionTime": text(second),
                "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}]},
        }));
    }
}

pub(super) fn running(restarts: u32, since: i64, ready: bool) -> Value {
    json!({"ready": ready, "started": true, "restartCount": restarts,
        "state": {"running": {"startedAt": text(since)}}})
}

pub(super) fn ended(code: i32, reason: &str, started: i64, finished: i64) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": text(started), "finishedAt": text(finished)}})
}

pub(super) fn again(restarts: u32, since: i64, last: Value) -> Value {
    let mut status = running(restarts, since, true);
    status["lastState"] = last;
    status
}

pub(super) fn down(restarts: u32, state: Value) -> Value {
    json!({"ready": false, "started": false, "restartCount": restarts, "state": state})
}

pub(super) fn waiting(restarts: u32, reason: &str, last: Value) -> Value {
    json!({"ready": false, "started": false, "restartCount": restarts,
        "state": {"waiting": {"reason": reason}}, "lastState": last})
}

#[test]
fn healthy_pod_has_no_facts() {
    let mut web = Web::new();
    web.tell();
    web.counters(60, 6, 0);
    web.counters(120, 12, 0);
    assert!(web.cluster.engine.pods.is_empty());
    assert_eq!(web.liveness(), ProbeStatus::Passing);
}

#[test]
fn restart_ends_after_ten_healthy_minutes() {
    let mut web = Web::new();
    web.tell();
    web.is(10, false, down(0, ended(3, "Error", -3598, 10)));
    web.is(12, true, again(1, 11, ended(3, "Error", -3598, 10)));
    web.cluster.pass(590);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::Restart, Cause::Exited)
    );
    assert_eq!(
        (incident.began, incident.ended, incident.count),
        (at(10), None, 1)
    );
    web.cluster.pass(20);
    assert_eq!(web.cluster.only().ended, Some(at(12)));
}

#[test]
fn terminations_for_one_cause_are_one_incident() {
    let mut web = Web::new();
    web.tell();
    web.is(10, false, down(0, ended(3, "Error", 0, 10)));
    web.is(12, true, again(1, 11, ended(3, "Error", 0, 10)));
    web.is(30, false, down(1, ended(3, "Error", 11, 30)));
    web.is(50, true, again(2, 50, ended(3, "Error", 11, 30)));
    web.is(90, false, down(2, ended(137, "OOMKilled", 50, 90)));
    let incidents = web.cluster.incidents();
    let what: Vec<_> = incidents.iter().map(|it| (it.cause, it.count)).collect();
    assert_eq!(what, [(Cause::Exited, 2), (Cause::OomKilled, 1)]);
}

#[test]
fn restarts_between_two_states_are_counted() {
    let mut web = Web::new();
    web.tell();
    web.is(100, true, again(3, 95, ended(3, "Error", 80, 90)));
    let incident = web.cluster.only();
    assert_eq!(incident.count, 3);
    let said = incident
        .evidence
        .iter()
        .any(|it| it.text.contains("2 more ends"));
    assert!(said, "{incident:#?}");
}

#[test]
fn liveness_failure_and_kill_are_one_incident() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 1, "Liveness");
    assert_eq!(web.liveness(), ProbeStatus::Failing);
    assert!(web.cluster.incidents().is_empty(), "one of three is none");
    web.fails(20, 2, "Liveness");
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.began),
        (IncidentKind::ProbeFailing, at(10))
    );
    web.is(35, false, down(0, ended(137, "Error", -3598, 34)));
    web.is(40, true, again(1, 36, ended(137, "Error", -3598, 34)));
    let incident = web.cluster.only();
    assert_eq!(incident.reason, IncidentKind::Restart);
    assert_eq!(
        (incident.cause, incident.certainty),
        (Cause::LivenessProbe, Certainty::Direct)
    );
    assert_eq!((incident.began, incident.count), (at(10), 1));
    assert_eq!(
        incident.involved.workload.as_ref().unwrap().kind,
        "StatefulSet"
    );
    assert_eq!(
        web.liveness(),
        ProbeStatus::Unknown,
        "it may have been tried since"
    );
}

#[test]
fn readiness_failing_with_liveness_is_part_of_its_incident() {
    let mut web = Web::new();
    web.tell();
    web.fails(5, 3, "Readiness");
    web.is(6, false, running(0, -3598, false));
    assert_eq!(web.cluster.only().cause, Cause::ReadinessProbe);
    web.fails(10, 1, "Liveness");
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    assert_eq!(web.cluster.only().cause, Cause::LivenessProbe);
    web.is(35, false, down(0, ended(137, "Error", -3598, 34)));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.began),
        (IncidentKind::Restart, at(5))
    );
}

#[test]
fn event_after_the_termination_explains_it() {
    let mut web = Web::new();
    web.tell();
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    let before = web.cluster.only();
    assert_eq!(
        (before.cause, before.certainty),
        (Cause::Unknown, Certainty::Unknown)
    );
    web.kill(30, 1);
    let after = web.cluster.only();
    assert_eq!(
        (after.cause, after.certainty),
        (Cause::LivenessProbe, Certainty::Direct)
    );
    assert_eq!(after.metadata.name, before.metadata.name);
}

#[test]
fn pod_and_incident_agree_on_the_last_restart() {
    let mut web = Web::new();
    web.tell();
    web.kill(30, 1);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    // Of the next one no event tells, and the kubelet waits before it starts the container again.
    let last = ended(137, "Error", 35, 95);
    web.is(97, false, waiting(1, "CrashLoopBackOff", last));
    let incident = web.cluster.only();
    let pod = web.cluster.first_pod();
    let restarts = web.cluster.engine.restarts(&pod);
    let last = web.cluster.engine.last_restart(&pod, ContainerIndex(0));
    assert_eq!(restarts.last(), last.as_ref());
    let last = last.unwrap();
    assert_eq!(
        (last.cause, last.certainty, last.ended.finished),
        (incident.cause, incident.certainty, Some(at(95)))
    );
    assert_eq!(
        (incident.cause, incident.certainty),
        (Cause::LivenessProbe, Certainty::Direct)
    );
    // The incident counts ends; a restart is counted when it has come, as kubectl does.
    assert_eq!((pod.summary().restarts, incident.count), (1, 2));
}

#[test]
fn counters_make_a_kill_likely_without_an_event() {
    let mut web = Web::new();
    web.tell();
    web.counters(0, 100, 0);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    web.counters(60, 103, 3);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.certainty),
        (Cause::LivenessProbe, Certainty::Likely)
    );
    let counted = incident
        .evidence
        .iter()
        .find(|it| it.source == Source::ProbeCounter)
        .unwrap();
    assert!(counted.text.contains("rose by 3 to 3"), "{}", counted.text);
}

#[test]
fn kill_just_after_a_reading_is_likely() {
    let mut web = Web::new();
    web.tell();
    web.counters(0, 100, 0);
    web.counters(60, 103, 0);
    web.counters(120, 103, 3);
    web.is(126, true, again(1, 126, ended(137, "Error", -3598, 125)));
    web.counters(180, 109, 3);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.certainty),
        (Cause::LivenessProbe, Certainty::Likely)
    );
}

#[test]
fn late_loss_of_a_node_withdraws_incidents_of_its_pods() {
    let mut web = Web::new();
    web.node(0, true);
    web.tell();
    web.is(40, false, running(0, -3598, true));
    web.cluster.pass(60);
    assert_eq!(web.cluster.only().reason, IncidentKind::PodNotReady);
    web.node(101, false);
    let incident = web.cluster.only();
    assert_eq!(incident.reason, IncidentKind::NodeNotReady);
    assert!(incident.message.contains("one pod"), "{}", incident.message);
}

#[test]
fn earlier_kill_does_not_begin_a_later_incident() {
    let mut web = Web::new();
    web.tell();
    web.kill(30, 1);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    web.cluster.pass(700);
    web.counters(800, 100, 3);
    web.is(836, true, again(2, 835, ended(137, "Error", 35, 834)));
    web.counters(860, 103, 6);
    let incidents = web.cluster.incidents();
    let later = &incidents[1];
    assert_eq!(
        (later.cause, later.certainty),
        (Cause::LivenessProbe, Certainty::Likely)
    );
    assert_eq!(later.began, at(834));
    assert!(
        later.evidence.iter().all(|it| it.time >= at(834)),
        "{later:#?}"
    );
}

#[test]
fn failures_below_the_threshold_make_nothing_likely() {
    let mut web = Web::new();
    web.tell();
    web.counters(0, 100, 0);
    web.is(35, true, again(1, 35, ended(1, "Error", -3598, 34)));
    web.counters(60, 103, 2);
    assert_eq!(web.cluster.only().cause, Cause::Exited);
}

#[test]
fn kill_near_the_memory_limit_is_a_likely_oom_kill() {
    let mut web = Web::new();
    web.tell();
    let point = |second, mebibytes: u64| UsagePoint {
        at: at(second),
        cpu: Nanocores(1_000_000),
        memory: Bytes(mebibytes << 20),
    };
    let points = vec![point(1, 20), point(16, 40), point(31, 62)];
    web.cluster
        .usage
        .0
        .lock()
        .insert(("web-1".to_owned(), "web".to_owned()), points);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.certainty),
        (Cause::OomKilled, Certainty::Likely)
    );
    let history = incident
        .evidence
        .iter()
        .find(|it| it.source == Source::History)
        .unwrap();
    assert!(
        history
            .text
            .starts_with("memory rose from 20Mi to 62Mi in 30s, limit 64Mi"),
        "{}",
        history.text
    );
}

/// The spec's limit is 64Mi: while a resize waits, another one is in force.
#[test]
fn limit_in_force_counts_during_a_resize() {
    for (in_force, used, cause) in [
        ("64Mi", 31, Cause::Unknown),
        ("32Mi", 31, Cause::OomKilled),
        ("128Mi", 62, Cause::Unknown),
        ("128Mi", 120, Cause::OomKilled),
    ] {
        let mut web = Web::new();
        let resources = json!({"requests": {"memory": "16Mi"}, "limits": {"memory": in_force}});
        web.status["resources"] = resources.clone();
        web.tell();
        let point = UsagePoint {
            at: at(31),
            cpu: Nanocores(1_000_000),
            memory: Bytes(used << 20),
        };
        web.cluster
            .usage
            .0
            .lock()
            .insert(("web-1".to_owned(), "web".to_owned()), vec![point]);
        let mut status = again(1, 35, ended(137, "Error", -3598, 34));
        status["resources"] = resources;
        web.is(35, true, status);
        let incident = web.cluster.only();
        assert_eq!(incident.cause, cause, "{used}Mi of {in_force}");
        let limit = format!("its limit is {in_force}");
        let names = incident.message.contains(&limit);
        assert_eq!(names, cause == Cause::OomKilled, "{}", incident.message);
    }
}

#[test]
fn events_of_an_earlier_pod_do_not_count() {
    let mut web = Web::new();
    web.tell();
    let old = "00000000-0000-0000-0000-00000000000a";
    web.event_of(
        old,
        "kill",
        30,
        1,
        (
            "Killing",
            "Container web failed liveness probe, will be restarted",
        ),
    );
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    assert_eq!(web.cluster.only().cause, Cause::Unknown);
}

#[test]
fn objects_listed_again_do_not_count_again() {
    let mut web = Web::new();
    web.tell();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    let before = web.cluster.only();
    web.cluster.now = at(50);
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.tell();
    assert_eq!(web.cluster.only(), before);
}

#[test]
fn failing_readiness_ends_when_the_pod_is_ready() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 1, "Readiness");
    web.fails(30, 3, "Readiness");
    web.is(31, false, running(0, -3598, false));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::ProbeFailing, Cause::ReadinessProbe)
    );
    assert_eq!(
        (incident.certainty, incident.began),
        (Certainty::Direct, at(10))
    );
    web.is(80, true, running(0, -3598, true));
    assert_eq!(web.cluster.only().ended, Some(at(80)));
    assert_eq!(web.cluster.only().count, 3);
}

#[test]
fn flapping_readiness_is_one_incident() {
    let mut web = Web::new();
    web.tell();
    for n in 0..3 {
        web.fails(100 * i64::from(n) + 30, 3 * (n + 1), "Readiness");
        web.is(100 * i64::from(n) + 31, false, running(0, -3598, false));
        assert_eq!(web.cluster.only().ended, None);
        web.is(100 * i64::from(n) + 60, true, running(0, -3598, true));
    }
    let incident = web.cluster.only();
    assert_eq!((incident.began, incident.ended), (at(30), Some(at(260))));
    assert_eq!(
        incident.count, 7,
        "1, and 3, and 3 failed attempts that were told of"
    );
    web.cluster.pass(700);
    web.fails(999, 10, "Readiness");
    web.is(1000, false, running(0, -3598, false));
    assert_eq!(
        web.cluster.incidents().len(),
        2,
        "it had been well for long"
    );
}

#[test]
fn slow_start_is_no_incident_within_the_grace_time() {
    let mut web = Web::made(0);
    web.ready = (false, 0);
    web.status = running(0, 2, false);
    web.tell();
    for n in 1..=12 {
        web.fails(i64::from(n) * 10, n, "Readiness");
    }
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(2);
    assert_eq!(web.cluster.only().reason, IncidentKind::ProbeFailing);
    assert_eq!(web.cluster.only().began, at(10));
}

#[test]
fn deletion_ends_the_pods_incidents() {
    let mut web = Web::new();
    web.tell();
    web.is(10, true, again(1, 10, ended(3, "Error", -3598, 9)));
    web.pod["going"] = 50.into();
    web.is(20, true, again(1, 10, ended(3, "Error", -3598, 9)));
    assert_eq!(web.cluster.only().ended, Some(at(20)));
    web.is(22, false, down(1, ended(137, "Error", 10, 22)));
    web.cluster.now = at(23);
    let key = &web.cluster.first_pod().key;
    web.cluster.delete(key);
    assert_eq!(web.cluster.only().count, 1);
}

#[test]
fn eviction_is_one_incident_that_ends_at_once() {
    let mut web = Web::new();
    web.tell();
    web.pod = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
    web.is(10, false, down(0, ended(137, "Error", -3598, 9)));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::Eviction, Cause::NodePressure)
    );
    assert_eq!((incident.began, incident.ended), (at(9), Some(at(9))));
    assert!(incident.message.contains("low on resource"));
    web.is(30, false, down(0, ended(137, "Error", -3598, 9)));
    web.cluster.pass(300);
    web.cluster.only();
}

#[test]
fn failed_pod_is_an_incident_and_succeeded_pod_is_not() {
    let mut web = Web::new();
    web.tell();
    web.pod = json!({"phase": "Failed"});
    web.is(10, false, down(0, ended(2, "Error", -3598, 9)));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::PodFailed, Cause::Exited)
    );
    assert_eq!(incident.involved.container, "web");
    let mut web = Web::new();
    web.tell();
    web.pod = json!({"phase": "Succeeded"});
    web.is(10, false, down(0, ended(0, "Completed", -3598, 9)));
    assert!(web.cluster.incidents().is_empty());
}

#[test]
fn container_without_restart_has_failed() {
    let mut web = Web::new();
    web.pod = json!({"phase": "Running", "policy": "Never", "owner": "Job"});
    web.tell();
    web.is(10, false, down(0, ended(2, "Error", -3598, 9)));
    assert_eq!(web.cluster.only().reason, IncidentKind::PodFailed);
    web.pod["phase"] = "Failed".into();
    web.is(20, false, down(0, ended(2, "Error", -3598, 9)));
    let incident = web.cluster.only();
    assert_eq!((incident.began, incident.ended), (at(9), Some(at(9))));
}

#[test]
fn static_pod_has_another_uid_at_its_kubelet() {
    const OWN: &str = "3f2a9c1b7d5e4f60812c9ab34de01f77";
    let mut web = Web::new();
    web.pod = json!({"phase": "Running", "owner": "Node"});
    web.tell();
    let api = web.uid;
    web.uid = OWN;
    web.counters(0, 10, 0);
    web.counters(60, 16, 0);
    assert_eq!(web.liveness(), ProbeStatus::Passing);
    web.fails(70, 3, "Liveness");
    web.kill(70, 1);
    web.uid = api;
    web.is(75, true, again(1, 75, ended(137, "Error", -3598, 74)));
    assert_eq!(web.cluster.only().cause, Cause::LivenessProbe);
}

#[test]
fn image_incident_ends_when_the_container_runs() {
    let mut web = Web::made(0);
    web.ready = (false, 0);
    web.pod = json!({"phase": "Pending"});
    web.status = waiting(0, "ContainerCreating", json!({}));
    web.tell();
    web.event(
        "pull",
        5,
        1,
        "Failed",
        "Failed to pull image \"x\": not found",
    );
    web.is(6, false, waiting(0, "ErrImagePull", json!({})));
    web.is(9, false, waiting(0, "ImagePullBackOff", json!({})));
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.began),
        (IncidentKind::ImagePull, at(5))
    );
    web.pod = json!({"phase": "Running"});
    web.is(70, true, running(0, 68, true));
    assert_eq!(web.cluster.only().ended, Some(at(68)));
}

#[test]
fn lost_node_is_one_incident_with_its_pods() {
    let mut web = Web::new();
    web.node(0, true);
    web.tell();
    // By two watches, in either order.
    web.is(40, false, running(0, -3598, true));
    web.node(41, false);
    web.cluster.pass(200);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::NodeNotReady, Cause::NodeLost)
    );
    assert!(incident.message.contains("one pod"), "{}", incident.message);
    assert_eq!(web.liveness(), ProbeStatus::Unknown);
    web.node(300, true);
    web.is(301, true, running(0, -3598, true));
    web.cluster.pass(200);
    let incident = web.cluster.only();
    assert_eq!(incident.ended, Some(at(300)));
    assert!(
        incident
            .message
            .contains("was not ready for 4m19s; one pod"),
        "{}",
        incident.message
    );
}

#[test]
fn unexplained_unready_pod_is_an_incident_after_a_while() {
    let mut web = Web::new();
    web.node(0, true);
    web.tell();
    web.is(40, false, running(0, -3598, true));
    web.cluster.pass(29);
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(1);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.reason, incident.cause),
        (IncidentKind::PodNotReady, Cause::Unknown)
    );
    assert_eq!(incident.began, at(40));
    web.is(90, true, running(0, -3598, true));
    assert_eq!(web.cluster.only().ended, Some(at(90)));
}

#[test]
fn status_at_first_sight_gives_earlier_terminations() {
    let mut web = Web::made(-90_000);
    web.status = again(5, -60, ended(137, "OOMKilled", -300, -65));
    web.tell();
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.count, incident.began),
        (Cause::OomKilled, 1, at(-65))
    );
    let mut old = Web::made(-90_000);
    old.status = again(5, -40_000, ended(137, "OOMKilled", -50_000, -40_001));
    old.tell();
    assert!(old.cluster.incidents().is_empty() && old.cluster.engine.pods.is_empty());
}

#[test]
fn probe_without_attempts_is_unknown() {
    let mut web = Web::new();
    web.tell();
    web.counters(0, 10, 0);
    web.counters(60, 16, 0);
    assert_eq!(web.liveness(), ProbeStatus::Passing);
    for n in 2..6 {
        web.counters(n * 60, 16, 0);
    }
    assert_eq!(web.liveness(), ProbeStatus::Unknown);
}

#[test]
fn restart_of_the_server_keeps_open_incidents() {
    let mut web = Web::new();
    web.tell();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    let before = web.cluster.only();
    web.cluster.restart();
    web.tell();
    web.fails(30, 3, "Liveness");
    web.kill(30, 1);
    assert_eq!(web.cluster.only(), before);
    // While it was down another end came to pass.
    web.cluster.restart();
    web.is(300, true, again(2, 295, ended(137, "Error", 35, 294)));
    web.kill(290, 2);
    let after = web.cluster.only();
    assert_eq!(
        (after.count, after.cause, &after.metadata.name),
        (2, Cause::LivenessProbe, &before.metadata.name)
    );
    web.cluster.pass(600);
    assert_eq!(web.cluster.only().ended, Some(at(295)));
}

#[test]
fn incidents_of_pods_deleted_meanwhile_end() {
    let mut web = Web::new();
    web.tell();
    web.node(5, true);
    web.is(35, true, again(1, 35, ended(3, "Error", -3598, 34)));
    web.node(40, false);
    web.cluster.restart();
    assert!(web.cluster.incidents().iter().all(|it| it.ended.is_none()));
    web.cluster.pass(121);
    assert!(web.cluster.incidents().iter().all(|it| it.ended.is_some()));
}

#[test]
fn eviction_is_not_repeated_after_a_restart() {
    let mut web = Web::new();
    web.tell();
    web.pod = json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."});
    web.is(10, false, down(0, ended(137, "Error", -3598, 9)));
    web.cluster.restart();
    web.tell();
    web.cluster.only();
}

#[test]
fn invalid_snapshot_is_refused() {
    let mut web = Web::new();
    web.tell();
    web.is(35, true, again(1, 35, ended(3, "Error", -3598, 34)));
    let snapshot = serde_json::to_value(web.cluster.engine.export()).unwrap();
    let take = |snapshot: Value| {
        let snapshot = serde_json::from_value(snapshot).unwrap();
        TestCluster::new(at(0)).merge(snapshot).map(|_| ())
    };
    assert_eq!(take(snapshot.clone()), Ok(()));
    let mut foreign = snapshot.clone();
    foreign["form"] = 2.into();
    assert_eq!(take(foreign), Err(SnapshotError::Form(2)));
    let mut broken = snapshot;
    broken["incidents"] = json!([]);
    assert_eq!(take(broken), Err(SnapshotError::Broken));
}
