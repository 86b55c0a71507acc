//! Rules of the dashboard, as sequences of actions and messages.

use kubevitals_proto::time::Timestamp;
use kubevitals_proto::units::{Bytes, Nanocores};
use kubevitals_proto::vitals::{Absence, Ended, History, Incident, IncidentKind, Involved};

use super::super::{act, apply, refresh};
use super::random::{Chance, pod};
use crate::input::KeyMap;
use crate::model::row::{IncidentRow, PodRow};
use crate::model::{
    Action, Amounts, Batch, Change, Edit, Effect, Key, Message, Name, Outcome, Overlay, Part, Past,
    Row, SourceKind, SourceRequest, State, Subject, Time, View,
};
use crate::view::draw;
use crate::view::theme::Theme;

const SECOND: i64 = 1_000_000_000;

/// A state with some pods from a kind of source.
pub(super) fn with_pods(kind: SourceKind) -> State {
    let mut chance = Chance(7);
    let mut state = State {
        now: Timestamp::from_secs(1_783_521_000),
        ..State::default()
    };
    apply(&mut state, Message::Source(kind, String::new()));
    let pods = (0..30).map(|_| pod(&mut chance, state.now)).collect();
    let now = state.now;
    apply(&mut state, Message::Pods(Batch::All(pods)));
    apply(&mut state, Message::Tick(now));
    act(&mut state, Action::Show(View::Pods));
    state
}

#[test]
fn going_back_restores_the_selection() {
    let mut state = with_pods(SourceKind::Metrics);
    act(&mut state, Action::Move(3));
    let before = (state.current(), state.screen().list.top);
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().pod(), before.0.as_ref());
    act(&mut state, Action::Back);
    assert_eq!((state.current(), state.screen().list.top), before);
}

#[test]
fn one_past_time_is_requested_at_a_time() {
    let mut state = with_pods(SourceKind::Vitals);
    state.live.cluster.oldest = Some(state.now.plus_nanos(-3_600_000_000_000));
    let is_past = |effect: &&Effect| matches!(effect, Effect::Request(SourceRequest::Past(..)));
    let requests_of = |effects: &[Effect]| effects.iter().filter(is_past).count();
    assert_eq!(requests_of(&act(&mut state, Action::Step(-1))), 1);
    let more = requests_of(&act(&mut state, Action::Step(-1)));
    assert_eq!(more, 0, "a request is in flight");
    let [first, second] = [15, 30].map(|ago| state.now.plus_nanos(-ago * SECOND));
    let past = |at| {
        Message::Past(Box::new(Past {
            at,
            ..Past::default()
        }))
    };
    let more = requests_of(&apply(&mut state, past(first)));
    assert_eq!(more, 1, "the time of the second step is requested");
    let arrived = |here| Time::Past { at: second, here };
    assert_eq!(state.time, arrived(false));
    apply(&mut state, past(second));
    assert_eq!(state.time, arrived(true));
    act(&mut state, Action::Live);
    assert!(state.time == Time::Live && state.frozen.is_none());
}

#[test]
fn only_an_engine_takes_time_and_spans_beyond_the_memory() {
    for has_engine in [false, true] {
        let mut state = with_pods(SourceKind::Vitals);
        let oldest = state.now.plus_nanos(-3_600 * SECOND);
        state.live.cluster.oldest = Some(oldest);
        state.live.cluster.has_engine = has_engine;
        act(&mut state, Action::Hours(-24));
        let day = state.now.plus_nanos(-86_400 * SECOND);
        let expected = if has_engine { day } else { oldest };
        assert!(matches!(state.time, Time::Past { at, .. } if at == expected));
        act(&mut state, Action::Hours(48));
        assert_eq!(state.time, Time::Live, "the future is now");
        for _ in 0..10 {
            act(&mut state, Action::Span(1));
        }
        let longest = if has_engine { 604_800 } else { 3_600 };
        assert_eq!(state.span_seconds(), longest);
    }
}

