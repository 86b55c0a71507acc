//! What charts show beside their series: what `O` lays over, the values where the mouse points, the pods of a node, marks
//! of rollouts and replicas, and sparklines of sums.

use kubevitals::input::{KeyMap, Target};
use kubevitals::model::row::{NodeRow, PodRow, Replicas};
use kubevitals::model::{
    Action, Batch, Change, Key, LaidOver, Message, SourceKind, State, Table, Trends, View, act,
    apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::labels::Labels;
use kubevitals_proto::time::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::picture::{draw, text};
use crate::views::{OOM_KILLED, SIZES, colour, open_pod, shop};

/// A theme, and what its snapshots are called.
fn themes() -> [(&'static str, Theme); 3] {
    [
        ("", colour()),
        ("-no-colour", Theme::new(Depth::None, Ground::Dark, false)),
        ("-ascii", Theme::new(Depth::None, Ground::Dark, true)),
    ]
}

/// Draws a state at every size, and at one size in every theme.
fn snapshots(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let drawn = text(&draw(state, &colour(), columns, rows));
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), drawn);
    }
    for (theme_name, theme) in themes().into_iter().skip(1) {
        let drawn = text(&draw(state, &theme, 120, 40));
        insta::assert_snapshot!(format!("{name}{theme_name}"), drawn);
    }
}

/// The page of a pod in a terminal of 120 columns.
fn page(source: SourceKind) -> State {
    let mut state = shop(source);
    act(&mut state, Action::Resize(120, 40));
    open_pod(&mut state, OOM_KILLED);
    refresh(&mut state);
    state
}

/// The pods of the first node.
fn node(source: SourceKind) -> State {
    let mut state = shop(source);
    act(&mut state, Action::Resize(120, 60));
    act(&mut state, Action::Show(View::Nodes));
    act(&mut state, Action::First);
    act(&mut state, Action::Enter);
    refresh(&mut state);
    state
}

#[test]
fn o_lays_over_what_the_page_of_a_pod_can_show() {
    let mut state = page(SourceKind::Vitals);
    for (laid_over, name) in [
        (LaidOver::Shares, "shares"),
        (LaidOver::Earlier, "earlier"),
        (LaidOver::Containers, "containers"),
    ] {
        act(&mut state, Action::LayOver);
        assert_eq!(state.laid_over, laid_over);
        snapshots(&format!("laid-over-{name}"), &state);
    }
    act(&mut state, Action::LayOver);
    assert_eq!(state.laid_over, LaidOver::Nothing);
}

#[test]
fn the_charts_of_a_node_show_its_pods_on_top_of_each_other() {
    for (source, name) in [
        (SourceKind::Vitals, "vitals"),
        (SourceKind::Metrics, "metrics"),
    ] {
        let mut state = node(source);
        let screen = text(&draw(&state, &colour(), 160, 60));
        assert!(screen.contains(" others "), "{name}\n{screen}");
        if source == SourceKind::Vitals {
            snapshots("node-pods", &state);
        }
        // A node has no containers.
        let laid_over = [LaidOver::Shares, LaidOver::Earlier, LaidOver::Nothing];
        for expected in laid_over {
            act(&mut state, Action::LayOver);
            assert_eq!(state.laid_over, expected);
            draw(&state, &colour(), 160, 60);
        }
    }
}

#[test]
fn a_node_without_data_and_one_that_is_gone_have_charts() {
    let mut state = node(SourceKind::Metrics);
    state.trends = Trends::default();
    let screen = text(&draw(&state, &colour(), 160, 60));
    assert!(screen.contains("no data"), "{screen}");
    let Some(node) = state.live.nodes.row(0).map(|node| NodeRow::clone(node)) else {
        panic!("there are nodes");
    };
    let gone = vec![Change::Gone(Key::named(&node.name))];
    apply(&mut state, Message::Nodes(Batch::Some(gone)));
    refresh(&mut state);
    for (columns, rows) in SIZES {
        draw(&state, &colour(), columns, rows);
    }
}

