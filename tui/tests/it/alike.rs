//! Rows that would look alike where there is little room: each is told from the others in every view.

use std::collections::HashSet;

use kubevitals::model::row::{
    Container, ContainerState, IncidentRow, NodeRow, PodRow, Probes, Restarts,
};
use kubevitals::model::{
    Action, Amounts, Batch, Memory, Message, Name, SourceKind, State, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Incident, IncidentKind, Involved, Role};

use crate::picture::{draw, text};
use crate::shop::NOW;

/// A cluster with nodes of these names, and pods `namespace/name`, each with an incident.
fn cluster(nodes: &[&str], pods: &[&str]) -> State {
    let now = Timestamp::from_secs(NOW);
    let mut state = State::default();
    let nodes = (1..).zip(nodes).map(|(at, name)| NodeRow {
        name: (*name).into(),
        status: "Ready".into(),
        ready: true,
        usage: amounts(at * 300),
        allocatable: amounts(4_000),
        ..NodeRow::default()
    });
    let rows = (1..).zip(pods).map(|(at, pod)| {
        let (namespace, name) = pod.split_once('/').unwrap();
        PodRow {
            namespace: namespace.into(),
            name: name.into(),
            status: "Running".into(),
            ready_containers: 0,
            total_containers: 1,
            usage: amounts(at * 10),
            containers: Box::new([container(at * 10)]),
            ..PodRow::default()
        }
    });
    let incidents = (1..).zip(pods).map(|(at, pod)| {
        let (namespace, name) = pod.split_once('/').unwrap();
        let mut incident = Incident {
            reason: IncidentKind::ProbeFailing,
            began: Timestamp::from_secs(NOW - 60 * at),
            last_seen: Timestamp::from_secs(NOW - at),
            count: 3,
            involved: Involved {
                kind: "Pod".to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
                container: "prometheus".to_owned(),
                ..Involved::default()
            },
            ..Incident::default()
        };
        incident.metadata.namespace = namespace.to_owned();
        incident.metadata.name = format!("incident-{at}");
        IncidentRow::new(incident)
    });
    for message in [
        Message::Source(SourceKind::Vitals, String::new()),
        Message::Tick(now),
        Message::Nodes(Batch::All(nodes.collect())),
        Message::Pods(Batch::All(rows.collect())),
        Message::Incidents(Batch::All(incidents.collect())),
    ] {
        apply(&mut state, message);
    }
    state
}

fn amounts(millicores: u64) -> Amounts {
    Amounts {
        cpu: Nanocores(millicores * 1_000_000).into(),
        memory: Bytes(millicores << 20).into(),
    }
}

fn container(millicores: u64) -> Container {
    Container {
        name: "prometheus".into(),
        role: Role::App,
        state: ContainerState::Running,
        reason: Name::default(),
        since_seconds: 0,
        ready: true,
        probes: Probes::default(),
        each_probe: Box::default(),
        failing_from_seconds: 0,
        usage: amounts(millicores),
        swap: Memory::NONE,
        requests: Amounts::default(),
        limits: Amounts::default(),
        restarts: Restarts::default(),
    }
}

/// What each view shows at 80×24 and at 40×12.
fn shows(name: &str, state: &mut State, views: &[View]) {
    let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
    for view in views {
        act(state, Action::Show(*view));
        for (columns, rows) in [(80, 24), (40, 12)] {
            let screen_text = text(&draw(state, &theme, columns, rows));
            let view = view.title().to_lowercase();
            insta::assert_snapshot!(format!("alike-{name}-{view}-{columns}x{rows}"), screen_text);
        }
    }
}