#[test]
fn an_engine_that_is_away_is_a_notice_once() {
    let mut state = with_pods(SourceKind::Vitals);
    state.live.cluster.oldest = Some(state.now.plus_nanos(-3_600 * SECOND));
    state.live.cluster.has_engine = true;
    act(&mut state, Action::Hours(-2));
    let at = state.now.plus_nanos(-7_200 * SECOND);
    apply(&mut state, Message::NoPast(at, "it is away".to_owned()));
    assert_eq!(state.time, Time::Live);
    let notice = state.notice.take().unwrap();
    assert_eq!(
        notice.text,
        "only the time in memory can be shown: it is away"
    );
    for expected in [true, false] {
        let history = History {
            absent: Some(Absence {
                reason: "Timeout".to_owned(),
                message: "it is away".to_owned(),
            }),
            ..History::default()
        };
        apply(
            &mut state,
            Message::History(Subject::Cluster, Box::new(history)),
        );
        assert_eq!(state.notice.take().is_some(), expected);
    }
}

#[test]
fn a_pause_freezes_the_list() {
    let mut state = with_pods(SourceKind::Metrics);
    let visible = state.screen().list.order.len();
    act(&mut state, Action::Pause);
    apply(&mut state, Message::Pods(Batch::All(Vec::new())));
    refresh(&mut state);
    assert_eq!(state.screen().list.order.len(), visible);
    act(&mut state, Action::Pause);
    refresh(&mut state);
    assert_eq!(state.screen().list.order.len(), 0);
}

/// A state with one incident, which began ten minutes ago and was last seen two minutes ago.
fn with_an_incident(reason: IncidentKind, over: bool) -> State {
    let mut state = with_pods(SourceKind::Vitals);
    state.live.cluster.oldest = Some(state.now.plus_nanos(-3_600 * SECOND));
    let pod = state.live.pods.rows()[0].key();
    let seen = state.now.plus_nanos(-120 * SECOND);
    let incident = Incident {
        reason,
        began: state.now.plus_nanos(-600 * SECOND),
        last_seen: seen,
        ended: over.then_some(seen),
        // Later updates are no restarts.
        last_ended: (reason == IncidentKind::Restart).then(|| Ended {
            finished: Some(seen.plus_nanos(-30 * SECOND)),
            ..Ended::default()
        }),
        involved: Involved {
            kind: "Pod".to_owned(),
            namespace: pod.namespace.to_string(),
            name: pod.name.to_string(),
            ..Involved::default()
        },
        ..Incident::default()
    };
    let all = Batch::All(vec![IncidentRow::new(incident)]);
    apply(&mut state, Message::Incidents(all));
    act(&mut state, Action::Show(View::Incidents));
    state
}

#[test]
fn an_incident_leads_to_its_pod_at_its_time_and_back_to_now() {
    for (reason, over, then) in [
        (IncidentKind::Restart, false, true),
        (IncidentKind::Restart, true, true),
        (IncidentKind::Eviction, true, true),
        (IncidentKind::ProbeFailing, true, true),
        // A failure that continues is shown at the current time: probes have no history.
        (IncidentKind::ProbeFailing, false, false),
        (IncidentKind::ImagePull, false, false),
    ] {
        let mut state = with_an_incident(reason, over);
        let ago = if reason == IncidentKind::Restart {
            150
        } else {
            120
        };
        let at = state.now.plus_nanos(-ago * SECOND);
        act(&mut state, Action::Enter);
        assert_eq!(state.screen().view, View::Pod, "{reason:?}");
        let expected = if then {
            Time::Past { at, here: false }
        } else {
            Time::Live
        };
        assert_eq!(state.time, expected, "{reason:?}, over: {over}");
        act(&mut state, Action::Back);
        let visible = (state.screen().view, state.time);
        assert_eq!(visible, (View::Incidents, Time::Live), "{reason:?}");
    }
}

