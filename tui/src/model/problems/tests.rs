//! Problems: which pods, incidents and nodes are one line, in which words, and how urgent.

use std::collections::BTreeSet;

use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::vitals::{
    Affected, Cause, Certainty, Ended, Incident, IncidentKind, Involved,
};
use proptest::prelude::*;

use super::*;
use crate::model::attention::attention;
use crate::model::row::LastRestart;
use crate::model::table::Table;

const NOW: i64 = 100_000;

fn at(ago: i64) -> Timestamp {
    Timestamp::from_secs(NOW - ago)
}

fn pod(name: &str, status: &str) -> PodRow {
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        node: "node-1".into(),
        status: status.into(),
        ready: status == "Running",
        phase: crate::model::row::Phase::Running,
        workload: Some(Workload::new("Deployment", "web")),
        created_seconds: u32::try_from(NOW - 7_200).unwrap(),
        ..PodRow::default()
    }
}

fn restarted(mut pod: PodRow, cause: Cause, exit_code: i32, ago: i64) -> PodRow {
    pod.restarts.count = 3;
    pod.restarts.recent = 3;
    pod.restarts.last = Some(Box::new(LastRestart {
        reason: "Error".into(),
        exit_code,
        finished: Some(at(ago)),
        cause,
        certainty: Certainty::Direct,
        ..LastRestart::default()
    }));
    pod
}

fn crashing(name: &str, exit_code: i32) -> PodRow {
    restarted(pod(name, "CrashLoopBackOff"), Cause::Exited, exit_code, 30)
}

fn evicted(name: &str, namespace: &str) -> PodRow {
    PodRow {
        namespace: namespace.into(),
        phase: crate::model::row::Phase::Failed,
        message: Some("The node was low on resource: memory. Threshold quantity: 100Mi".into()),
        created_seconds: u32::try_from(NOW - 600).unwrap(),
        workload: Some(Workload::new("Deployment", format!("{namespace}-{name}"))),
        ..pod(name, "Evicted")
    }
}

fn of_revision(mut pod: PodRow, revision: &str, created: i64) -> PodRow {
    pod.labels = Labels::from_iter([("pod-template-hash", revision)]);
    pod.created_seconds = u32::try_from(NOW - created).unwrap();
    pod
}

fn incident(name: &str, kind: IncidentKind, involved: Involved) -> Incident {
    let mut incident = Incident {
        reason: kind,
        involved,
        began: at(300),
        last_seen: at(10),
        count: 3,
        certainty: Certainty::Direct,
        ..Incident::default()
    };
    incident.metadata.name = name.to_owned();
    incident.metadata.namespace = "shop".to_owned();
    incident
}

fn of_pod(name: &str) -> Involved {
    Involved {
        kind: "Pod".to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        workload: Some(kubevitals_proto::vitals::Workload {
            kind: "Deployment".to_owned(),
            name: "web".to_owned(),
        }),
        ..Involved::default()
    }
}

fn crash(name: &str, pod: &str, exit_code: i32) -> Incident {
    Incident {
        cause: Cause::Exited,
        last_ended: Some(Ended {
            exit_code,
            ..Ended::default()
        }),
        ..incident(name, IncidentKind::Restart, of_pod(pod))
    }
}

/// The incident of pods of the workload that fail alike.
fn joint(pods: &[&str], count: u64) -> Incident {
    let affected = pods.iter().map(|name| Affected {
        name: (*name).to_owned(),
        ..Affected::default()
    });
    Incident {
        involved: Involved {
            kind: "Deployment".to_owned(),
            name: "web".to_owned(),
            workload: None,
            ..of_pod("")
        },
        affected: affected.collect(),
        affected_count: count,
        count: count * 2,
        ..crash("joint", "", 7)
    }
}

fn node(name: &str, ready: bool, conditions: &[&str]) -> NodeRow {
    let mut node = NodeRow {
        name: name.into(),
        ready,
        conditions: conditions.iter().map(|name| Name::from(*name)).collect(),
        ..NodeRow::default()
    };
    node.usage.cpu = kubevitals_proto::units::Nanocores(1).into();
    node
}

fn world(pods: Vec<PodRow>, incidents: Vec<Incident>, nodes: Vec<NodeRow>) -> World {
    let mut world = World::default();
    world.pods = Table::of(pods);
    world.incidents = Table::of(incidents.into_iter().map(IncidentRow::new).collect());
    world.nodes = Table::of(nodes);
    world
}

fn grouped(world: &World, filter: &str, namespaces: &[Name]) -> Problems {
    let filter: Filter = filter.parse().unwrap();
    let basis = Basis {
        now: at(0),
        thresholds: Thresholds::default(),
        namespaces,
        filter: &filter,
        acknowledgements: None,
    };
    problems(world, &basis)
}

/// The lines of the problems: urgency, object, text.
fn lines(world: &World) -> Vec<String> {
    let rows = grouped(world, "", &[]).rows.into_iter();
    let line = |row: ProblemRow| format!("{} {}: {}", row.urgency.as_str(), row.object, row.text);
    rows.map(line).collect()
}

