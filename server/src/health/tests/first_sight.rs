//! Terminations before the server's start: the incidents contain as much as the status and Events contain, and are the
//! same whenever the server starts.

use kubevitals_proto::vitals::Cause::{Exited, LivenessProbe, OomKilled, StartupProbe};
use kubevitals_proto::vitals::Certainty::Direct;
use kubevitals_proto::vitals::IncidentKind::Restart;

use super::objects::{KILL, again, at, ended, waiting};
use super::web::Web;

const STARTUP: (&str, &str) = (
    "Killing",
    "Container web failed startup probe, will be restarted",
);
const FAILS: (&str, &str) = ("Unhealthy", "Liveness probe failed: refused");
const BACK_OFF: (&str, &str) = (
    "BackOff",
    "Back-off restarting failed container web in pod web-1",
);

/// A pod whose container has this restart count and runs since 60 s ago. It ran for 30 s before, until 65 s ago.
fn looping(created: i64, restarts: u32, code: i32) -> Web {
    ended_with(created, restarts, code, "Error")
}

fn ended_with(created: i64, restarts: u32, code: i32, reason: &str) -> Web {
    let mut web = Web::created(created);
    web.container = again(restarts, -60, ended(code, reason, -95, -65));
    web.apply();
    web
}

#[test]
fn crash_loop_at_first_sight_is_one_incident_with_the_events_count() {
    // The container is killed, or exits by itself after SIGTERM.
    let codes = [137, 143, 0, 1];
    for (created, code) in [-1800, -90_000]
        .iter()
        .flat_map(|it| codes.map(|code| (*it, code)))
    {
        let mut web = looping(created, 5, code);
        web.event("kill", (-600, -66), 5, KILL);
        let it = web.only();
        assert_eq!(
            (it.cause, it.certainty, it.count),
            (LivenessProbe, Direct, 5),
            "created {created}, exit {code}"
        );
        assert_eq!(it.began, at(-600));
        assert!(!it.message.contains("unknown reason"), "{}", it.message);
        // A list contains the Event again, also after a restart of this server.
        web.event("kill", (-600, -66), 5, KILL);
        web.cluster.restart();
        web.apply();
        assert_eq!(web.only().count, 5);
    }
}

#[test]
fn terminations_without_an_event_are_not_counted() {
    for (created, kills, count) in [
        (-1800, 2, 5),
        (-1800, 1, 5),
        (-90_000, 2, 2),
        (-90_000, 1, 1),
    ] {
        let mut web = looping(created, 5, 137);
        web.event("kill", (-600, -66), kills, KILL);
        let it = web.only();
        let case = format!("created {created}, {kills} kills");
        assert_eq!((it.cause, it.count), (LivenessProbe, count), "{case}");
        let texts = it.evidence.iter().map(|evidence| &evidence.text);
        let unknown = texts.filter(|it| it.contains("earlier termination"));
        assert_eq!(unknown.count(), usize::from(created == -1800), "{it:#?}");
    }
}

#[test]
fn other_kinds_of_events_count_terminations() {
    for (said, last, events, ends, cause) in [
        (STARTUP, -66, 5, 5, StartupProbe),
        // The kubelet kills the container after three failures.
        (FAILS, -66, 15, 5, LivenessProbe),
        (BACK_OFF, -64, 4, 4, Exited),
        // Old kubelets repeat it while they wait: six terminations are possible in nine minutes, and one is known.
        (BACK_OFF, -64, 400, 6, Exited),
    ] {
        let mut web = looping(-90_000, 40, if cause == Exited { 7 } else { 137 });
        web.event("e", (-600, last), events, said);
        let it = web.only();
        assert_eq!((it.cause, it.count), (cause, ends), "{said:?}");
    }
}

#[test]
fn events_of_an_earlier_loop_do_not_count() {
    let mut web = looping(-90_000, 40, 7);
    web.event("e", (-3000, -2000), 10, BACK_OFF);
    assert_eq!(web.only().count, 1);
}

#[test]
fn loop_since_the_creation_has_the_count_of_the_status() {
    assert_eq!(looping(-6000, 29, 7).only().count, 29);
    // The other terminations of this container may have been long ago.
    assert_eq!(looping(-90_000, 29, 7).only().count, 1);
}

#[test]
fn later_evidence_explains_earlier_terminations() {
    for (said, code) in [(KILL, 137), (KILL, 143), (KILL, 3), (STARTUP, 137)] {
        let mut web = looping(-90_000, 40, code);
        let mut cause = LivenessProbe;
        if said == STARTUP {
            (web, cause) = (Web::created(-90_000), StartupProbe);
            web.spec.probes.push("startupProbe");
            web.container = again(40, -60, ended(code, "Error", -95, -65));
            web.apply();
        }
        assert_eq!(web.only().count, 1);
        let mut start = -60;
        for kill in 1..=6 {
            let end = start + 40;
            web.event("kill", (-22, end - 1), kill, said);
            web.restart(40 + kill, code, (start, end));
            start = end + 1;
        }
        let it = web.only();
        assert_eq!((it.reason, it.cause), (Restart, cause), "exit {code}");
        assert_eq!((it.count, it.began), (7, at(-65)), "exit {code}");
    }
}

#[test]
fn different_termination_is_not_explained_by_others() {
    for (mut web, cause) in [
        // The container exited by itself with a code that no kill has.
        (looping(-90_000, 40, 7), Exited),
        // The kernel killed it.
        (ended_with(-90_000, 40, 137, "OOMKilled"), OomKilled),
    ] {
        web.event("kill", (10, 10), 1, KILL);
        web.restart(41, 137, (-60, 11));
        assert_eq!(web.cluster.causes(), [(cause, 1), (LivenessProbe, 1)]);
    }
}

#[test]
fn first_reading_of_counters_decides_nothing() {
    let mut web = looping(-90_000, 40, 137);
    web.counters("Liveness", 1, 100, 30);
    web.event("kill", (-600, -120), 5, KILL);
    assert_eq!(web.cluster.causes(), [(LivenessProbe, 6)]);
}

#[test]
fn waiting_loop_has_the_same_incident_as_a_running_one() {
    let mut web = Web::created(-90_000);
    web.ready = (false, -65);
    web.container = waiting(5, "CrashLoopBackOff", ended(137, "Error", -95, -65));
    web.apply();
    web.event("kill", (-600, -66), 5, KILL);
    assert_eq!(web.only().count, 5);
}