#[test]
fn an_incident_older_than_the_history_opens_its_oldest_time_with_a_notice() {
    let mut state = with_an_incident(IncidentKind::Restart, false);
    let oldest = state.now.plus_nanos(-60 * SECOND);
    state.live.cluster.oldest = Some(oldest);
    act(&mut state, Action::Enter);
    assert!(matches!(state.time, Time::Past { at, .. } if at == oldest));
    let text = state.notice.unwrap().text;
    assert!(text.contains("this is the oldest time"), "{text}");
}

#[test]
fn status_time_is_when_the_user_went_back() {
    let mut state = with_pods(SourceKind::Metrics);
    let pod = state.live.pods.rows()[0].key();
    let began = state.now.plus_nanos(-900 * SECOND);
    state
        .trends
        .push(&crate::model::cluster_key(), began, Default::default());
    assert_eq!(state.status_time(), state.now);
    act(&mut state, Action::Step(-4));
    let gone_back = state.now;
    assert_eq!(state.shown_time(), gone_back.plus_nanos(-60 * SECOND));
    assert_eq!(state.status_time(), gone_back);
    let now = gone_back.plus_nanos(30 * SECOND);
    apply(&mut state, Message::Tick(now));
    assert_eq!(state.status_time(), gone_back, "the status is not updated");
    assert!(state.world().pods.get(&pod).is_some());
    act(&mut state, Action::Live);
    assert_eq!(state.status_time(), now);
}

#[test]
fn details_stay_during_a_pause() {
    let mut state = with_pods(SourceKind::Vitals);
    let key: Key = state.current().unwrap();
    act(&mut state, Action::Enter);
    apply(&mut state, Message::Detail(key, Box::default()));
    act(&mut state, Action::Pause);
    let later = state.now.plus_nanos(60 * SECOND);
    let effects = apply(&mut state, Message::Tick(later));
    let again = |effect: &Effect| matches!(effect, Effect::Request(SourceRequest::Detail(..)));
    assert!(!effects.iter().any(again), "{effects:?}");
    assert!(state.screen().detail.is_some());
}

#[test]
fn trends_may_arrive_before_pods_and_are_removed_after_them() {
    const PODS: i64 = 200;
    let mut state = State::default();
    let mut time = Timestamp::from_secs(1_800_000_000);
    let mut chance = Chance(7);
    let pods: Vec<PodRow> = (0..PODS)
        .map(|at| PodRow {
            namespace: Name::from("shop"),
            name: Name::from(format!("web-{at}")),
            ..pod(&mut chance, time)
        })
        .collect();
    let reading = Amounts {
        cpu: Nanocores(1_000_000).into(),
        memory: Bytes(1 << 20).into(),
    };
    let past = pods.iter().map(|pod| (pod.key(), vec![(time, reading)]));
    apply(&mut state, Message::Trends(past.collect()));
    let mut tick = |state: &mut State| {
        time = time.plus_nanos(60 * SECOND);
        apply(state, Message::Tick(time));
    };
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, String::new()),
    );
    tick(&mut state);
    apply(&mut state, Message::Nodes(Batch::All(Vec::new())));
    apply(&mut state, Message::Part(Part::Nodes, Outcome::Succeeded));
    tick(&mut state);
    apply(&mut state, Message::Pods(Batch::All(pods.clone())));
    apply(&mut state, Message::Part(Part::Pods, Outcome::Succeeded));
    tick(&mut state);
    for pod in &pods {
        assert!(state.trends.get(&pod.key()).is_some(), "{}", pod.name);
    }
    apply(&mut state, Message::Pods(Batch::All(Vec::new())));
    tick(&mut state);
    assert_eq!(state.trends.count(), 0);
}

#[test]
fn scrolling_is_limited_to_the_content() {
    let mut state = with_pods(SourceKind::Vitals);
    act(&mut state, Action::Enter);
    act(&mut state, Action::Last);
    let area = ratatui::layout::Rect::new(0, 0, 80, 24);
    let mut buffer = ratatui::buffer::Buffer::empty(area);
    let (theme, keys) = (Theme::default(), KeyMap::default());
    for open_help in [false, true] {
        if open_help {
            act(&mut state, Action::Help);
            act(&mut state, Action::Page(100));
        }
        let end = draw(&state, &theme, &keys, &mut buffer).scrolled.unwrap();
        assert!(end < 200, "{end}");
        state.scrolled(end);
        act(&mut state, Action::Move(-1));
        let visible = draw(&state, &theme, &keys, &mut buffer).scrolled;
        assert_eq!(visible, Some(end.saturating_sub(1)));
    }
}

