//! Lost readiness, after failed attempts and without any.

use kubevitals_proto::vitals::Cause::ReadinessProbe;
use kubevitals_proto::vitals::Certainty::{Direct, Likely};
use kubevitals_proto::vitals::IncidentKind::{NodeNotReady, ProbeFailing};

use super::objects::{at, running};
use super::web::Web;

#[test]
fn failing_readiness_ends_when_the_pod_is_ready() {
    let mut web = Web::healthy();
    web.fails(10, 1, "Readiness");
    web.fails(30, 3, "Readiness");
    web.set_ready(31, false);
    let it = web.only();
    assert_eq!((it.reason, it.cause), (ProbeFailing, ReadinessProbe));
    assert_eq!((it.certainty, it.began), (Direct, at(10)));
    web.set_ready(80, true);
    assert_eq!(web.only().ended, Some(at(80)));
    assert_eq!(web.only().count, 3);
}

#[test]
fn flapping_readiness_is_one_incident() {
    let mut web = Web::healthy();
    for n in 0..3 {
        web.fails(100 * i64::from(n) + 30, 3 * (n + 1), "Readiness");
        web.set_ready(100 * i64::from(n) + 31, false);
        assert_eq!(web.only().ended, None);
        web.set_ready(100 * i64::from(n) + 60, true);
    }
    let it = web.only();
    assert_eq!((it.began, it.ended), (at(30), Some(at(260))));
    assert_eq!(it.count, 7, "1, 3 and 3 reported failed attempts");
    web.cluster.pass(700);
    web.fails(999, 10, "Readiness");
    web.set_ready(1000, false);
    let count = web.cluster.incidents().len();
    assert_eq!(count, 2, "it was healthy for a long time");
}

#[test]
fn slow_start_is_no_incident_within_the_grace_time() {
    let mut web = Web::created(0);
    web.ready = (false, 0);
    web.container = running(0, 2, false);
    web.apply();
    for n in 1..=12 {
        web.fails(i64::from(n) * 10, n, "Readiness");
    }
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(2);
    let it = web.only();
    assert_eq!((it.reason, it.began), (ProbeFailing, at(10)));
}

/// A kubelet that has just started reports containers as not ready until their first attempt.
#[test]
fn kubelet_restart_is_no_failed_probe() {
    for node_is_lost in [true, false] {
        let mut web = Web::created(-3600);
        web.node(-100, true);
        web.apply();
        if node_is_lost {
            web.node(10, false);
            web.set_unready_by_node(10);
            web.node(50, true);
        }
        web.set_ready(51, false);
        web.cluster.pass(20);
        web.set_ready(72, true);
        web.cluster.pass(100);
        let incidents = web.cluster.incidents();
        let others = incidents.iter().filter(|it| it.reason != NodeNotReady);
        assert_eq!(others.count(), 0, "lost: {node_is_lost}");
    }
}

#[test]
fn server_start_during_a_kubelet_start_reports_no_failed_probe() {
    let mut web = Web::created(-3600);
    web.ready = (false, -2);
    web.container = running(0, -3598, false);
    web.apply();
    web.cluster.pass(10);
    web.set_ready(11, true);
    web.cluster.pass(100);
    assert!(web.cluster.incidents().is_empty());
}

#[test]
fn long_unready_container_likely_fails_its_probe() {
    let mut web = Web::healthy();
    web.set_ready(10, false);
    web.cluster.pass(29);
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(2);
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (ReadinessProbe, Likely));
    assert_eq!(it.began, at(10));
}

#[test]
fn last_seen_is_the_last_failed_attempt() {
    let mut web = Web::healthy();
    web.fails(10, 3, "Readiness");
    web.set_ready(11, false);
    // The kubelet drops further Events. Its counters continue.
    for minute in 0..60 {
        web.counters(
            "Readiness",
            60 * i64::from(minute) + 15,
            300,
            minute * 6 + 3,
        );
    }
    let it = web.only();
    assert_eq!(it.last_seen, at(59 * 60 + 15));
    assert!(it.count >= 59 * 6, "{}", it.count);
}

#[test]
fn restart_never_decreases_counts_and_last_seen() {
    let mut web = Web::healthy();
    web.fails(10, 3, "Readiness");
    web.set_ready(11, false);
    for minute in 1..30 {
        web.counters("Readiness", 60 * i64::from(minute), 300, minute * 6);
    }
    let before = web.only();
    assert!(before.count > 160, "{}", before.count);
    web.cluster.restart();
    web.apply();
    // The count of the Event is old, and the kubelet counts from zero.
    web.fails(10, 3, "Readiness");
    let after = web.only();
    assert_eq!(after.count, before.count);
    assert_eq!(after.last_seen, before.last_seen);
    for minute in 1..4 {
        web.counters("Readiness", 60 * i64::from(minute + 30), 0, minute * 6);
    }
    let later = web.only();
    let counts = (later.count, before.count);
    assert!(counts.0 > counts.1, "{counts:?}");
    assert_eq!(later.last_seen, at(33 * 60));
}

/// It does not matter whether this server saw the container start.
#[test]
fn never_ready_container_has_the_failures_of_the_counters() {
    let mut web = Web::created(-3600);
    web.ready = (false, -3598);
    web.container = running(0, -3598, false);
    web.apply();
    web.counters("Readiness", 5, 0, 409);
    let it = web.only();
    assert_eq!((it.cause, it.certainty), (ReadinessProbe, Direct));
    assert_eq!((it.count, it.last_seen), (409, at(5)));
}
