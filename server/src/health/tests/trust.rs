//! Which Events count: those about the object that they name, from the component that can report it, with a plausible
//! time and count.

use kubevitals_proto::vitals::Cause::LivenessProbe;
use kubevitals_proto::vitals::Certainty::Direct;
use kubevitals_proto::vitals::{Cause, IncidentKind};
use serde_json::{Value, json};

use super::objects::{KILL, PodSpec, again, at, counter, down, ended, event, text};
use super::web::Web;
use crate::health::thresholds::{MAX_UNMATCHED, SECOND, UNMATCHED_RETENTION};

const OTHER: &str = "00000000-0000-0000-0000-00000000000a";

/// The pod's own kubelet's Event about a kill.
fn honest(uid: &str) -> Value {
    let mut event = event(uid, "e", (30, 30), 1, KILL);
    event["reportingComponent"] = "kubelet".into();
    event
}

/// The cause of one kill after an Event. It is the liveness probe if the Event counts.
fn cause_after(event: Value) -> Cause {
    let mut web = Web::healthy();
    web.cluster.now = at(31);
    web.cluster.event(event);
    web.first_kill();
    web.only().cause
}

#[test]
fn event_counts_for_its_pod_and_from_its_kubelet() {
    let uid = PodSpec::default().uid;
    let with = |pointer: &str, value: &str| {
        let mut event = honest(&uid);
        *event.pointer_mut(pointer).unwrap() = value.into();
        event
    };
    let without = |members: &[&str]| {
        let mut event = honest(&uid);
        for member in members {
            event.as_object_mut().unwrap().remove(*member);
        }
        event
    };
    let mut new_api = without(&["source", "count", "firstTimestamp", "lastTimestamp"]);
    new_api["eventTime"] = text(30).into();
    new_api["reportingInstance"] = "n1".into();
    let mut hostless = honest(&uid);
    hostless["source"] = json!({"component": "kubelet"});
    let mut elsewhere = with("/metadata/namespace", "default");
    elsewhere["involvedObject"]["namespace"] = "default".into();
    let mut foreign = elsewhere.clone();
    foreign["involvedObject"]["name"] = "anything".into();
    for (case, event) in [
        ("the kubelet's own", honest(&uid)),
        ("of an old kubelet", without(&["reportingComponent"])),
        ("of a new kubelet", new_api),
        ("without a host", hostless),
    ] {
        assert_eq!(cause_after(event), LivenessProbe, "{case}");
    }
    let kubelet = "/source/host";
    let component = "/reportingComponent";
    for (case, event) in [
        ("of another kubelet", with(kubelet, "n2")),
        ("of another component", with(component, "tenant")),
        ("of nobody", without(&["reportingComponent", "source"])),
        ("about another pod of that name", honest(OTHER)),
        ("without a UID", with("/involvedObject/uid", "")),
        ("of another name", with("/involvedObject/name", "web-2")),
        ("of another namespace, with the pod's UID", elsewhere),
        ("the same about any name", foreign),
        (
            "of a namespace that is not the object's",
            with("/metadata/namespace", "default"),
        ),
    ] {
        assert_eq!(cause_after(event), Cause::Unknown, "{case}");
    }
}

#[test]
fn event_times_and_counts_are_limited() {
    for (count, last) in [
        (json!(u32::MAX), "9999-12-31T23:59:59Z".to_owned()),
        (json!(i64::MAX), text(500)),
        (json!(-7), text(31)),
    ] {
        let mut web = Web::healthy();
        web.cluster.now = at(40);
        let said = ("Unhealthy", "Readiness probe failed: no");
        let mut event = event(&web.spec.uid, "e", (10, 10), 1, said);
        event["count"] = count.clone();
        event["lastTimestamp"] = last.into();
        web.cluster.event(event);
        web.set_ready(41, false);
        let it = web.only();
        assert_eq!(it.reason, IncidentKind::ProbeFailing, "{count}");
        assert!(it.last_seen <= at(41), "{count}: {it:#?}");
        assert!((1..=5).contains(&it.count), "{count}: {}", it.count);
        web.set_ready(60, true);
        assert_eq!(web.only().ended, Some(at(60)), "{count}");
    }
}

#[test]
fn event_counts_at_most_the_restart_count() {
    let mut web = Web::created(-90_000);
    web.container = again(5, -60, ended(137, "Error", -300, -65));
    web.apply();
    web.event("e", (-600, -66), u32::MAX, KILL);
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (LivenessProbe, Direct));
    assert_eq!(it.count, 5);
}

#[test]
fn events_of_unknown_pods_do_not_displace_others() {
    let mut web = Web::healthy();
    web.cluster.now = at(30);
    let unknown = |n: usize| {
        let mut event = honest(&format!("00000000-0000-0000-0000-{n:012}"));
        event["involvedObject"]["name"] = format!("nobody-{n}").into();
        event
    };
    for n in 0..20_100 {
        web.cluster.event(unknown(n));
    }
    let metrics = web.cluster.engine.metrics();
    assert_eq!((metrics.pods, metrics.dropped_pods), (0, 0));
    assert_eq!(metrics.unmatched_events, MAX_UNMATCHED as u64);
    assert_eq!(metrics.dropped_events, 20_100 - MAX_UNMATCHED as u64);
    web.kill(30, 1);
    web.first_kill();
    assert_eq!(web.only().cause, LivenessProbe);
    // They are dropped when the next Event arrives later.
    web.cluster.now = at(31).plus_nanos(UNMATCHED_RETENTION + 5 * SECOND);
    web.cluster.event(unknown(0));
    assert_eq!(web.cluster.engine.metrics().unmatched_events, 1);
}

#[test]
fn event_waits_some_seconds_for_its_pod() {
    for (seconds, is_used) in [(2, true), (60, false)] {
        let mut web = Web::created(0);
        web.ready = (false, 0);
        web.cluster.now = at(31);
        let said = ("Failed", "Failed to pull image \"x\": not found");
        web.event("e", (30, 30), 1, said);
        web.status = json!({"phase": "Pending"});
        let waits = down(0, json!({"waiting": {"reason": "ErrImagePull"}}));
        web.set(31 + seconds, false, waits);
        let it = web.only();
        assert_eq!(it.began == at(30), is_used, "{it:#?}");
    }
}

#[test]
fn counters_count_for_the_kubelets_own_pods() {
    for (node, count) in [("n1", 1), ("n2", 0)] {
        let mut web = Web::healthy();
        for (second, failed) in [(0, 0), (60, 30), (120, 60)] {
            web.cluster.now = at(second);
            let page = counter(&web.spec.uid, "Liveness", "failed", failed);
            web.cluster.probes(node, &page);
        }
        assert_eq!(web.cluster.engine.pods.len(), count, "{node}");
        assert_eq!(web.cluster.incidents().len(), count, "{node}");
    }
}
