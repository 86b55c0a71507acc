//! Readiness that is lost: for attempts that failed, or for none.

use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind};

use super::pods::{Web, at, running};

/// A kubelet that is started again holds its containers unready until their first attempt.
#[test]
fn a_kubelet_s_restart_is_no_failed_probe() {
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
        web.told.pass(20);
        web.is(72, true, running(0, -3598, true));
        web.told.pass(100);
        let probes = web.told.incidents();
        let probes = probes
            .iter()
            .filter(|it| it.reason != IncidentKind::NodeNotReady);
        assert_eq!(probes.count(), 0, "lost: {node_is_lost}");
    }
}

#[test]
fn a_server_that_starts_while_a_kubelet_does_tells_of_no_failed_probe() {
    let mut web = Web::new();
    web.ready = (false, -2);
    web.status = running(0, -3598, false);
    web.tell();
    web.told.pass(10);
    web.is(11, true, running(0, -3598, true));
    web.told.pass(100);
    assert!(web.told.incidents().is_empty());
}

#[test]
fn who_is_unready_for_long_with_no_attempt_told_likely_fails_his_probe() {
    let mut web = Web::new();
    web.tell();
    web.is(10, false, running(0, -3598, false));
    web.told.pass(29);
    assert!(web.told.incidents().is_empty());
    web.told.pass(2);
    let incident = web.told.only();
    assert_eq!(
        (incident.cause, incident.certainty, incident.began),
        (Cause::ReadinessProbe, Certainty::Likely, at(10))
    );
}

#[test]
fn a_probe_that_fails_is_seen_last_when_it_failed_last() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 3, "Readiness");
    web.is(11, false, running(0, -3598, false));
    // The kubelet drops further events; its counters go on.
    for minute in 0..60_i64 {
        let failed = u32::try_from(minute).unwrap() * 6 + 3;
        web.readiness_counters(60 * minute + 15, 300, failed);
    }
    let incident = web.told.only();
    assert_eq!(incident.last_seen, at(59 * 60 + 15));
    assert!(incident.count >= 59 * 6, "{}", incident.count);
}

#[test]
fn counts_and_last_seen_never_fall_when_this_server_restarts() {
    let mut web = Web::new();
    web.tell();
    web.fails(10, 3, "Readiness");
    web.is(11, false, running(0, -3598, false));
    for minute in 1..30_i64 {
        web.readiness_counters(60 * minute, 300, u32::try_from(minute).unwrap() * 6);
    }
    let before = web.told.only();
    assert!(before.count > 160, "{}", before.count);
    web.told.restart();
    web.tell();
    // The event's count is from long ago, and the kubelet counts anew.
    web.fails(10, 3, "Readiness");
    let after = web.told.only();
    assert_eq!(
        (after.count, after.last_seen),
        (before.count, before.last_seen)
    );
    for minute in 31..34_i64 {
        web.readiness_counters(60 * minute, 0, u32::try_from(minute - 30).unwrap() * 6);
    }
    let later = web.told.only();
    assert!(
        later.count > before.count,
        "{} after {}",
        later.count,
        before.count
    );
    assert_eq!(later.last_seen, at(33 * 60));
}

#[test]
fn who_was_never_ready_has_failed_as_often_as_the_counters_tell() {
    // Whether this server was there from the beginning or not.
    let mut web = Web::new();
    web.ready = (false, -3598);
    web.status = running(0, -3598, false);
    web.tell();
    web.readiness_counters(5, 0, 409);
    let incident = web.told.only();
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
