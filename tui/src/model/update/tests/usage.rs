//! Rules of usage and totals: which objects they include, and how old they are.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{ProbeKind, ProbeStatus};

use crate::model::row::{Container, ContainerState, NodeRow, Phase, PodRow, Probes, Workload};
use crate::model::update::{apply, refresh};
use crate::model::{
    Amounts, Batch, Change, Fault, FaultKind, Key, Message, Name, Outcome, Part, PodReading,
    Reading, Readings, Resource, SourceKind, State, View, cluster_key,
};

const CORE: u64 = 1_000_000_000;
const NOW: i64 = 1_800_000_000;

fn amounts(millicores: u64) -> Amounts {
    Amounts {
        cpu: Nanocores(millicores * CORE / 1000).into(),
        memory: Bytes(millicores << 20).into(),
    }
}

fn node(name: &str, millicores: u64) -> NodeRow {
    NodeRow {
        name: name.into(),
        ready: true,
        allocatable: amounts(millicores),
        ..NodeRow::default()
    }
}

fn pod(name: &str) -> PodRow {
    let app = Container {
        name: "app".into(),
        ..Container::default()
    };
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        node: "n1".into(),
        phase: Phase::Running,
        containers: [app].into(),
        ..PodRow::default()
    }
}

fn reading(name: &str, millicores: u64, at: i64) -> Reading {
    Reading {
        name: name.into(),
        at: Timestamp::from_secs(at),
        usage: amounts(millicores),
        swap: crate::model::Memory::NONE,
    }
}

/// A message with usage of nodes and pods. Pods have one container.
fn usage(nodes: &[(&str, u64, i64)], pods: &[(&str, u64)]) -> Message {
    let pods = pods.iter().map(|(name, millicores)| PodReading {
        namespace: "shop".into(),
        name: Name::from(*name),
        at: Timestamp::from_secs(NOW),
        containers: vec![reading("app", *millicores, NOW)],
    });
    Message::Usage(Readings {
        nodes: Some(
            nodes
                .iter()
                .map(|(name, millicores, at)| reading(name, *millicores, *at))
                .collect(),
        ),
        pods: Some(pods.collect()),
    })
}

fn state(messages: Vec<Message>) -> State {
    let mut state = State::default();
    apply(&mut state, Message::Tick(Timestamp::from_secs(NOW)));
    apply(
        &mut state,
        Message::Source(SourceKind::Metrics, String::new()),
    );
    for message in messages {
        apply(&mut state, message);
    }
    refresh(&mut state);
    state
}

fn millicores(amounts: Amounts) -> Option<u64> {
    amounts.cpu.get().map(|cpu| cpu.0 / (CORE / 1000))
}

/// The last reading of a trend in millicores.
fn trend(state: &State, key: &Key) -> Option<u64> {
    let trend = state.trends.get(key)?;
    let (_, amounts) = trend.at(Timestamp::from_secs(NOW), 600)?;
    // Trends store nine bits of a number.
    millicores(amounts).map(|millicores| (millicores + 50) / 100 * 100)
}

fn nodes(nodes: &[(&str, u64)]) -> Message {
    let rows = nodes
        .iter()
        .map(|(name, millicores)| node(name, *millicores));
    Message::Nodes(Batch::All(rows.collect()))
}

fn pods(pods: &[&str]) -> Message {
    Message::Pods(Batch::All(pods.iter().map(|name| pod(name)).collect()))
}

#[test]
fn readings_and_rows_may_arrive_in_any_order() {
    let all: [fn() -> Message; 3] = [
        || usage(&[("n1", 1000, NOW), ("n2", 500, NOW)], &[("web", 140)]),
        || nodes(&[("n1", 4000), ("n2", 4000)]),
        || pods(&["web"]),
    ];
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [2, 0, 1],
        [1, 2, 0],
        [2, 1, 0],
    ] {
        let state = state(order.map(|at| all[at]()).into());
        let live = &state.live;
        assert_eq!(millicores(live.cluster.usage), Some(1500), "{order:?}");
        let of_node = live.nodes.get(&Key::named(&"n1".into())).unwrap();
        assert_eq!(millicores(of_node.usage), Some(1000), "{order:?}");
        let of_pod = live.pods.get(&Key::new(&"shop".into(), &"web".into()));
        let of_pod = of_pod.unwrap();
        assert_eq!(millicores(of_pod.usage), Some(140), "{order:?}");
        assert_eq!(millicores(of_pod.containers[0].usage), Some(140));
        // The sum of pods never replaced the cluster's usage, nor in its trend.
        assert_eq!(trend(&state, &cluster_key()), Some(1500), "{order:?}");
    }
}

