//! GroupScope Events are believed: about the object that they name, of the component that can know, and now.

use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind};
use serde_json::{Value, json};

use super::pods::{Web, again, at, ended, running, text};
use crate::health::thresholds::{MAX_UNMATCHED, SECOND, UNMATCHED_RETENTION};

const OTHER: &str = "00000000-0000-0000-0000-00000000000a";

/// An event of the kubelet `n1` about the pod `shop/web-1`, as it is written by the pod's own kubelet.
fn honest(uid: &str) -> Value {
    json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "11111111-0000-0000-0000-00000000000a"},
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web-1", "uid": uid,
            "fieldPath": "spec.containers{web}"},
        "reason": "Killing", "message": "Container web failed liveness probe, will be restarted", "type": "Normal",
        "count": 1, "firstTimestamp": text(30), "lastTimestamp": text(30),
        "reportingComponent": "kubelet", "source": {"component": "kubelet", "host": "n1"},
    })
}

/// The cause of one kill after an event; it is the liveness probe if the event was believed.
fn cause_after(event: &Value) -> Cause {
    let mut web = Web::new();
    web.tell();
    web.cluster.now = at(31);
    web.cluster.event(event.clone());
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    web.cluster.only().cause
}

#[test]
fn event_counts_for_its_pod_and_from_its_kubelet() {
    let uid = Web::new().uid;
    let with = |pointer: &str, value: Value| {
        let mut event = honest(uid);
        *event.pointer_mut(pointer).unwrap() = value;
        event
    };
    let without = |members: &[&str]| {
        let mut event = honest(uid);
        for member in members {
            event.as_object_mut().unwrap().remove(*member);
        }
        event
    };
    let mut new_api = without(&["source", "count", "firstTimestamp", "lastTimestamp"]);
    new_api["eventTime"] = text(30).into();
    new_api["reportingInstance"] = "n1".into();
    let mut elsewhere = with("/metadata/namespace", "default".into());
    elsewhere["involvedObject"]["namespace"] = "default".into();
    let mut foreign = elsewhere.clone();
    foreign["involvedObject"]["name"] = "anything".into();
    for (what, event, believed) in [
        ("the kubelet's own", honest(uid), true),
        ("of an old kubelet", without(&["reportingComponent"]), true),
        ("of a new one", new_api, true),
        (
            "without a host",
            with("/source", json!({"component": "kubelet"})),
            true,
        ),
        (
            "of another kubelet",
            with("/source/host", "n2".into()),
            false,
        ),
        (
            "of another component",
            with("/reportingComponent", "tenant".into()),
            false,
        ),
        (
            "of nobody",
            without(&["reportingComponent", "source"]),
            false,
        ),
        ("about another pod of that name", honest(OTHER), false),
        (
            "about no pod in particular",
            with("/involvedObject/uid", "".into()),
            false,
        ),
        (
            "of a namesake's name",
            with("/involvedObject/name", "web-2".into()),
            false,
        ),
        ("of another namespace, with the pod's UID", elsewhere, false),
        ("the same about any name", foreign, false),
        (
            "of a namespace that is not the object's",
            with("/metadata/namespace", "default".into()),
            false,
        ),
    ] {
        let expected = if believed {
            Cause::LivenessProbe
        } else {
            Cause::Unknown
        };
        assert_eq!(cause_after(&event), expected, "{what}");
    }
}

