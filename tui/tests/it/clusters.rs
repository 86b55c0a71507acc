//! Several clusters: golden screens, and the rules of their views.

use kubevitals::model::{
    Action, Effect, Entrance, Key, Link, Members, Message, Name, Session, Settings, SourceKind,
    State, Time, View, act, apply, refresh,
};
use kubevitals::view::theme::{Depth, Ground, Theme};
use kubevitals_proto::time::Timestamp;

use crate::picture::{draw, text, text_and_styles};
use crate::shop::NOW;
use crate::views::{SIZES, colour, lose, shop};

/// Four clusters: one with incidents, one that is well, one whose connection is lost, one with a broken kubeconfig.
fn four(view: View) -> State {
    let mut state = shop(SourceKind::Vitals);
    let mut calm = shop(SourceKind::Metrics);
    let mut lost = shop(SourceKind::Vitals);
    lose(&mut lost);
    let mut broken = State::new(Session::default(), Settings::default());
    let link = Link::Lost {
        since: Timestamp::from_secs(NOW - 4),
        why: "the context \"edge\" names the cluster \"nope\", which does not exist".to_owned(),
        again: None,
    };
    apply(&mut broken, Message::Link(link));
    broken.now = state.now;
    let mut all = Members::default();
    let now = state.now;
    for (context, state) in [
        ("production", &mut state),
        ("staging", &mut calm),
        ("batch", &mut lost),
        ("edge", &mut broken),
    ] {
        all.add(&Name::from(context), state, now);
    }
    apply(&mut state, Message::Clusters(all));
    act(&mut state, Action::Show(view));
    refresh(&mut state);
    state
}

const VIEWS: [(View, &str); 2] = [
    (View::Clusters, "clusters"),
    (View::AllIncidents, "all-incidents"),
];

#[test]
fn several_clusters_in_every_size_and_with_every_terminal() {
    let plain = Theme::new(Depth::None, Ground::Dark, false);
    let ascii = Theme::new(Depth::None, Ground::Dark, true);
    for (view, name) in VIEWS {
        let state = four(view);
        for (columns, rows) in SIZES {
            let drawn = draw(&state, &colour(), columns, rows);
            let screen = if columns == 80 {
                text_and_styles(&drawn)
            } else {
                text(&drawn)
            };
            insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), screen);
        }
        for (theme, kind) in [(&plain, "no-colour"), (&ascii, "ascii")] {
            let drawn = text(&draw(&state, theme, 80, 24));
            insta::assert_snapshot!(format!("{name}-{kind}"), drawn);
            assert!(kind != "ascii" || drawn.replace("日本語", "").is_ascii());
        }
        for columns in [1, 2, 7, 20, 41, 133, 300] {
            for rows in [1, 2, 3, 5, 8, 11, 25, 90] {
                let drawn = draw(&state, &colour(), columns, rows);
                assert_eq!(text(&drawn).lines().count(), usize::from(rows));
            }
        }
    }
}

#[test]
fn the_worst_cluster_is_first_and_enter_goes_into_it() {
    let mut state = four(View::Clusters);
    let order: Vec<&str> = {
        let rows = state.live.members.rows();
        let order = state.screen().list.order.iter();
        order.map(|at| &*rows[*at as usize].context).collect()
    };
    assert_eq!(order, ["batch", "edge", "production", "staging"]);
    act(&mut state, Action::Move(2));
    let entered = |incident| {
        Effect::EnterCluster(Entrance {
            context: "production".into(),
            incident,
        })
    };
    assert_eq!(act(&mut state, Action::Enter), [entered(None)]);
    // The loop exchanges the states, and closes the view in the one that is left.
    act(&mut state, Action::EnterCluster(None));
    assert_eq!(state.screen().view, View::Overview);
    // From the first view, back leads to all clusters.
    let effects = act(&mut state, Action::Back);
    assert!(effects.contains(&Effect::ReadClusters));
    assert_eq!(state.screen().view, View::Clusters);
    act(&mut state, Action::NextView(1));
    assert_eq!(state.screen().view, View::AllIncidents);
    act(&mut state, Action::First);
    refresh(&mut state);
    let key = state.current().unwrap();
    let incident = Key::new(&key.namespace, &key.name);
    assert_eq!(&*key.part, "batch");
    let effects = act(&mut state, Action::Enter);
    let Some(Effect::EnterCluster(to)) = effects.first() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (&*to.context, to.incident.as_ref()),
        ("batch", Some(&incident))
    );
    // In the other cluster the incident opens as in view 8.
    act(&mut state, Action::EnterCluster(Some(incident)));
    assert!(matches!(state.screen().view, View::Pod | View::Pods));
    act(&mut state, Action::Back);
    assert_eq!(state.screen().view, View::Incidents);
}

#[test]
fn several_clusters_are_shown_as_they_are_now() {
    let mut state = four(View::Clusters);
    act(&mut state, Action::EnterCluster(None));
    act(&mut state, Action::Pause);
    assert_ne!(state.time, Time::Live);
    act(&mut state, Action::Show(View::Clusters));
    assert_eq!(state.time, Time::Live);
    for action in [Action::Step(-1), Action::Pause, Action::Oldest] {
        act(&mut state, action);
        assert_eq!(state.time, Time::Live);
    }
    assert!(state.notice.is_some());
}

#[test]
fn with_one_cluster_there_is_no_view_of_several() {
    let mut state = shop(SourceKind::Vitals);
    // What the overview requests has been requested before.
    refresh(&mut state);
    let now = state.now;
    apply(&mut state, Message::Tick(now));
    let effects = act(&mut state, Action::Show(View::Clusters));
    assert!(effects.is_empty());
    assert_eq!(state.screen().view, View::Overview);
    let notice = state.notice.unwrap().text;
    assert!(notice.contains("--contexts"), "{notice}");
}

#[test]
fn times_are_converted_between_the_clocks_of_clusters() {
    let mut state = shop(SourceKind::Vitals);
    let ahead = 3_600;
    let now = state.now.plus_nanos(ahead * 1_000_000_000);
    let mut all = Members::default();
    all.add(&Name::from("production"), &mut state, now);
    let incident = &all.incidents[0];
    assert_eq!(
        incident.last().since(incident.row.last()),
        ahead * 1_000_000_000
    );
}