/// The rows of a table, without its numbers, differ from each other at every width.
fn rows_differ(state: &mut State, views: &[View]) {
    let theme = Theme::new(Depth::None, Ground::Dark, true);
    for view in views {
        act(state, Action::Show(*view));
        for columns in [40, 44, 50, 66, 80, 100, 120, 160] {
            let screen_text = text(&draw(state, &theme, columns, 40));
            let words = |line: &str| -> String {
                let is_word = |word: &&str| word.contains(|c: char| c.is_ascii_alphabetic());
                let is_number = |word: &&str| {
                    word.starts_with(|c: char| c.is_ascii_digit())
                        && !word.contains(['-', '.', '~'])
                };
                let words = line.split_whitespace();
                let words: Vec<&str> = words
                    .filter(|word| is_word(word) && !is_number(word))
                    .collect();
                words.join(" ")
            };
            let count = state.world().table(*view).len();
            let lines: Vec<&str> = screen_text.lines().collect();
            let head = lines.iter().position(|line| {
                line.contains("NAME") || line.contains("POD") || line.contains("OBJECT")
            });
            let rows = lines.iter().skip(head.unwrap() + 1).take(count);
            let different: HashSet<String> = rows.map(|line| words(line)).collect();
            assert_eq!(
                different.len(),
                count,
                "{view:?} at {columns}:\n{screen_text}"
            );
        }
    }
}

const CONTROL_PLANES: [&str; 5] = [
    "foo-01337-foobarinclongname-prd-controlplane1.k8s.isp.example",
    "foo-01337-foobarinclongname-prd-controlplane2.k8s.isp.example",
    "foo-01337-foobarinclongname-prd-controlplane3.k8s.isp.example",
    "foo-01337-foobarinclongname-prd-worker1.k8s.isp.example",
    "foo-01337-foobarinclongname-prd-worker12.k8s.isp.example",
];

const EKS: [&str; 6] = [
    "ip-10-0-1-17.eu-central-1.compute.internal",
    "ip-10-0-1-18.eu-central-1.compute.internal",
    "ip-10-0-1-118.eu-central-1.compute.internal",
    "ip-10-0-23-8.eu-central-1.compute.internal",
    "ip-10-1-23-8.eu-central-1.compute.internal",
    "bastion.example.com",
];

const PROMETHEUS: [&str; 5] = [
    "monitoring/prometheus-0",
    "team-payments/prometheus-0",
    "team-payments-staging/prometheus-0",
    "kube-prometheus-stack-eu-west/prometheus-0",
    "kube-prometheus-stack-eu-north/prometheus-0",
];

const REPLICAS: [&str; 4] = [
    "shop/checkout-service-with-a-long-name-7d9f8c6b5d-2x4zq",
    "shop/checkout-service-with-a-long-name-7d9f8c6b5d-9k2ml",
    "shop/checkout-service-with-a-long-name-5c4b3a2f1e-2x4zq",
    "shop/checkout-worker-with-a-long-name-7d9f8c6b5d-2x4zq",
];

#[test]
fn names_of_nodes_in_one_domain_stay_distinct() {
    let mut state = cluster(&CONTROL_PLANES, &PROMETHEUS);
    shows("domain", &mut state, &[View::Nodes, View::Overview]);
    rows_differ(&mut state, &[View::Nodes]);
    // What was gone into can be told from its neighbours too.
    act(&mut state, Action::Show(View::Nodes));
    act(&mut state, Action::Move(2));
    act(&mut state, Action::Enter);
    refresh(&mut state);
    let theme = Theme::new(Depth::Sixteen, Ground::Dark, false);
    let screen_text = text(&draw(&state, &theme, 120, 24));
    assert!(
        screen_text.contains("controlplane3… 0 of 5"),
        "{screen_text}"
    );
}

#[test]
fn names_of_nodes_with_addresses_stay_distinct() {
    let mut state = cluster(&EKS, &[]);
    shows("addresses", &mut state, &[View::Nodes]);
    rows_differ(&mut state, &[View::Nodes]);
    let mut state = cluster(&EKS[..5], &[]);
    shows("addresses-alone", &mut state, &[View::Nodes]);
    rows_differ(&mut state, &[View::Nodes]);
}

#[test]
fn pods_of_one_name_in_several_namespaces_stay_distinct() {
    let views = [View::Pods, View::Containers, View::Incidents];
    let mut state = cluster(&EKS[..2], &PROMETHEUS);
    shows("namespaces", &mut state, &views);
    shows("namespaces", &mut state, &[View::Overview]);
    rows_differ(&mut state, &views);
}

#[test]
fn names_of_pods_of_one_workload_stay_distinct() {
    let views = [View::Pods, View::Containers, View::Incidents];
    let mut state = cluster(&EKS[..2], &REPLICAS);
    shows("replicas", &mut state, &views);
    rows_differ(&mut state, &views);
}