#[test]
fn event_times_and_counts_are_limited() {
    for (count, last) in [
        (json!(u32::MAX), "9999-12-31T23:59:59Z".to_owned()),
        (json!(i64::MAX), text(500)),
        (json!(-7), text(31)),
    ] {
        let mut web = Web::new();
        web.tell();
        web.cluster.now = at(40);
        let mut event = honest(web.uid);
        event["reason"] = "Unhealthy".into();
        event["message"] = "Readiness probe failed: no".into();
        event["count"] = count.clone();
        event["firstTimestamp"] = text(10).into();
        event["lastTimestamp"] = last.into();
        web.cluster.event(event);
        web.is(41, false, running(0, -3598, false));
        let incident = web.cluster.only();
        assert_eq!(incident.reason, IncidentKind::ProbeFailing, "{count}");
        assert!(incident.last_seen <= at(41), "{count}: {incident:#?}");
        assert!(
            (1..=5).contains(&incident.count),
            "{count}: {}",
            incident.count
        );
        web.is(60, true, running(0, -3598, true));
        assert_eq!(web.cluster.only().ended, Some(at(60)), "{count}");
    }
}

#[test]
fn event_counts_at_most_the_restart_count() {
    let mut web = Web::made(-90_000);
    web.status = again(5, -60, ended(137, "Error", -300, -65));
    web.tell();
    let mut event = honest(web.uid);
    event["count"] = u32::MAX.into();
    event["firstTimestamp"] = text(-600).into();
    event["lastTimestamp"] = text(-66).into();
    web.cluster.event(event);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.certainty, incident.count),
        (Cause::LivenessProbe, Certainty::Direct, 5)
    );
}

#[test]
fn events_of_unknown_pods_do_not_displace_others() {
    let mut web = Web::new();
    web.tell();
    for n in 0..20_100 {
        let mut event = honest(&format!("00000000-0000-0000-0000-{n:012}"));
        event["involvedObject"]["name"] = format!("nobody-{n}").into();
        web.cluster.now = at(30);
        web.cluster.event(event);
    }
    let counts = web.cluster.engine.metrics();
    assert_eq!((counts.pods, counts.dropped_pods), (0, 0));
    assert_eq!(counts.unmatched_events, MAX_UNMATCHED as u64);
    assert_eq!(counts.dropped_events, 20_100 - MAX_UNMATCHED as u64);
    web.kill(30, 1);
    web.is(35, true, again(1, 35, ended(137, "Error", -3598, 34)));
    assert_eq!(web.cluster.only().cause, Cause::LivenessProbe);
    // They are forgotten as soon as something else comes.
    web.cluster.now = at(31).plus_nanos(UNMATCHED_RETENTION + 5 * SECOND);
    let mut event = honest(OTHER);
    event["involvedObject"]["name"] = "nobody".into();
    web.cluster.event(event);
    assert_eq!(web.cluster.engine.metrics().unmatched_events, 1);
}

#[test]
fn event_waits_some_seconds_for_its_pod() {
    for (seconds, known) in [(2, true), (60, false)] {
        let mut web = Web::made(0);
        web.ready = (false, 0);
        web.cluster.now = at(31);
        let mut event = honest(web.uid);
        event["reason"] = "Failed".into();
        event["message"] = "Failed to pull image \"x\": not found".into();
        web.cluster.event(event);
        web.pod = json!({"phase": "Pending"});
        let waits = json!({"ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ErrImagePull"}}});
        web.is(31 + seconds, false, waits);
        let incident = web.cluster.only();
        assert_eq!(incident.began == at(30), known, "{incident:#?}");
    }
}

#[test]
fn counters_count_for_the_kubelets_own_pods() {
    let page = |uid: &str, failed: u32| {
        format!(
            "prober_probe_total{{container=\"web\",namespace=\"shop\",pod=\"web-1\",pod_uid=\"{uid}\",probe_type=\"Liveness\",result=\"failed\"}} {failed}\n"
        )
    };
    for (node, known) in [("n1", true), ("n2", false)] {
        let mut web = Web::new();
        web.tell();
        let uid = web.uid;
        for (second, failed) in [(0, 0), (60, 30), (120, 60)] {
            web.cluster.now = at(second);
            web.cluster.probes(node, &page(uid, failed));
        }
        assert_eq!(web.cluster.engine.pods.len() == 1, known, "{node}");
        assert_eq!(web.cluster.incidents().len() == 1, known, "{node}");
    }
}
