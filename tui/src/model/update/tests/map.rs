//! The map: groups, cursor, and what keys and clicks open.

use kubevitals_proto::time::Timestamp;

use super::super::{act, apply, refresh};
use crate::model::map::{GroupKind, MapObject, Mark, Zoom};
use crate::model::row::{NodeRow, Phase, PodRow, Workload};
use crate::model::{
    Action, Batch, Change, Edit, Key, MapAction, Message, Scope, SourceKind, State, View,
};

fn pod(name: &str, node: &str) -> PodRow {
    let app = name.split('-').next().unwrap_or_default();
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        node: node.into(),
        status: "Running".into(),
        phase: Phase::Running,
        ready: true,
        labels: [("app", app)].into_iter().collect(),
        workload: Some(Workload::new("Deployment", app)),
        ..PodRow::default()
    }
}

fn unscheduled(name: &str) -> PodRow {
    PodRow {
        status: "Pending".into(),
        phase: Phase::Pending,
        ready: false,
        message: Some("0/2 nodes are available".into()),
        ..pod(name, "")
    }
}

fn node(name: &str, zone: &str) -> NodeRow {
    NodeRow {
        name: name.into(),
        status: "Ready".into(),
        ready: true,
        labels: [("topology.kubernetes.io/zone", zone)]
            .into_iter()
            .collect(),
        ..NodeRow::default()
    }
}

/// Two nodes in two zones; one pod that cannot be scheduled.
fn state() -> State {
    let mut state = State {
        now: Timestamp::from_secs(1_783_521_000),
        ..State::default()
    };
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, String::new()),
    );
    let nodes = vec![node("node-1", "eu-1"), node("node-2", "eu-2")];
    apply(&mut state, Message::Nodes(Batch::All(nodes)));
    let pods = vec![
        pod("api-1", "node-1"),
        pod("api-2", "node-2"),
        pod("web-1", "node-1"),
        pod("web-2", "node-1"),
        unscheduled("web-3"),
    ];
    apply(&mut state, Message::Pods(Batch::All(pods)));
    act(&mut state, Action::Resize(80, 24));
    act(&mut state, Action::Show(View::Map));
    state
}

/// The titles of the groups with the names of their pods.
fn groups(state: &State) -> Vec<(GroupKind, String, Vec<String>)> {
    let groups = state.map.groups.as_deref().unwrap();
    let pods = &state.world().pods;
    let names = |group| {
        let cells = groups.cells_of(group).iter();
        cells
            .map(|pod| pods.row(pod.row).unwrap().name.to_string())
            .collect()
    };
    let groups = groups.groups.iter();
    groups
        .map(|group| (group.kind, group.key.name.to_string(), names(group)))
        .collect()
}

fn key(name: &str) -> Key {
    Key::new(&"shop".into(), &name.into())
}

/// Selects a pod by the cursor keys.
fn select(state: &mut State, name: &str) {
    let object = MapObject::Pod(key(name));
    let spot = state.map.find(&object, &state.world().pods).unwrap();
    let (width, height) = state.map_area();
    let layout = state.map.layout(width, height).unwrap();
    let (x, line) = layout.position(spot).unwrap();
    let y = u16::try_from(line - state.map.top).unwrap();
    act(state, Action::Map(MapAction::Select(x, y)));
    assert_eq!(state.current(), Some(key(name)));
}

#[test]
fn pods_are_grouped_by_what_the_user_chooses() {
    use GroupKind::{Alike, Unscheduled};
    let group = |kind, name: &str, pods: &[&str]| {
        let pods = pods.iter().map(|pod| (*pod).to_owned()).collect();
        (kind, name.to_owned(), pods)
    };
    let pending = group(Unscheduled, "", &["web-3"]);
    let by_node = [
        pending.clone(),
        group(Alike, "node-1", &["api-1", "web-1", "web-2"]),
        group(Alike, "node-2", &["api-2"]),
    ];
    let by_zone = [
        pending.clone(),
        group(Alike, "eu-1", &["api-1", "web-1", "web-2"]),
        group(Alike, "eu-2", &["api-2"]),
    ];
    let by_workload = [
        pending.clone(),
        group(Alike, "api", &["api-1", "api-2"]),
        group(Alike, "web", &["web-1", "web-2"]),
    ];
    let by_namespace = [
        pending,
        group(Alike, "shop", &["api-1", "api-2", "web-1", "web-2"]),
    ];
    let mut state = state();
    assert_eq!(groups(&state), by_node);
    for expected in [&by_namespace[..], &by_workload, &by_zone] {
        act(&mut state, Action::Map(MapAction::NextBy));
        assert_eq!(groups(&state), expected);
    }
    // After the last one, a label is chosen: one of the list, or any that is typed.
    for (label, expected) in [
        ("app", &by_workload[..]),
        ("topology.kubernetes.io/zone", &by_zone),
        ("node", &by_node),
    ] {
        act(&mut state, Action::Map(MapAction::NextBy));
        while state.overlay.is_none() {
            act(&mut state, Action::Map(MapAction::NextBy));
        }
        act(&mut state, Action::Edit(Edit::Insert(label.to_owned())));
        act(&mut state, Action::Enter);
        assert_eq!(groups(&state), expected, "{label}");
    }
    for _ in 0..4 {
        act(&mut state, Action::Map(MapAction::NextBy));
    }
    act(
        &mut state,
        Action::Edit(Edit::Insert("example.com/team".to_owned())),
    );
    act(&mut state, Action::Enter);
    assert_eq!(state.map.by.text(), "label example.com/team");
    let rest = group(GroupKind::Rest, "", &["api-1", "api-2", "web-1", "web-2"]);
    assert_eq!(groups(&state)[1], rest);
}

