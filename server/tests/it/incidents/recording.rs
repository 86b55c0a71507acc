//! The recordings through the whole server, over its watches and scrapes. The engine has a golden test of its own.

use std::sync::Arc;
use std::time::Duration;

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{Cause, Certainty, IncidentKind, Source};
use kubevitals_sim::{Config, Replay, SimClock, fixtures};

use super::faults::Sentinel;
use super::{describe, incidents};
use crate::harness::{Harness, wait_until};

const STEPS: usize = 24;

/// The time of the first step.
const BEGAN: i64 = 1_795_241_140;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_pod_of_the_recording_has_the_right_incident() {
    let folder = fixtures().join("recording");
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(&folder).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(BEGAN))),
        ..Config::default()
    })
    .await;
    harness.first_step(1).await;
    for _ in 1..STEPS {
        harness.step(1).await;
    }
    let expected = [
        ("crash", "crash", IncidentKind::Restart, Cause::Exited, 6),
        (
            "flaky",
            "flaky",
            IncidentKind::Restart,
            Cause::LivenessProbe,
            7,
        ),
        ("leak", "leaker", IncidentKind::Restart, Cause::OomKilled, 4),
        (
            "notready",
            "app",
            IncidentKind::ProbeFailing,
            Cause::ReadinessProbe,
            0,
        ),
        ("oom", "eater", IncidentKind::Restart, Cause::OomKilled, 6),
    ];
    let mut found = Vec::new();
    wait_until("all that was recorded has been taken in", async || {
        found = incidents(&harness);
        found.sort_by(|a, b| a.involved.name.cmp(&b.involved.name));
        let what = found.iter().map(|it| {
            let count = if it.reason == IncidentKind::Restart {
                it.count
            } else {
                0
            };
            (
                &*it.involved.name,
                &*it.involved.container,
                it.reason,
                it.cause,
                count,
            )
        });
        what.eq(expected)
    })
    .await;
    for incident in &found {
        assert_eq!(
            incident.certainty,
            Certainty::Direct,
            "{}",
            describe(incident)
        );
        assert_eq!(incident.ended, None, "{}", describe(incident));
    }
    // A pod and its incident agree on the last restart. The incident counts terminations and the pod counts restarts,
    // so the pod has one less while its container waits for the restart.
    let mut builder = harness.server.query().vitals().now();
    for pod in Arc::clone(builder.pods()).values() {
        let vitals = builder.pod(pod);
        let restarts = found.iter().find(|it| {
            it.reason == IncidentKind::Restart && it.involved.name == vitals.metadata.name
        });
        let Some(incident) = restarts else { continue };
        let last = vitals.restarts.last.as_ref().unwrap();
        assert_eq!(
            (last.cause, last.certainty),
            (incident.cause, incident.certainty),
            "{}",
            describe(incident)
        );
        assert_eq!(Some(&last.ended), incident.last_ended.as_ref());
        let behind = incident.count - vitals.restarts.count;
        assert!(behind <= 1, "{behind}: {}", describe(incident));
    }
    let [crash, flaky, leak, notready, oom] = &*found else {
        panic!("{} incidents", found.len());
    };
    assert_eq!(crash.last_ended.as_ref().unwrap().exit_code, 7);
    assert!(
        crash.message.contains("CrashLoopBackOff (back-off 2m40s)"),
        "{}",
        crash.message
    );
    let killing = "Container flaky failed liveness probe, will be restarted";
    assert!(
        flaky
            .evidence
            .iter()
            .any(|it| it.source == Source::Event && it.text.contains(killing))
    );
    let history = |incident: &kubevitals_proto::vitals::Incident| {
        let evidence = incident
            .evidence
            .iter()
            .filter(|it| it.source == Source::History);
        evidence.map(|it| it.text.clone()).collect::<Vec<_>>()
    };
    let rises = history(leak);
    assert!(
        rises.len() == 4 && rises.iter().all(|it| it.starts_with("memory rose from ")),
        "{rises:?}"
    );
    let short = history(oom);
    assert!(
        short.len() == 6
            && short
                .iter()
                .all(|it| it.starts_with("it ran for 5s, too short for ")),
        "{short:?}"
    );
    assert!(
        notready
            .evidence
            .iter()
            .any(|it| it.text.contains("app is not ready, container sidecar is"))
    );
}

/// The number of steps of the outage's recording, and the time between two.
const OUTAGE_STEPS: usize = 18;
const BETWEEN: Duration = Duration::from_secs(13);

/// The time of its first step.
const OUTAGE_BEGAN: i64 = 1_795_987_728;

/// The server starts an hour and a half after the crash loops did. Then the node is lost, and recovers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_recorded_node_is_one_incident_beside_one_for_each_loop() {
    let folder = fixtures().join("recording-node-outage");
    let harness = Harness::start(Config {
        replay: Some(Replay::from_dir(&folder).unwrap()),
        clock: Some(SimClock::manual(Timestamp::from_secs(OUTAGE_BEGAN))),
        ..Config::default()
    })
    .await;
    harness.first_step(1).await;
    let mut sentinel = Sentinel::default();
    for _ in 1..OUTAGE_STEPS {
        harness.cluster.replay_step("lab");
        harness.clock.advance(BETWEEN);
        sentinel.pass(&harness).await;
    }
    let expected = [
        ("crash", IncidentKind::Restart, Cause::Exited, 33),
        ("flaky", IncidentKind::Restart, Cause::LivenessProbe, 44),
        ("lab", IncidentKind::NodeNotReady, Cause::NodeLost, 1),
        ("leak", IncidentKind::Restart, Cause::OomKilled, 26),
        (
            "notready",
            IncidentKind::ProbeFailing,
            Cause::ReadinessProbe,
            0,
        ),
        ("oom", IncidentKind::Restart, Cause::OomKilled, 33),
    ];
    wait_until("all that was recorded has been taken in", async || {
        let mut found = incidents(&harness);
        found.sort_by(|a, b| a.involved.name.cmp(&b.involved.name));
        let what = found.iter().map(|it| {
            let count = if it.reason == IncidentKind::ProbeFailing {
                0
            } else {
                it.count
            };
            (&*it.involved.name, it.reason, it.cause, count)
        });
        what.eq(expected)
    })
    .await;
    let found = incidents(&harness);
    let node = found.iter().find(|it| it.involved.kind == "Node").unwrap();
    assert!(node.message.contains("6 pods"), "{}", describe(node));
    assert!(node.ended.is_some(), "{}", describe(node));
    let loops = found.iter().filter(|it| it.involved.kind == "Pod");
    for incident in loops {
        assert_eq!(incident.ended, None, "{}", describe(incident));
    }
}