/// Draws a state, and moves the mouse over the first chart on the screen.
fn point(state: &mut State) -> Timestamp {
    let area = Rect::new(0, 0, 120, 40);
    let mut buffer = Buffer::empty(area);
    let drawn = kubevitals::view::draw(state, &Theme::default(), &KeyMap::default(), &mut buffer);
    let charts = (0..40).flat_map(|y| (0..120).map(move |x| (x, y)));
    let mut charts = charts.filter_map(|(x, y)| drawn.hits.at(x, y));
    let span = charts.find_map(|(_, target)| match target {
        Target::Time(span) => Some(span),
        _ => None,
    });
    let span = span.unwrap();
    let middle = span.since.plus_nanos(span.until.since(span.since) / 2);
    act(state, Action::Point(Some(middle)));
    middle
}

#[test]
fn the_mouse_shows_the_values_of_its_time_in_every_chart() {
    for source in [SourceKind::Vitals, SourceKind::Metrics] {
        let mut state = page(source);
        for _ in 0..4 {
            let before = text(&draw(&state, &colour(), 120, 40));
            let middle = point(&mut state);
            let after = text(&draw(&state, &colour(), 120, 40));
            let clock = state.clock(middle);
            assert!(after.contains(&clock) && before != after, "{before}{after}");
            // Any key returns to the displayed time, and so does the end of the chart in time.
            act(&mut state, Action::LayOver);
            assert_eq!(state.pointed, None);
        }
        act(&mut state, Action::Point(Some(Timestamp::from_secs(1))));
        let outside = text(&draw(&state, &colour(), 120, 40));
        assert!(!outside.contains(&state.clock(Timestamp::from_secs(1))));
    }
    let mut state = page(SourceKind::Vitals);
    point(&mut state);
    insta::assert_snapshot!("pointed-120x40", text(&draw(&state, &colour(), 120, 40)));
}

#[test]
fn rollouts_and_replicas_of_the_workload_are_marked() {
    let mut state = page(SourceKind::Vitals);
    let key = state.screen().pod().unwrap().clone();
    let pod = PodRow::clone(state.live.pods.get(&key).unwrap());
    let workload = pod.workload.clone().unwrap();
    let of = Key::new(&key.namespace, &workload.name).part(&workload.kind);
    let legend = |state: &mut State| {
        refresh(state);
        let screen = text(&draw(state, &colour(), 160, 40));
        ["◆ rollout", "± replicas"].map(|text| screen.contains(text))
    };
    // Its HPA has scaled it.
    assert_eq!(legend(&mut state), [false, true]);
    state.live.hpas = Table::default();
    assert_eq!(legend(&mut state), [false, false]);
    for desired in [3, 3, 5] {
        let replicas = Replicas { desired, ready: 3 };
        let message = Message::Replicas(vec![(of.clone(), Some(replicas))]);
        apply(&mut state, message);
    }
    assert_eq!(legend(&mut state), [false, true]);
    let now = u32::try_from(state.now.as_secs()).unwrap();
    let newer = PodRow {
        name: "newer".into(),
        created_seconds: now - 200,
        labels: Labels::from_iter([("pod-template-hash", "abc")]),
        ..pod
    };
    let message = Message::Pods(Batch::Some(vec![Change::Put(newer)]));
    apply(&mut state, message);
    assert_eq!(legend(&mut state), [true, true]);
}

#[test]
fn tables_of_containers_workloads_and_namespaces_have_sparklines_now_and_in_the_past() {
    for view in [View::Containers, View::Workloads, View::Namespaces] {
        let mut state = shop(SourceKind::Vitals);
        act(&mut state, Action::Resize(200, 60));
        act(&mut state, Action::Show(view));
        refresh(&mut state);
        let has_sparklines = |state: &State| {
            let screen = text(&draw(state, &colour(), 200, 60));
            let first = screen.lines().find(|row| row.starts_with('▌'));
            let first = first.unwrap_or_default().to_owned();
            let bars = first.chars().filter(|c| ('▁'..='█').contains(c));
            (bars.count() > 10, screen)
        };
        let (has, screen) = has_sparklines(&state);
        assert!(has, "{view:?}\n{screen}");
        act(&mut state, Action::Pause);
        refresh(&mut state);
        let (has, screen) = has_sparklines(&state);
        assert!(has, "{view:?}, paused\n{screen}");
        // Sums of what is not on the screen take no memory.
        act(&mut state, Action::Show(View::Pods));
        refresh(&mut state);
        let key = Key::named(&"shop".into());
        assert_eq!(state.group_trends.steps(&key, 1), None);
    }
}
