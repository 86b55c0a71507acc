//! Golden screens of each view: by state, size and ability of the terminal.

use kubevitals::model::row::{Bounds, ClusterRow, HpaRow, PodRow, Resize};
use kubevitals::model::{
    Action, Amounts, Batch, Change, Fault, FaultKind, Link, Message, Outcome, Part, Progress,
    Session, Settings, SourceKind, State, Subject, View, VolumeChange, act, apply, format, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::ResizeState;

use crate::picture::{draw, text, text_and_styles};
use crate::shop::{NOW, Shop};

/// The sizes of the golden screens.
pub(crate) const SIZES: [(u16, u16); 4] = [(40, 12), (80, 24), (120, 40), (200, 60)];

/// The index of the pod that is OOM-killed, and of the one that fails its liveness probe.
pub(crate) const OOM_KILLED: usize = 1;
const LIVENESS: usize = 2;

/// A small shop, one hour after the start of the dashboard.
pub(crate) fn shop(source: SourceKind) -> State {
    let session = Session {
        context: "production".to_owned(),
        cluster: "shop-eu-1".to_owned(),
        contexts: vec!["production".into(), "staging".into()],
        namespace: None,
    };
    let mut settings = Settings::default();
    settings.spans.sort_unstable();
    Shop {
        nodes: 3,
        pods_per_node: 14,
    }
    .state(State::new(session, settings), source)
}

/// Opens a view.
pub(crate) fn showing(view: View, source: SourceKind) -> State {
    opened(view, shop(source))
}

pub(crate) fn opened(view: View, mut state: State) -> State {
    // Selecting and opening depend on the size of the terminal.
    act(&mut state, Action::Resize(120, 40));
    match view {
        View::Pod => open_pod(&mut state, OOM_KILLED),
        view => drop(act(&mut state, Action::Show(view))),
    }
    refresh(&mut state);
    state
}

/// Opens the page of a pod with the actions that a user takes.
pub(crate) fn open_pod(state: &mut State, index: usize) {
    use kubevitals::model::Edit;
    act(state, Action::Show(View::Pods));
    act(state, Action::Filter);
    let name = format!("name={}", Shop::key(index).name);
    act(state, Action::Edit(Edit::Insert(name)));
    act(state, Action::Enter);
    refresh(state);
    act(state, Action::First);
    act(state, Action::Enter);
    let shop = Shop {
        nodes: 3,
        pods_per_node: 14,
    };
    for message in shop.detail(index) {
        apply(state, message);
    }
}

pub(crate) const VIEWS: [View; 11] = [
    View::Overview,
    View::Nodes,
    View::Pods,
    View::Containers,
    View::Workloads,
    View::Namespaces,
    View::Hpas,
    View::Incidents,
    View::Volumes,
    View::Probes,
    View::Pod,
];

pub(crate) fn colour() -> Theme {
    Theme::new(Depth::Sixteen, Ground::Dark, false)
}

fn name(view: View) -> String {
    view.title().to_lowercase()
}

#[test]
fn every_view_in_every_size() {
    for view in VIEWS {
        let state = showing(view, SourceKind::Vitals);
        for (columns, rows) in SIZES {
            let drawn = draw(&state, &colour(), columns, rows);
            let screen_text = if columns == 80 {
                text_and_styles(&drawn)
            } else {
                text(&drawn)
            };
            insta::assert_snapshot!(format!("{}-{columns}x{rows}", name(view)), screen_text);
        }
    }
}

#[test]
fn every_view_without_colour_and_without_unicode() {
    let plain = Theme::new(Depth::None, Ground::Dark, false);
    let ascii = Theme::new(Depth::None, Ground::Dark, true);
    for view in VIEWS {
        let state = showing(view, SourceKind::Vitals);
        insta::assert_snapshot!(
            format!("{}-no-colour", name(view)),
            text(&draw(&state, &plain, 80, 24))
        );
        let drawn = text(&draw(&state, &ascii, 80, 24));
        insta::assert_snapshot!(format!("{}-ascii", name(view)), drawn);
    }
}

#[test]
fn ascii_mode_draws_ascii_except_for_names_from_the_cluster() {
    let ascii = Theme::new(Depth::None, Ground::Dark, true);
    for view in VIEWS {
        let state = showing(view, SourceKind::Vitals);
        for (columns, rows) in SIZES {
            let drawn = text(&draw(&state, &ascii, columns, rows));
            let ours: String = drawn.chars().filter(|c| !"日本語".contains(*c)).collect();
            assert!(ours.is_ascii(), "{view:?} at {columns}×{rows}:\n{drawn}");
        }
    }
}

#[test]
fn no_text_overflows_at_any_size() {
    for view in VIEWS {
        let state = showing(view, SourceKind::Vitals);
        for columns in [1, 2, 7, 20, 39, 41, 79, 81, 133, 300] {
            for rows in [1, 2, 3, 5, 8, 11, 13, 23, 25, 90] {
                let drawn = draw(&state, &colour(), columns, rows);
                assert_eq!(text(&drawn).lines().count(), usize::from(rows));
            }
        }
    }
}

/// The states of every view, with the source of each.
type Condition = (&'static str, SourceKind, fn(&mut State));

const CONDITIONS: [Condition; 5] = [
    ("paused", SourceKind::Vitals, pause),
    ("past", SourceKind::Metrics, go_back),
    ("degraded", SourceKind::Metrics, degrade),
    ("lost", SourceKind::Vitals, lose),
    ("empty", SourceKind::Vitals, empty),
];

/// Pauses; time continues.
pub(crate) fn pause(state: &mut State) {
    act(state, Action::Pause);
    apply(state, Message::Tick(Timestamp::from_secs(NOW + 30)));
}

/// Goes back four minutes, in the dashboard's own history.
pub(crate) fn go_back(state: &mut State) {
    act(state, Action::Step(-16));
}

/// Denies one kind of object, and the usage.
fn degrade(state: &mut State) {
    let forbidden = "forbidden: User \"dev\" cannot list horizontalpodautoscalers.autoscaling";
    let down = "not available: the server is currently unable to handle the request";
    for (part, kind, text) in [
        (Part::Hpas, FaultKind::Forbidden, forbidden),
        (Part::Usage, FaultKind::Unavailable, down),
        (
            Part::Claims,
            FaultKind::Forbidden,
            "forbidden: User \"dev\" cannot list persistentvolumeclaims",
        ),
    ] {
        let why = Fault {
            kind,
            text: text.to_owned(),
        };
        let retry_at = Some(Timestamp::from_secs(NOW + 12));
        apply(
            state,
            Message::Part(part, Outcome::Failed { why, retry_at }),
        );
    }
}

/// Loses the connection to the cluster.
pub(crate) fn lose(state: &mut State) {
    apply(
        state,
        Message::Link(Link::Lost {
            since: Timestamp::from_secs(NOW - 40),
            why: "connection refused".to_owned(),
            again: Some(Timestamp::from_secs(NOW + 8)),
        }),
    );
}

/// Reports that every part is empty.
fn empty(state: &mut State) {
    for message in [
        Message::Pods(Batch::All(Vec::new())),
        Message::Nodes(Batch::All(Vec::new())),
        Message::rows(Batch::<HpaRow>::All(Vec::new())),
        Message::Incidents(Batch::All(Vec::new())),
        Message::Volumes(VolumeChange::Claims(Batch::All(Vec::new()))),
        Message::Volumes(VolumeChange::Usage(Vec::new())),
        Message::Cluster(ClusterRow::default()),
    ] {
        apply(state, message);
    }
    state.histories.clear();
    state.trends.retain(|_| false);
    refresh(state);
}

#[test]
fn every_view_in_every_condition() {
    let [vitals, metrics] = [SourceKind::Vitals, SourceKind::Metrics].map(shop);
    for view in VIEWS {
        for (condition, source, becomes) in CONDITIONS {
            let shop = if source == SourceKind::Vitals {
                &vitals
            } else {
                &metrics
            };
            let mut state = opened(view, shop.clone());
            becomes(&mut state);
            let drawn = draw(&state, &colour(), 80, 24);
            let screen_text = match (view, condition) {
                (View::Pods, "lost") => text_and_styles(&drawn),
                _ => text(&drawn),
            };
            let name = format!("{}-{condition}", name(view));
            insta::assert_snapshot!(name.clone(), screen_text);
            // Of these views a narrow or a high screen shows other parts.
            let has_parts = matches!(view, View::Overview | View::Volumes | View::Probes);
            for (columns, rows) in SIZES.into_iter().filter(|size| has_parts && size.0 != 80) {
                let drawn = text(&draw(&state, &colour(), columns, rows));
                insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), drawn);
            }
        }
    }
}