#[test]
fn one_cause_is_one_line() {
    let twenty = || (0..20).map(|at| evicted(&format!("web-{at:02}"), "shop"));
    let web = |range: std::ops::Range<i32>| range.map(|at| pod(&format!("web-{at}"), "Running"));
    let old = |range| web(range).map(|pod| of_revision(pod, "old", 9_000));
    let new = |pods: Vec<PodRow>| pods.into_iter().map(|pod| of_revision(pod, "new", 200));
    let cases: Vec<(&str, World, Vec<&str>)> = vec![
        (
            "nothing",
            world(web(0..3).collect(), vec![], vec![]),
            vec![],
        ),
        (
            "evictions by a node",
            world(
                twenty().chain([evicted("job", "batch")]).collect(),
                vec![],
                vec![],
            ),
            vec!["warning node-1: memory pressure: 21 pods evicted"],
        ),
        (
            "evictions of pods whose containers have a status",
            world(
                twenty()
                    .map(|pod| PodRow {
                        status: "Error".into(),
                        ..pod
                    })
                    .collect(),
                vec![],
                vec![],
            ),
            vec!["warning node-1: memory pressure: 20 pods evicted"],
        ),
        (
            "evictions of pods that are gone",
            world(
                vec![],
                vec![Incident {
                    cause: Cause::NodePressure,
                    ended: Some(at(100)),
                    involved: Involved {
                        kind: "Node".to_owned(),
                        name: "node-1".to_owned(),
                        ..of_pod("")
                    },
                    affected_count: 20,
                    message: "Node node-1 was low on memory: 20 pods were evicted".to_owned(),
                    ..incident("e", IncidentKind::Eviction, of_pod(""))
                }],
                vec![node("node-1", true, &["MemoryPressure"])],
            ),
            vec!["warning node-1: memory pressure: 20 pods evicted"],
        ),
        (
            "a rollout",
            world(
                old(0..7)
                    .chain(new(vec![
                        crashing("n-0", 7),
                        crashing("n-1", 7),
                        pod("n-2", "Running"),
                    ]))
                    .collect(),
                vec![],
                vec![],
            ),
            vec!["critical deploy/web: rollout: 2 of 3 new pods crash (exit 7)"],
        ),
        (
            "a workload with two causes",
            world(
                web(0..2)
                    .chain([crashing("a", 7), crashing("b", 7), crashing("c", 1)])
                    .collect(),
                vec![],
                vec![],
            ),
            vec![
                "critical c: crashes (exit 1)",
                "critical deploy/web: 2 of 5 pods crash (exit 7)",
            ],
        ),
        (
            "a joint incident and the pods that it does not name",
            world(
                vec![crashing("a", 7), crashing("b", 7), pod("c", "Running")],
                vec![joint(&["a"], 2)],
                vec![],
            ),
            vec!["critical deploy/web: 2 of 3 pods crash (exit 7)"],
        ),
        (
            "an incident of a pod that runs again",
            world(vec![pod("a", "Running")], vec![crash("i", "a", 7)], vec![]),
            vec!["warning a: crashes (exit 7)"],
        ),
        (
            "a node that is not ready, with its pods",
            world(
                vec![
                    PodRow {
                        ready: false,
                        ..pod("a", "Running")
                    },
                    PodRow {
                        node: "node-2".into(),
                        ..crashing("b", 1)
                    },
                ],
                vec![],
                vec![node("node-1", false, &[]), node("node-2", true, &[])],
            ),
            vec![
                "critical node-1: not ready: 1 pod affected",
                "critical b: crashes (exit 1)",
            ],
        ),
        (
            "a pod without a workload",
            world(
                vec![PodRow {
                    workload: None,
                    ..pod("alone", "ErrImagePull")
                }],
                vec![],
                vec![],
            ),
            vec!["critical alone: cannot pull its image"],
        ),
        (
            "what is starting or over is not urgent",
            world(
                vec![
                    restarted(pod("a", "Running"), Cause::OomKilled, 137, 900),
                    PodRow {
                        created_seconds: u32::try_from(NOW - 20).unwrap(),
                        ..pod("b", "ContainerCreating")
                    },
                ],
                vec![],
                vec![],
            ),
            vec!["starting b: is starting", "ended a: restarted (OOMKilled)"],
        ),
    ];
    for (what, world, expected) in cases {
        assert_eq!(lines(&world), expected, "{what}");
    }
}

#[test]
fn a_group_knows_since_when_and_what_it_opens() {
    let world = world(
        vec![crashing("a", 7), crashing("b", 7), pod("c", "Running")],
        vec![
            Incident {
                began: at(500),
                ..crash("i", "a", 7)
            },
            crash("j", "b", 7),
        ],
        vec![node("node-1", true, &["DiskPressure"])],
    );
    let rows = grouped(&world, "", &[]).rows;
    assert_eq!(rows[0].since, Some(at(500)));
    let Scope::Problem(problem) = &rows[0].opens.scope else {
        panic!("{:?}", rows[0].opens);
    };
    assert_eq!((problem.pods.len(), problem.incidents.len()), (2, 2));
    assert_eq!(rows[1].opens.scope, Scope::Node("node-1".into()));
    assert_eq!(
        verdict(rows.iter()),
        Verdict {
            critical: 1,
            warnings: 1,
            since: Some(at(500)),
            pods: 2,
            nodes: 1
        }
    );
}