#[test]
fn readings_wait_until_the_next_response() {
    // A node joins while the dashboard is running.
    let joined = state(vec![
        nodes(&[("n1", 4000)]),
        pods(&[]),
        usage(&[("n1", 1000, NOW), ("n2", 500, NOW)], &[("late", 70)]),
        Message::Nodes(Batch::Some(vec![Change::Put(node("n2", 4000))])),
        Message::Pods(Batch::Some(vec![Change::Put(pod("late"))])),
    ]);
    assert_eq!(millicores(joined.live.cluster.usage), Some(1500));
    let late = joined
        .live
        .pods
        .get(&Key::new(&"shop".into(), &"late".into()));
    assert_eq!(millicores(late.unwrap().usage), Some(70));
    // The next response has no usage of the node.
    let left = state(vec![
        usage(&[("n2", 500, NOW)], &[]),
        usage(&[("n1", 1000, NOW)], &[]),
        nodes(&[("n1", 4000), ("n2", 4000)]),
        pods(&[]),
    ]);
    assert_eq!(millicores(left.live.cluster.usage), Some(1000));
    // Nodes that cannot be listed: their usage is known anyway.
    let unlisted = state(vec![
        Message::Part(
            Part::Nodes,
            Outcome::Failed {
                why: Fault {
                    kind: FaultKind::Forbidden,
                    text: "you may not list nodes".to_owned(),
                },
                retry_at: None,
            },
        ),
        pods(&["web"]),
        usage(&[("n1", 1000, NOW)], &[("web", 140)]),
    ]);
    assert_eq!(millicores(unlisted.live.cluster.usage), Some(1000));
    // Without usage of nodes, the cluster's usage is that of pods. A response without nodes does not lower the trend.
    let by_pods = state(vec![
        nodes(&[("n1", 4000)]),
        pods(&["web"]),
        usage(&[], &[("web", 140)]),
    ]);
    assert_eq!(millicores(by_pods.live.cluster.usage), Some(140));
    let gap = state(vec![
        nodes(&[("n1", 4000)]),
        pods(&["web"]),
        usage(&[("n1", 1000, NOW)], &[("web", 140)]),
        usage(&[], &[("web", 140)]),
    ]);
    assert_eq!(gap.live.cluster.usage, Amounts::default());
    assert_eq!(trend(&gap, &cluster_key()), Some(1000));
}

#[test]
fn totals_are_of_the_nodes_that_report_and_a_lost_one_makes_no_dip() {
    let eight: Vec<String> = (1..=8).map(|at| format!("n{at}")).collect();
    let all = |of: &[String]| nodes(&of.iter().map(|name| (&**name, 8000)).collect::<Vec<_>>());
    let used = |of: &[String], at: i64| {
        let each: Vec<_> = of.iter().map(|name| (&**name, 1000, at)).collect();
        usage(&each, &[])
    };
    for reporting in [8, 7, 4, 1] {
        let state = state(vec![
            all(&eight),
            pods(&[]),
            used(&eight, NOW - 30),
            used(&eight[..reporting], NOW),
        ]);
        let cluster = &state.live.cluster;
        assert_eq!(cluster.nodes_reporting as usize, reporting);
        assert_eq!(millicores(cluster.usage), Some(1000 * reporting as u64));
        assert_eq!(millicores(cluster.reporting), Some(8000 * reporting as u64));
        assert_eq!(millicores(cluster.allocatable), Some(64_000));
        for resource in [Resource::Cpu, Resource::Memory] {
            assert_eq!(cluster.used(resource), Some(0.125), "{reporting}");
        }
        assert_eq!(trend(&state, &cluster_key()), Some(8000), "{reporting}");
    }
    // Nodes of different sizes, one of them new.
    let state = state(vec![
        nodes(&[("n1", 8000), ("n2", 2000)]),
        pods(&[]),
        usage(&[("n2", 1000, NOW)], &[]),
    ]);
    assert_eq!(state.live.cluster.used(Resource::Cpu), Some(0.5));
    assert_eq!(trend(&state, &cluster_key()), Some(5000));
}