#[test]
fn a_view_without_data_names_what_it_waits_for() {
    let mut state = State::default();
    for view in [View::Overview, View::Pods] {
        act(&mut state, Action::Show(view));
        refresh(&mut state);
        insta::assert_snapshot!(
            format!("{}-connecting", name(view)),
            text(&draw(&state, &colour(), 80, 24))
        );
    }
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, "it is there".to_owned()),
    );
    apply(&mut state, Message::Link(Link::Up));
    let progress = Progress {
        done: 45_000,
        total: Some(150_000),
    };
    apply(
        &mut state,
        Message::Part(Part::Pods, Outcome::Loading(progress)),
    );
    insta::assert_snapshot!("pods-loading", text(&draw(&state, &colour(), 80, 24)));
}

#[test]
fn help_lists_and_a_wrong_filter_lie_over_the_view() {
    use kubevitals::model::Edit;
    let overlays: [(&str, Vec<Action>); 5] = [
        ("help", vec![Action::Help]),
        ("columns", vec![Action::Columns]),
        (
            "namespaces",
            vec![
                Action::Namespaces,
                Action::Edit(Edit::Insert("pay".to_owned())),
            ],
        ),
        ("contexts", vec![Action::Contexts]),
        (
            "wrong-filter",
            vec![
                Action::Filter,
                Action::Edit(Edit::Insert("web cpu>fast".to_owned())),
            ],
        ),
    ];
    for (what, actions) in overlays {
        let mut state = showing(View::Pods, SourceKind::Vitals);
        for action in actions {
            act(&mut state, action);
        }
        insta::assert_snapshot!(
            format!("over-{what}"),
            text(&draw(&state, &colour(), 80, 24))
        );
    }
}