#[test]
fn the_selection_stays_on_its_pod_while_others_come_and_go() {
    let mut state = state();
    select(&mut state, "web-1");
    let change = |state: &mut State, change| {
        apply(state, Message::Pods(Batch::Some(vec![change])));
        refresh(state);
    };
    change(&mut state, Change::Put(pod("aaa-1", "node-1")));
    assert_eq!(state.current(), Some(key("web-1")));
    change(&mut state, Change::Put(pod("web-1", "node-2")));
    assert_eq!(state.current(), Some(key("web-1")));
    // Its place is taken by another pod of its box, until it returns.
    change(&mut state, Change::Gone(key("web-1")));
    assert_eq!(state.current(), Some(key("api-2")));
    change(&mut state, Change::Put(pod("web-1", "node-1")));
    assert_eq!(state.current(), Some(key("web-1")));
    // The empty map has no cursor.
    apply(&mut state, Message::Nodes(Batch::All(Vec::new())));
    apply(&mut state, Message::Pods(Batch::All(Vec::new())));
    refresh(&mut state);
    assert_eq!((state.current(), state.map.cursor), (None, None));
    apply(
        &mut state,
        Message::Pods(Batch::All(vec![pod("web-1", "x")])),
    );
    refresh(&mut state);
    assert_eq!(state.current(), Some(key("web-1")));
}

#[test]
fn enter_opens_pods_and_groups_and_esc_returns_to_the_same_cell() {
    let mut state = state();
    select(&mut state, "web-2");
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().pod(), Some(&key("web-2")));
    assert!(state.map.groups.is_none(), "the groups are of no use here");
    act(&mut state, Action::Back);
    assert_eq!(state.screen().view, View::Map);
    assert_eq!(state.current(), Some(key("web-2")));
    // The heading of the box of unscheduled pods, and that of the first node.
    act(&mut state, Action::First);
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().list.line.text(), "node=\"\" phase=Pending");
    assert_eq!(state.screen().list.order.len(), 1);
    act(&mut state, Action::Back);
    act(&mut state, Action::Back);
    act(&mut state, Action::First);
    act(&mut state, Action::Move(1));
    assert_eq!(state.current(), Some(key("web-3")));
    act(&mut state, Action::Move(1));
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().scope, Scope::Node("node-1".into()));
}

#[test]
fn a_zone_and_a_label_open_what_is_in_them() {
    for (label, view, count) in [
        ("zone", View::Nodes, 1),
        ("topology.kubernetes.io/zone", View::Nodes, 1),
        ("app", View::Pods, 2),
        ("none", View::Pods, 5),
    ] {
        let mut state = state();
        state.map.by = crate::model::map::MapBy::parse(label);
        refresh(&mut state);
        act(&mut state, Action::Move(2));
        act(&mut state, Action::Enter);
        let list = &state.screen().list;
        assert_eq!(list.wrong, None, "{label}");
        assert_eq!(
            (state.screen().view, list.order.len()),
            (view, count),
            "{label}"
        );
    }
}

#[test]
fn in_a_summary_enter_shows_more_of_the_same_group() {
    let mut state = state();
    select(&mut state, "api-2");
    for _ in 0..4 {
        act(&mut state, Action::Map(MapAction::Zoom(-1)));
    }
    assert_eq!(state.map.zoom, Some(Zoom::Summary));
    act(&mut state, Action::Enter);
    assert_eq!(
        (state.map.zoom, state.screen().view),
        (Some(Zoom::Small), View::Map)
    );
    assert_eq!(state.current(), Some(key("api-2")));
}

#[test]
fn a_filter_dims_the_other_pods() {
    let mut state = state();
    act(&mut state, Action::Filter);
    act(&mut state, Action::Edit(Edit::Insert("web".to_owned())));
    act(&mut state, Action::Enter);
    let matching = [false, false, true, true, true];
    assert_eq!(state.map.matching.as_deref(), Some(&matching[..]));
    assert_eq!(state.map.groups.as_ref().unwrap().cells.len(), 5);
    act(&mut state, Action::ClearFilter);
    assert_eq!(state.map.matching, None);
}

#[test]
fn unscheduled_pods_are_counted_by_their_reason() {
    let mut state = state();
    let more = vec![Change::Put(unscheduled("api-9"))];
    apply(&mut state, Message::Pods(Batch::Some(more)));
    refresh(&mut state);
    let groups = state.map.groups.as_deref().unwrap();
    assert_eq!(groups.reasons, [("0/2 nodes are available".into(), 2)]);
    let counts: Vec<_> = groups.pods.iter().collect();
    assert_eq!(counts, [(Mark::Pending, 2), (Mark::Well, 4)]);
}

#[test]
fn nothing_is_grouped_again_without_a_change() {
    let mut state = state();
    let before = state.map.groups.clone().unwrap();
    act(&mut state, Action::Move(1));
    act(&mut state, Action::Resize(120, 40));
    let later = state.now.plus_nanos(1_000_000_000);
    apply(&mut state, Message::Tick(later));
    refresh(&mut state);
    assert!(std::sync::Arc::ptr_eq(
        &before,
        state.map.groups.as_ref().unwrap()
    ));
}
