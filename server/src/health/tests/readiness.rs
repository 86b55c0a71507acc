//! Readiness that is lost: for attempts that failed, or for none.

use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind};

use super::pods::{Web, at, running};

/// A kubelet that is started again holds its containers unready until their first attempt.
#[test]
fn kubelet_restart_is_no_failed_probe() {
    for node_is_lost in [true, false] {
        let mut web = Web::new();
        web.node(-100, true);
        web.tell();
        if node_is_lost {
            web.node(10, false);
            web.is(10, false, running(0, -3598, true));
            web.node(50, true);
        }
        web.is(51, false, running(0, -3598, false));
        web.cluster.pass(20);
        web.is(72, true, running(0, -3598, true));
        web.cluster.pass(100);
        let probes = web.cluster.incidents();
        let probes = probes
            .iter()
            .filter(|it| it.reason != IncidentKind::NodeNotReady);
        assert_eq!(probes.count(), 0, "lost: {node_is_lost}");
    }
}

#[test]
fn server_start_during_a_kubelet_start_reports_no_failed_probe() {
    let mut web = Web::new();
    web.ready = (false, -2);
    web.status = running(0, -3598, false);
    web.tell();
    web.cluster.pass(10);
    web.is(11, true, running(0, -3598, true));
    web.cluster.pass(100);
    assert!(web.cluster.incidents().is_empty());
}

#[test]
fn long_unready_container_likely_fails_its_probe() {
    let mut web = Web::new();
    web.tell();
    web.is(10, false, running(0, -3598, false));
    web.cluster.pass(29);
    assert!(web.cluster.incidents().is_empty());
    web.cluster.pass(2);
    let incident = web.cluster.only();
    assert_eq!(
        (incident.cause, incident.certainty, incident.began),
        (Cause::ReadinessProbe, Certainty::Likely, at(10))
    );
}

#[test]
fn last_seen_is_the_last_failed_attempt() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 3, "Readiness");
    web.is(11, false, running(0, -3598, false));
    // The kubelet drops further events; its counters go on.
    for minute in 0..60_i64 {
        let failed = u32::try_from(minute).unwrap() * 6 + 3;
        web.readiness_counters(60 * minute + 15, 300, failed);
    }
    let incident = web.cluster.only();
    assert_eq!(incident.last_seen, at(59 * 60 + 15));
    assert!(incident.count >= 59 * 6, "{}", incident.count);
}

#[test]
fn restart_never_decreases_counts_and_last_seen() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 3, "Readiness");
    web.is(11, false, running(0, -3598, false));
    for minute in 1..30_i64 {
        web.readiness_counters(60 * minute, 300, u32::try_from(minute).unwrap() * 6);
    }
    let before = web.cluster.only();
    assert!(before.count > 160, "{}", before.count);
    web.cluster.restart();
    web.tell();
    // The event's count is from long ago, and the kubelet counts anew.
    web.fails(10, 3, "Readiness");
    let after = web.cluster.only();
    assert_eq!(
        (after.count, after.last_seen),
        (before.count, before.last_seen)
    );
    for minute in 31..34_i64 {
        web.readiness_counters(60 * minute, 0, u32::try_from(minute - 30).unwrap() * 6);
    }
    let later = web.cluster.only();
    assert!(
        later.count > before.count,
        "{} after {}",
        later.count,
        before.count
    );
    assert_eq!(later.last_seen, at(33 * 60));
}

#[test]
fn never_ready_container_has_the_failures_of_the_counters() {
    // Whether this server was there from the beginning or not.
    let mut web = Web::new();
    web.ready = (false, -3598);
    web.status = running(0, -3598, false);
    web.tell();
    web.readiness_counters(5, 0, 409);
    let incident = web.cluster.only();
    assert_eq!(
        (
            incident.cause,
            incident.certainty,
            incident.count,
            incident.last_seen
        ),
        (Cause::ReadinessProbe, Certainty::Direct, 409, at(5))
    );
}