#[test]
fn the_page_of_a_pod_shows_a_failing_liveness_probe() {
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    open_pod(&mut state, LIVENESS);
    let screen_text = text(&draw(&state, &colour(), 120, 50));
    for expected in [
        "failing",
        "HTTP probe failed with statuscode: 503",
        "liveness",
    ] {
        assert!(
            screen_text.contains(expected),
            "{expected} is missing:\n{screen_text}"
        );
    }
    insta::assert_snapshot!("pod-liveness-120x50", screen_text);
}

#[test]
fn a_resize_is_marked_in_its_row_and_explained_on_the_page_of_its_pod() {
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    open_pod(&mut state, LIVENESS);
    let key = Shop::key(LIVENESS);
    let mut row = PodRow::clone(state.world().pods.get(&key).unwrap());
    let desired = Bounds {
        requests: Amounts {
            cpu: Nanocores(4_000_000_000).into(),
            ..row.requests
        },
        limits: row.limits,
    };
    row.resize = Some(Box::new(Resize {
        state: ResizeState::Infeasible,
        message: "Node didn't have enough capacity: cpu".into(),
        desired,
        containers: Box::new([(row.containers[0].name.clone(), desired)]),
    }));
    apply(
        &mut state,
        Message::Pods(Batch::Some(vec![Change::Put(row)])),
    );
    refresh(&mut state);
    let page = text(&draw(&state, &colour(), 200, 50));
    for part in [
        " resize Infeasible, CPU request ",
        "Node didn't have enough capacity: cpu",
        "   resize Infeasible: CPU request ",
    ] {
        assert!(page.contains(part), "{part} is missing:\n{page}");
    }
    act(&mut state, Action::Back);
    refresh(&mut state);
    let table = text(&draw(&state, &colour(), 200, 50));
    assert!(table.contains("Running*"), "{table}");
}

#[test]
fn the_axis_reaches_up_to_the_maximum_in_the_legend() {
    const PEAK: u64 = 333 << 30;
    let mut state = shop(SourceKind::Vitals);
    act(&mut state, Action::Resize(120, 40));
    open_pod(&mut state, LIVENESS);
    let subject = Subject::Pod(Shop::key(LIVENESS));
    let mut history = state.histories[&subject].clone();
    // Steps are means of points; quantiles cover the points.
    history.total.memory.as_mut().unwrap().max = PEAK;
    apply(
        &mut state,
        Message::History(subject.clone(), history.clone()),
    );
    let legend = format!("max {}", format::bytes(Bytes(PEAK)));
    let axis = " 384Gi ";
    let page = text(&draw(&state, &colour(), 160, 50));
    assert!(page.contains(&legend) && page.contains(axis), "{page}");

    // A history of another span gives neither.
    history.span.since = history.span.since.plus_nanos(-7_200_000_000_000);
    apply(&mut state, Message::History(subject, history));
    let page = text(&draw(&state, &colour(), 160, 50));
    assert!(!page.contains(&legend) && !page.contains(axis), "{page}");
}
