//! What is told of the time before a server's start: as much as the status and Events tell, once, and the same whenever
//! it starts.

use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind};

use super::pods::{Web, again, at, ended, waiting};

/// A pod made so long ago whose container has ended so often for its liveness probe, the last time 65 s ago; its last
/// incarnation lived for 30 s.
fn looping(made: i64, restarts: u32, code: i32) -> Web {
    let mut web = Web::made(made);
    web.status = again(restarts, -60, ended(code, "Error", -95, -65));
    web
}

fn event(web: &mut Web, name: &str, (first, last): (i64, i64), count: u32, said: (&str, &str)) {
    web.event_between(name, (first, last), count, said);
}

const KILL: (&str, &str) = (
    "Killing",
    "Container web failed liveness probe, will be restarted",
);
const STARTUP: (&str, &str) = (
    "Killing",
    "Container web failed startup probe, will be restarted",
);
const FAILS: (&str, &str) = ("Unhealthy", "Liveness probe failed: refused");
const BACK_OFF: (&str, &str) = (
    "BackOff",
    "Back-off restarting failed container web in pod web-1",
);

#[test]
fn crash_loop_at_first_sight_is_one_incident_with_the_events_count() {
    // Made within the hour, or long ago; killed outright, or gone by itself when it was told to.
    for made in [-1800, -90_000] {
        for code in [137, 143, 0, 1] {
            let mut web = looping(made, 5, code);
            web.tell();
            event(&mut web, "kill", (-600, -66), 5, KILL);
            let incident = web.cluster.only();
            assert_eq!(
                (incident.cause, incident.certainty, incident.count),
                (Cause::LivenessProbe, Certainty::Direct, 5),
                "made {made}, exit {code}"
            );
            assert_eq!(incident.began, at(-600));
            assert!(
                !incident.message.contains("nothing tells"),
                "{}",
                incident.message
            );
            // A list tells it again, and a restart of this server too.
            event(&mut web, "kill", (-600, -66), 5, KILL);
            web.cluster.restart();
            web.tell();
            assert_eq!(web.cluster.only().count, 5);
        }
    }
}

#[test]
fn terminations_without_an_event_are_not_counted() {
    for (made, kills, count) in [
        (-1800, 2, 5),
        (-1800, 1, 5),
        (-90_000, 2, 2),
        (-90_000, 1, 1),
    ] {
        let mut web = looping(made, 5, 137);
        web.tell();
        event(&mut web, "kill", (-600, -66), kills, KILL);
        let incident = web.cluster.only();
        assert_eq!(
            (incident.cause, incident.count),
            (Cause::LivenessProbe, count),
            "made {made}, {kills} kills"
        );
        let unknown = incident
            .evidence
            .iter()
            .filter(|it| it.text.contains("is not known") && it.text.contains("more end"));
        assert_eq!(unknown.count(), usize::from(made == -1800), "{incident:#?}");
    }
}

#[test]
fn other_kinds_of_events_count_terminations() {
    for (said, last, events, ends, cause) in [
        (STARTUP, -66, 5, 5, Cause::StartupProbe),
        // Three failures make a kill.
        (FAILS, -66, 15, 5, Cause::LivenessProbe),
        (BACK_OFF, -64, 4, 4, Cause::Exited),
        // Old kubelets repeat it while they wait: in nine minutes there is time for six ends, of which one is known.
        (BACK_OFF, -64, 400, 6, Cause::Exited),
    ] {
        let mut web = looping(-90_000, 40, if cause == Cause::Exited { 7 } else { 137 });
        web.tell();
        event(&mut web, "e", (-600, last), events, said);
        let incident = web.cluster.only();
        assert_eq!((incident.cause, incident.count), (cause, ends), "{said:?}");
    }
}

#[test]
fn events_of_an_earlier_loop_do_not_count() {
    let mut web = looping(-90_000, 40, 7);
    web.tell();
    event(&mut web, "e", (-3000, -2000), 10, BACK_OFF);
    assert_eq!(web.cluster.only().count, 1);
}

#[test]
fn loop_since_the_creation_has_the_count_of_the_status() {
    let mut web = looping(-6000, 29, 7);
    web.tell();
    assert_eq!(web.cluster.only().count, 29);
    // It has ended so often long ago as well, for all that is known.
    let mut web = looping(-90_000, 29, 7);
    web.tell();
    assert_eq!(web.cluster.only().count, 1);
}

#[test]
fn later_evidence_explains_earlier_terminations() {
    for (said, code) in [(KILL, 137), (KILL, 143), (KILL, 3), (STARTUP, 137)] {
        let mut web = looping(-90_000, 40, code);
        if said == STARTUP {
            web.startup = true;
        }
        web.tell();
        assert_eq!(web.cluster.only().count, 1);
        let (mut start, mut nth) = (-60, 40);
        for kill in 1..=6 {
            let end = start + 40;
            event(&mut web, "kill", (-22, end - 1), kill, said);
            nth += 1;
            web.is(
                end + 1,
                true,
                again(nth, end + 1, ended(code, "Error", start, end)),
            );
            start = end + 1;
        }
        let incident = web.cluster.only();
        let cause = if said == STARTUP {
            Cause::StartupProbe
        } else {
            Cause::LivenessProbe
        };
        assert_eq!(
            (
                incident.reason,
                incident.cause,
                incident.count,
                incident.began
            ),
            (IncidentKind::Restart, cause, 7, at(-65)),
            "exit {code}"
        );
    }
}

/// The causes of all incidents, and how often each came.
fn causes(web: &Web) -> Vec<(Cause, u64)> {
    let incidents = web.cluster.incidents();
    let causes = incidents.iter().map(|it| (it.cause, it.count));
    causes.collect()
}

#[test]
fn different_termination_is_not_explained_by_others() {
    // It exited by itself with a code that no kill has.
    let mut web = looping(-90_000, 40, 7);
    web.tell();
    event(&mut web, "kill", (10, 10), 1, KILL);
    web.is(12, true, again(41, 12, ended(137, "Error", -60, 11)));
    assert_eq!(
        causes(&web),
        [(Cause::Exited, 1), (Cause::LivenessProbe, 1)]
    );
    // The kernel killed it.
    let mut web = Web::made(-90_000);
    web.status = again(40, -60, ended(137, "OOMKilled", -95, -65));
    web.tell();
    event(&mut web, "kill", (10, 10), 1, KILL);
    web.is(12, true, again(41, 12, ended(137, "Error", -60, 11)));
    assert_eq!(
        causes(&web),
        [(Cause::OomKilled, 1), (Cause::LivenessProbe, 1)]
    );
}

#[test]
fn first_reading_of_counters_decides_nothing() {
    let mut web = looping(-90_000, 40, 137);
    web.tell();
    web.counters(1, 100, 30);
    event(&mut web, "kill", (-600, -120), 5, KILL);
    let incident = web.cluster.only();
    assert_eq!((incident.cause, incident.count), (Cause::LivenessProbe, 6));
}

#[test]
fn waiting_loop_has_the_same_incident_as_a_running_one() {
    let mut web = Web::made(-90_000);
    web.ready = (false, -65);
    web.status = waiting(5, "CrashLoopBackOff", ended(137, "Error", -95, -65));
    web.tell();
    event(&mut web, "kill", (-600, -66), 5, KILL);
    assert_eq!(web.cluster.only().count, 5);
}
