//! What has changed, on small clusters.

use super::*;
use crate::model::batch::Extent;
use crate::model::interest::Interest;
use crate::model::name::Names;
use crate::model::row::{LastRestart, NodeRow};
use crate::model::table::Table;
use kubevitals_proto::labels::Labels;

const NOW: i64 = 10_000;
const SINCE: i64 = NOW - 900;

/// A pod of a workload, created this many seconds ago.
fn pod(name: &str, workload: &str, revision: &str, ago: i64) -> PodRow {
    let kind = workload.split_once('/');
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        uid: u64::try_from(ago).unwrap(),
        status: "Running".into(),
        workload: kind.map(|(kind, name)| Workload::new(kind, name)),
        labels: Labels::from_iter([("pod-template-hash", revision)]),
        created_seconds: u32::try_from(NOW - ago).unwrap(),
        ..PodRow::default()
    }
}

/// A pod with the images of its containers.
fn with_images(mut pod: PodRow, images: &[(&str, &str)]) -> PodRow {
    pod.images = images::joined(images.iter().copied(), &Names::default());
    pod
}

#[test]
fn a_rollout_is_one_line_with_both_images() {
    let pods = |revision: &str, ago: i64, images: &[(&str, &str)]| -> Vec<PodRow> {
        let pod = |at| {
            let name = format!("web-{revision}-{at}");
            with_images(pod(&name, "Deployment/web", revision, ago), images)
        };
        (0..2).map(pod).collect()
    };
    let old = pods("a", 5_000, &[("web", "shop/web:1.4"), ("proxy", "envoy:1")]);
    for (images, expected) in [
        (
            &[("web", "shop/web:1.5"), ("proxy", "envoy:1")][..],
            "Some(300) deploy/web: image shop/web:1.4 → 1.5 (2 of 4 pods)",
        ),
        (
            &[("web", "shop/web:1.4"), ("proxy", "envoy:1")],
            "Some(300) deploy/web: new revision: 2 of 4 pods",
        ),
        // A server that does not send images.
        (&[], "Some(300) deploy/web: new revision: 2 of 4 pods"),
    ] {
        let then = world(old.clone(), vec![]);
        let now = world([old.clone(), pods("b", 300, images)].concat(), vec![]);
        assert_eq!(lines(&then, &now), [expected]);
    }
}

fn restarted(mut pod: PodRow, count: u32) -> PodRow {
    pod.restarts.count = count;
    pod.restarts.last = Some(Box::new(LastRestart {
        reason: "Error".into(),
        exit_code: 7,
        finished: Some(Timestamp::from_secs(NOW - 60)),
        ..LastRestart::default()
    }));
    pod
}

fn node(name: &str, status: &str) -> NodeRow {
    NodeRow {
        name: name.into(),
        status: status.into(),
        ..NodeRow::default()
    }
}

fn world(pods: Vec<PodRow>, nodes: Vec<NodeRow>) -> World {
    let mut world = World::default();
    world.pods = Table::of(pods);
    world.nodes = Table::of(nodes);
    world
}

fn lines(then: &World, now: &World) -> Vec<String> {
    let basis = diff::Basis {
        since: Timestamp::from_secs(SINCE),
        until: Timestamp::from_secs(NOW),
        threshold: f64::INFINITY,
        namespaces: &[],
    };
    let line = |row: ChangeRow| {
        let age = row.at.map(|at| NOW - at.as_secs());
        format!("{age:?} {}: {}", row.object, row.text)
    };
    changes(then, now, &basis).into_iter().map(line).collect()
}

#[test]
fn a_change_of_many_pods_is_one_line() {
    let web = |from: u32, to: u32, revision: &str, ago: i64| -> Vec<PodRow> {
        let name = |at: u32| format!("web-{revision}-{at}");
        let all = from..to;
        all.map(|at| pod(&name(at), "Deployment/web", revision, ago + i64::from(at)))
            .collect()
    };
    let old = || web(0, 3, "a", 5_000);
    type Case = (&'static str, Vec<PodRow>, Vec<PodRow>, Vec<&'static str>);
    let cases: Vec<Case> = vec![
        ("nothing", old(), old(), vec![]),
        (
            "new",
            vec![],
            web(0, 2, "a", 100),
            vec!["Some(101) deploy/web: new: 2 pods"],
        ),
        (
            "gone",
            old(),
            vec![],
            vec!["None deploy/web: no pods left of 3"],
        ),
        (
            "scaled up",
            old(),
            [old(), web(3, 5, "a", 50)].concat(),
            vec!["Some(53) deploy/web: scaled from 3 to 5 pods"],
        ),
        (
            "scaled down",
            old(),
            web(0, 1, "a", 5_000),
            vec!["None deploy/web: scaled from 3 to 1 pod"],
        ),
        (
            "a rollout",
            old(),
            [web(0, 2, "a", 5_000), web(0, 2, "b", 300)].concat(),
            vec!["Some(301) deploy/web: new revision: 2 of 4 pods"],
        ),
        (
            "restarts",
            old(),
            old().into_iter().map(|pod| restarted(pod, 2)).collect(),
            vec!["Some(60) deploy/web: 6 restarts (exit 7)"],
        ),
        (
            "a pod without a workload",
            vec![],
            vec![pod("alone", "", "a", 70)],
            vec!["Some(70) alone: new pod"],
        ),
        (
            "pods of a Job",
            vec![],
            vec![pod("job-1", "CronJob/job", "a", 70)],
            vec![],
        ),
    ];
    for (what, then, now, expected) in cases {
        let found = lines(&world(then, vec![]), &world(now, vec![]));
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn nodes_come_go_and_have_another_status() {
    let then = world(vec![], vec![node("a", "Ready"), node("b", "Ready")]);
    let now = world(vec![], vec![node("a", "NotReady"), node("c", "Ready")]);
    let expected = [
        "None a: was Ready, is NotReady",
        "None b: node is gone",
        "None c: new node",
    ];
    assert_eq!(lines(&then, &now), expected);
}

#[test]
fn of_some_pods_only_restarts_are_compared() {
    let of = |pods: Vec<PodRow>| {
        let mut world = world(pods, vec![]);
        world.extent = Some(Extent {
            total: 150_000,
            interest: Interest::default(),
            truncation: None,
        });
        world
    };
    let web = || pod("web-1", "Deployment/web", "a", 5_000);
    let then = of(vec![web(), pod("other", "Deployment/other", "a", 5_000)]);
    let now = of(vec![
        restarted(web(), 1),
        pod("third", "Deployment/third", "a", 10),
    ]);
    assert_eq!(
        lines(&then, &now),
        ["Some(60) deploy/web: 1 restart (exit 7)"]
    );
}
