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
fn a_crash_loop_that_is_first_seen_is_one_incident_with_the_event_s_count() {
    // Made within the hour, or long ago; killed outright, or gone by itself when it was told to.
    for made in [-1800, -90_000] {
        for code in [137, 143, 0, 1] {
            let mut web = looping(made, 5, code);
            web.tell();
            event(&mut web, "kill", (-600, -66), 5, KILL);
            let incident = web.told.only();
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
            web.told.restart();
            web.tell();
            assert_eq!(web.told.only().count, 5);
        }
    }
}

#[test]
fn of_ends_that_no_event_counts_none_is_invented() {
    for (made, kills, count) in [
        (-1800, 2, 5),
        (-1800, 1, 5),
        (-90_000, 2, 2),
        (-90_000, 1, 1),
    ] {
        let mut web = looping(made, 5, 137);
        web.tell();
        event(&mut web, "kill", (-600, -66), kills, KILL);
        let incident = web.told.only();
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
fn events_of_other_kinds_count_ends_too() {
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
        let incident = web.told.only();
        assert_eq!((incident.cause, incident.count), (cause, ends), "{said:?}");
    }
}

#[test]
fn events_of_another_day_s_loop_are_none_of_this_one() {
    let mut web = looping(-90_000, 40, 7);
    web.tell();
    event(&mut web, "e", (-3000, -2000), 10, BACK_OFF);
    assert_eq!(web.told.only().count, 1);
}

#[test]
fn a_container_that_has_looped_all_its_life_has_ended_as_often_as_its_status_says() {
    let mut web = looping(-6000, 29, 7);
    web.tell();
    assert_eq!(web.told.only().count, 29);
    // It has ended so often long ago as well, for all that is known.
    let mut web = looping(-90_000, 29, 7);
    web.tell();
    assert_eq!(web.told.only().count, 1);
}

#[test]
fn what_is_learned_later_explains_what_came_before() {
    for (said, code) in [(KILL, 137), (KILL, 143), (KILL, 3), (STARTUP, 137)] {
        let mut web = looping(-90_000, 40, code);
        if said == STARTUP {
            web.startup = true;
        }
        web.tell();
        assert_eq!(web.told.only().count, 1);
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
        let incident = web.told.only();
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
    let incidents = web.told.incidents();
    let causes = incidents.iter().map(|it| (it.cause, it.count));
    causes.collect()
}

#[test]
fn an_end_that_is_of_its_own_kind_is_not_explained_by_others() {
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
fn a_first_look_at_the_counters_decides_nothing() {
    let mut web = looping(-90_000, 40, 137);
    web.tell();
    web.counters(1, 100, 30);
    event(&mut web, "kill", (-600, -120), 5, KILL);
    let incident = web.told.only();
    assert_eq!((incident.cause, incident.count), (Cause::LivenessProbe, 6));
}

#[test]
fn a_loop_that_waits_is_told_as_one_that_runs() {
    let mut web = Web::made(-90_000);
    web.ready = (false, -65);
    web.status = waiting(5, "CrashLoopBackOff", ended(137, "Error", -95, -65));
    web.tell();
    event(&mut web, "kill", (-600, -66), 5, KILL);
    assert_eq!(web.told.only().count, 5);
}
