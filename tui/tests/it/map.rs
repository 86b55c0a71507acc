//! The map: golden screens by size, ability of the terminal and state of the cluster; and what keys and clicks do.

use kubevitals::model::map::MapBy;
use kubevitals::model::row::{NodeRow, PodRow};
use kubevitals::model::{
    Action, Batch, Change, Edit, Extent, Fault, FaultKind, Interest, MapAction, Message, Outcome,
    Part, SourceKind, State, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};

use crate::picture::{draw, text, text_and_styles};
use crate::shop::Shop;
use crate::views::{SIZES, colour, opened, shop};

/// Compares the screen in every size, and without colours and Unicode.
fn shows(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let drawn = draw(state, &colour(), columns, rows);
        let screen_text = if columns == 80 {
            text_and_styles(&drawn)
        } else {
            text(&drawn)
        };
        insta::assert_snapshot!(format!("map-{name}-{columns}x{rows}"), screen_text);
    }
    for (look, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let screen_text = text(&draw(state, &theme, 80, 24));
        insta::assert_snapshot!(format!("map-{name}-{look}"), screen_text);
    }
}

/// Pods that the scheduler cannot place, in a cluster with a cordoned node.
fn troubled() -> State {
    let mut state = shop(SourceKind::Vitals);
    let pending = |name: &str, why: &str| {
        Change::Put(PodRow {
            namespace: "shop".into(),
            name: name.into(),
            status: "Pending".into(),
            phase: kubevitals::model::row::Phase::Pending,
            message: Some(why.into()),
            total_containers: 1,
            ..PodRow::default()
        })
    };
    let cpu = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.";
    let volume = "pod has unbound immediate PersistentVolumeClaims.";
    let changes = vec![
        pending("web-6f9d-aaaaa", cpu),
        pending("web-6f9d-bbbbb", cpu),
        pending("postgres-9", volume),
    ];
    apply(&mut state, Message::Pods(Batch::Some(changes)));
    let mut node = NodeRow::clone(&state.live.nodes.rows()[1]);
    node.status = "Ready,SchedulingDisabled".into();
    apply(
        &mut state,
        Message::Nodes(Batch::Some(vec![Change::Put(node)])),
    );
    opened(View::Map, state)
}

fn many(nodes: usize) -> State {
    let shop = Shop {
        nodes,
        pods_per_node: 30,
    };
    opened(View::Map, shop.state(State::default(), SourceKind::Vitals))
}

#[test]
fn the_map_of_a_small_cluster() {
    shows("nodes", &troubled());
}

#[test]
fn the_map_by_other_properties() {
    for by in ["namespace", "workload", "zone", "kubernetes.io/arch"] {
        let mut state = troubled();
        state.map.by = MapBy::parse(by);
        refresh(&mut state);
        let name = by.replace(['.', '/'], "-");
        for (columns, rows) in [(40, 12), (120, 40)] {
            let drawn = text(&draw(&state, &colour(), columns, rows));
            insta::assert_snapshot!(format!("map-by-{name}-{columns}x{rows}"), drawn);
        }
    }
}

#[test]
fn the_map_of_many_nodes() {
    shows("5000-nodes", &many(5_000));
    shows("300-nodes", &many(300));
}

#[test]
fn the_map_of_the_past() {
    let mut state = opened(View::Map, shop(SourceKind::Metrics));
    act(&mut state, Action::Step(-4));
    refresh(&mut state);
    shows("past", &state);
}

#[test]
fn the_map_without_permission_to_list_nodes() {
    let mut state = shop(SourceKind::Metrics);
    apply(&mut state, Message::Nodes(Batch::All(Vec::new())));
    let failed = Outcome::Failed {
        why: Fault {
            kind: FaultKind::Forbidden,
            text: "forbidden: User \"jane\" cannot list nodes".to_owned(),
        },
        retry_at: None,
    };
    apply(&mut state, Message::Part(Part::Nodes, failed));
    shows("degraded", &opened(View::Map, state));
}

#[test]
fn the_map_before_there_is_anything() {
    shows("empty", &opened(View::Map, State::default()));
}

#[test]
fn the_map_of_some_of_the_pods() {
    let mut state = troubled();
    state.live.extent = Some(Extent {
        total: 150_000,
        interest: Interest::default(),
        truncation: None,
    });
    refresh(&mut state);
    shows("some-pods", &state);
}

#[test]
fn a_filter_and_a_size() {
    let mut state = troubled();
    act(&mut state, Action::Map(MapAction::Zoom(-1)));
    for _ in 0..3 {
        act(&mut state, Action::Map(MapAction::NextSize));
    }
    act(&mut state, Action::Filter);
    act(&mut state, Action::Edit(Edit::Insert("ns=shop".to_owned())));
    act(&mut state, Action::Enter);
    act(&mut state, Action::Move(3));
    shows("filter", &state);
}

/// Names of 253 characters and pods with 200 containers.
#[test]
fn long_names_and_many_containers_stay_in_their_cells() {
    let mut state = troubled();
    let mut pod = PodRow::clone(&state.live.pods.rows()[0]);
    pod.name = "x".repeat(253).into();
    pod.node = "y".repeat(253).into();
    pod.containers = vec![pod.containers[0].clone(); 200].into();
    pod.message = Some("line\n\u{1b}[31mred\u{7}".into());
    apply(
        &mut state,
        Message::Pods(Batch::Some(vec![Change::Put(pod)])),
    );
    refresh(&mut state);
    for (columns, rows) in SIZES {
        for zoom in 0..4 {
            act(
                &mut state,
                Action::Map(MapAction::Zoom(if zoom == 0 { -9 } else { 1 })),
            );
            let drawn = text(&draw(&state, &colour(), columns, rows));
            assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{7}'));
        }
    }
}