#[test]
fn totals_are_as_old_as_their_oldest_reading() {
    for (each, oldest) in [
        (vec![("n1", 1, NOW - 5), ("n2", 1, NOW - 40)], NOW - 40),
        // A clock that is ahead does not make other readings newer.
        (vec![("n1", 1, NOW + 600), ("n2", 1, NOW - 90)], NOW - 90),
        (vec![("n2", 1, NOW - 7)], NOW - 7),
    ] {
        let state = state(vec![
            nodes(&[("n1", 8000), ("n2", 8000)]),
            pods(&[]),
            usage(&each, &[]),
        ]);
        let usage_time = state.live.cluster.usage_time.unwrap();
        assert_eq!(usage_time, Timestamp::from_secs(oldest));
    }
}

#[test]
fn the_headers_count_of_failing_probes_is_that_of_the_rows_with_one() {
    let failing = |count: u8| Probes {
        failing: count,
        ..Probes::default()
    };
    for (each, expected) in [
        (vec![0, 0], 0),
        (vec![1, 0, 2], 2),
        (vec![3], 1),
        (vec![], 0),
    ] {
        let rows = each.iter().enumerate().map(|(at, count)| PodRow {
            probes: failing(*count),
            ..pod(&format!("web-{at}"))
        });
        let rows: Vec<PodRow> = rows.collect();
        let words = rows.iter().filter(|row| row.probes.word() == "failing");
        assert_eq!(words.count(), expected);
        let state = state(vec![nodes(&[]), Message::Pods(Batch::All(rows))]);
        assert_eq!(state.live.cluster.probes_failing as usize, expected);
    }
}

#[test]
fn containers_on_unreachable_nodes_are_unknown() {
    let lost = || NodeRow {
        lost: true,
        ready: false,
        ..node("n1", 4000)
    };
    let running = || {
        let mut pod = pod("web");
        pod.containers[0].state = ContainerState::Running;
        pod.probes.count(ProbeKind::Readiness, ProbeStatus::Passing);
        Message::Pods(Batch::All(vec![pod]))
    };
    let of_node = |row: NodeRow| Message::Nodes(Batch::Some(vec![Change::Put(row)]));
    for (messages, is_known) in [
        (vec![running(), of_node(node("n1", 1))], true),
        (vec![running(), of_node(lost())], false),
        (vec![of_node(lost()), running()], false),
        // The kubelet is back and reports its pods again.
        (
            vec![
                running(),
                of_node(lost()),
                of_node(node("n1", 1)),
                running(),
            ],
            true,
        ),
    ] {
        let state = state(messages);
        let pod = &state.live.pods.rows()[0];
        let expected = match is_known {
            true => (ContainerState::Running, "1/1"),
            false => (ContainerState::Unknown, "unknown"),
        };
        assert_eq!((pod.containers[0].state, &*pod.probes.text()), expected);
    }
}

#[test]
fn a_jobs_pods_are_its_cron_jobs_where_one_made_it() {
    let of_job = |pod_name: &str, job: &str| PodRow {
        workload: Some(Workload::new("Job", job)),
        ..pod(pod_name)
    };
    let rows = || {
        Message::Pods(Batch::All(vec![
            of_job("a", "backup-20261129"),
            of_job("b", "nightly-29393760"),
            of_job("c", "once"),
        ]))
    };
    let job = || Key::new(&"shop".into(), &"nightly-29393760".into());
    let jobs = || Message::Jobs(Batch::All(vec![(job(), "nightly".into())]));
    let gone = || Message::Jobs(Batch::Some(vec![Change::Gone(job())]));
    let again = || {
        let pod = of_job("b", "nightly-29393760");
        Message::Pods(Batch::Some(vec![Change::Put(pod)]))
    };
    let found = |messages: Vec<Message>| {
        let mut state = state(messages);
        state.screen_mut().view = View::Workloads;
        refresh(&mut state);
        let rows = state.live.workloads.rows().iter();
        rows.map(|row| format!("{}/{}", row.workload.kind, row.workload.name))
            .collect::<Vec<_>>()
    };
    let right = ["CronJob/nightly", "Job/backup-20261129", "Job/once"];
    for messages in [
        vec![rows(), jobs()],
        vec![jobs(), rows()],
        vec![jobs(), rows(), gone(), again()],
    ] {
        let mut found = found(messages);
        found.sort_unstable();
        assert_eq!(found, right);
    }
    // Without permission to list Jobs, owners come from the pods.
    let mut plain = found(vec![rows()]);
    plain.sort_unstable();
    assert_eq!(
        plain,
        ["Job/backup-20261129", "Job/nightly-29393760", "Job/once"]
    );
}