#[test]
fn filter_and_namespaces_choose_the_members() {
    let mut other = crashing("x", 7);
    other.namespace = "other".into();
    let pods = vec![crashing("a", 7), crashing("b", 7), other];
    let world = world(pods, vec![], vec![node("node-1", false, &[])]);
    let affected = |filter: &str, namespaces: &[Name]| -> Vec<u64> {
        let rows = grouped(&world, filter, namespaces).rows;
        rows.iter().map(|row| row.affected).collect()
    };
    assert_eq!(affected("", &[]), [3]);
    assert_eq!(affected("ns=shop", &[]), [2]);
    assert_eq!(affected("", &["other".into()]), [1]);
    assert_eq!(affected("nothing", &[]), Vec::<u64>::new());
}

fn random_pod() -> impl Strategy<Value = PodRow> {
    let statuses = [
        "Running",
        "CrashLoopBackOff",
        "Pending",
        "Evicted",
        "Terminating",
        "ErrImagePull",
    ];
    (
        0..30_u32,
        0..statuses.len(),
        0..4_u32,
        any::<bool>(),
        0..3_i32,
    )
        .prop_map(move |(name, status, group, ready, code)| {
            let pod = PodRow {
                ready,
                node: Name::from(format!("node-{group}")),
                workload: (group > 0).then(|| Workload::new("Deployment", format!("web-{group}"))),
                message: (group > 1).then(|| "The node was low on resource: memory.".into()),
                ..pod(&format!("pod-{name}"), statuses[status])
            };
            match code {
                0 => pod,
                code => restarted(pod, Cause::Exited, code, 60),
            }
        })
}

fn random_incident() -> impl Strategy<Value = Incident> {
    (0..20_u32, 0..30_u32, 0..4_u32, any::<bool>(), 0..900_i64).prop_map(
        |(name, pod, kind, is_open, began)| {
            let incident = match kind {
                0 => joint(&[&format!("pod-{pod}")], 30),
                1 => Incident {
                    involved: Involved {
                        kind: "Node".to_owned(),
                        name: "node-1".to_owned(),
                        ..Involved::default()
                    },
                    ..incident("", IncidentKind::NodeNotReady, of_pod(""))
                },
                _ => crash("", &format!("pod-{pod}"), 7),
            };
            let mut incident = Incident {
                began: at(began),
                ended: (!is_open).then(|| at(began / 2)),
                ..incident
            };
            incident.metadata.name = format!("incident-{name}");
            incident
        },
    )
}

proptest! {
    #[test]
    fn every_unhealthy_pod_and_every_open_incident_is_in_one_group(
        pods in prop::collection::vec(random_pod(), 0..40),
        incidents in prop::collection::vec(random_incident(), 0..20),
        ready in any::<bool>(),
    ) {
        let world = world(pods, incidents, vec![node("node-1", ready, &[])]);
        let found = grouped(&world, "", &[]);
        let mut pods: Vec<Key> = found.rows.iter().flat_map(|row| row.pods.clone()).collect();
        let mut incidents: Vec<Key> = found.rows.iter().flat_map(|row| row.incidents.clone()).collect();
        let needs = |pod: &&Arc<PodRow>| attention(pod, at(0), Thresholds::default()).is_some();
        let unhealthy: Vec<Key> = world.pods.rows().iter().filter(needs).map(|pod| pod.key()).collect();
        pods.sort_unstable();
        incidents.sort_unstable();
        prop_assert_eq!(pods, unhealthy);
        let expected: Vec<Key> = world.incidents.rows().iter().map(|row| row.key()).collect();
        prop_assert_eq!(incidents, expected);
        let keys: BTreeSet<&Key> = found.rows.iter().map(|row| &row.key).collect();
        prop_assert_eq!(keys.len(), found.rows.len());
        prop_assert!(found.rows.iter().all(|row| !row.text.is_empty() && !row.object.is_empty()));
    }

    #[test]
    fn the_order_is_stable_while_usage_and_counts_change(
        pods in prop::collection::vec(random_pod(), 0..40),
        incidents in prop::collection::vec(random_incident(), 0..20),
    ) {
        let keys = |world: &World| -> Vec<Key> {
            grouped(world, "", &[]).rows.into_iter().map(|row| row.key).collect()
        };
        let before = keys(&world(pods.clone(), incidents.clone(), vec![]));
        let mut pods = pods;
        for pod in &mut pods {
            pod.usage_seconds += 15;
            pod.restarts.count += u32::from(pod.restarts.count > 0);
        }
        let mut incidents = incidents;
        for incident in &mut incidents {
            incident.count += 1;
            incident.last_seen = at(0);
        }
        prop_assert_eq!(keys(&world(pods, incidents, vec![])), before);
    }
}