/// The name at the picker's cursor.
fn picked(state: &State) -> Option<&str> {
    match &state.overlay {
        Some(Overlay::Picker(picker)) => picker.current().map(|name| &**name),
        _ => None,
    }
}

#[test]
fn a_click_goes_to_a_name_and_a_second_one_takes_it() {
    let mut state = with_pods(SourceKind::Vitals);
    act(&mut state, Action::Namespaces);
    act(&mut state, Action::Choose(2));
    let name = picked(&state).unwrap().to_owned();
    act(&mut state, Action::Choose(9_999));
    assert_eq!(
        picked(&state),
        Some(&*name),
        "there is no name below the last one"
    );
    act(&mut state, Action::Choose(2));
    assert!(state.overlay.is_none());
    assert_eq!(&*state.namespaces[0], name);
    // Nothing can be chosen if nothing matches.
    act(&mut state, Action::Namespaces);
    act(&mut state, Action::Edit(Edit::Insert("nothing".to_owned())));
    for action in [Action::Enter, Action::Choose(0)] {
        act(&mut state, action);
        assert!(state.overlay.is_some());
    }
    assert_eq!(&*state.namespaces[0], name);
}

#[test]
fn a_click_turns_a_column_off_and_on_and_the_wheel_goes_through_them() {
    let mut state = with_pods(SourceKind::Vitals);
    act(&mut state, Action::Columns);
    let field = View::Pods.columns()[3].field;
    for visible in [false, true] {
        act(&mut state, Action::Choose(3));
        let fields = &state.settings.columns[&View::Pods];
        assert_eq!(fields.contains(&field), visible);
    }
    act(&mut state, Action::Scroll(10_000));
    let last = View::Pods.columns().len() - 1;
    assert!(matches!(state.overlay, Some(Overlay::Columns(at)) if at == last));
}

#[test]
fn new_incidents_notify_the_user_if_enabled() {
    let incident = |name: &str, over: bool| {
        let mut incident = Incident {
            ended: over.then_some(Timestamp::from_secs(9)),
            ..Incident::default()
        };
        incident.metadata.name = name.to_owned();
        IncidentRow::new(incident)
    };
    for enabled in [true, false] {
        let mut state = State::default();
        state.settings.notify = enabled;
        let mut rings = |batch: Batch<IncidentRow>| {
            state.now = state.now.plus_nanos(10 * 1_000_000_000);
            let effects = apply(&mut state, Message::Incidents(batch));
            matches!(effects.as_slice(), [Effect::Notify(_)])
        };
        let put = |name: &str, over: bool| Batch::Some(vec![Change::Put(incident(name, over))]);
        assert!(
            !rings(Batch::All(vec![incident("a", false)])),
            "it began before"
        );
        assert_eq!(rings(put("b", false)), enabled);
        assert!(!rings(put("b", false)), "it goes on");
        assert!(!rings(put("c", true)), "it is over");
        assert_eq!(rings(Batch::All(vec![incident("d", false)])), enabled);
        assert!(!rings(Batch::Some(vec![Change::Gone(
            incident("d", false).key()
        )])));
        // Not more often than every ten seconds, and not for what began before the dashboard.
        let message = |name: &str| Message::Incidents(put(name, false));
        state.now = state.now.plus_nanos(60 * 1_000_000_000);
        let count = apply(&mut state, message("e")).len();
        assert_eq!(count, usize::from(enabled));
        assert_eq!(apply(&mut state, message("f")), []);
        state.now = state.now.plus_nanos(60 * 1_000_000_000);
        state.started = state.now;
        assert_eq!(apply(&mut state, message("g")), []);
    }
}
