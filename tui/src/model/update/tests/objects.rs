//! Text pages, commands of kubectl and changes of the cluster.

use kubevitals_proto::time::Timestamp;

use super::super::{act, apply};
use crate::model::log::{LogBatch, LogLine, LogRequest, StreamState};
use crate::model::row::{Container, ContainerState, PodRow, Workload};
use crate::model::{
    Action, Batch, ChangeAction, ClusterChange, Content, DirectRequest, Document, Edit, Effect,
    Kind, Message, Mode, Name, Overlay, Scope, Screen, SourceKind, State, TextAction, TextLine,
    TextPage, TextPosition, Topic, View,
};

const NOW: i64 = 1_783_521_000;

fn pod(name: &str, containers: usize) -> PodRow {
    let container = |at: usize| Container {
        name: format!("c{at}").into(),
        state: ContainerState::Running,
        since_seconds: u32::try_from(NOW - 100).unwrap(),
        ..Container::default()
    };
    PodRow {
        namespace: "shop".into(),
        name: name.into(),
        workload: Some(Workload::new("Deployment", "web")),
        containers: (0..containers).map(container).collect(),
        ..PodRow::default()
    }
}

/// A state with these pods, in the view of pods by name.
fn with(pods: Vec<PodRow>) -> State {
    let mut state = State {
        now: Timestamp::from_secs(NOW),
        ..State::default()
    };
    state.session.context = "production".to_owned();
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, String::new()),
    );
    apply(&mut state, Message::Pods(Batch::All(pods)));
    act(&mut state, Action::Resize(100, 30));
    act(&mut state, Action::Show(View::Pods));
    act(&mut state, Action::First);
    state
}

/// The request for logs among effects.
fn logs(effects: &[Effect]) -> Option<&LogRequest> {
    effects.iter().find_map(|effect| match effect {
        Effect::Direct(DirectRequest::Logs(request)) => request.as_ref(),
        _ => None,
    })
}

fn page(state: &State) -> &TextPage {
    state.text.as_ref().unwrap()
}

fn lines(from: i64, count: i64) -> Vec<LogLine> {
    let line = |second| LogLine {
        time: Some(Timestamp::from_secs(second)),
        text: format!("line {second}").into(),
        ..LogLine::default()
    };
    (from..from + count).map(line).collect()
}

fn receive(state: &mut State, lines: Vec<LogLine>) {
    let batch = LogBatch {
        id: page(state).id,
        lines,
        ..LogBatch::default()
    };
    apply(state, Message::Logs(Box::new(batch)));
}

/// The texts on the screen.
fn visible(state: &State) -> Vec<String> {
    let (width, height) = state.text_size();
    page(state)
        .visible(width, height)
        .into_iter()
        .map(|row| row.text)
        .collect()
}

#[test]
fn closing_logs_ends_their_streams_and_returns_to_the_row() {
    let mut state = with(vec![pod("a", 1), pod("b", 1)]);
    act(&mut state, Action::Move(1));
    let before = state.current();
    let effects = act(&mut state, Action::Logs(false));
    let request = logs(&effects).unwrap();
    assert_eq!(
        (&*request.targets[0].pod, request.previous, request.since),
        ("b", false, None)
    );
    assert_eq!(state.mode(), Mode::Text);
    let effects = act(&mut state, Action::Back);
    assert_eq!(effects, [Effect::Direct(DirectRequest::Logs(None))]);
    assert_eq!((state.mode(), state.current()), (Mode::Browse, before));
    // A batch that was under way is for nobody.
    apply(&mut state, Message::Logs(Box::default()));
    assert!(state.text.is_none());
}

#[test]
fn a_pod_with_very_many_containers_has_a_choice() {
    let mut state = with(vec![pod("a", 200)]);
    assert_eq!(logs(&act(&mut state, Action::Logs(true))), None);
    assert!(matches!(state.overlay, Some(Overlay::Picker(_))));
    act(&mut state, Action::Edit(Edit::Insert("c142".to_owned())));
    let effects = act(&mut state, Action::Enter);
    let request = logs(&effects).unwrap();
    assert_eq!(
        (
            &*request.targets[0].container,
            request.targets.len(),
            request.previous
        ),
        ("c142", 1, true)
    );
}

#[test]
fn the_pods_of_a_workload_are_followed_together_and_new_ones_too() {
    let pods = (0..60).map(|at| pod(&format!("web-{at:02}"), 1)).collect();
    let mut state = with(pods);
    act(&mut state, Action::Show(View::Workloads));
    act(&mut state, Action::First);
    let effects = act(&mut state, Action::Logs(false));
    assert_eq!(logs(&effects).unwrap().targets.len(), 50);
    assert_eq!(page(&state).logs().unwrap().left_out, 10);

    let mut state = with(vec![pod("web-a", 1), pod("web-b", 1)]);
    act(&mut state, Action::Show(View::Workloads));
    let effects = act(&mut state, Action::Logs(false));
    let id = logs(&effects).unwrap().id;
    let more = vec![pod("web-a", 1), pod("web-b", 1), pod("web-c", 1)];
    apply(&mut state, Message::Pods(Batch::All(more)));
    let now = state.now;
    let effects = apply(&mut state, Message::Tick(now));
    let request = logs(&effects).unwrap();
    assert_eq!(
        (request.id, request.targets.len(), &*request.targets[2].pod),
        (id, 3, "web-c")
    );
    assert_eq!(logs(&apply(&mut state, Message::Tick(now))), None);
}

#[test]
fn at_a_past_time_the_log_of_that_time_is_requested() {
    // The container has run for 100 seconds: a log of an earlier time is of the previous incarnation.
    for (ago, previous) in [(50, false), (150, true)] {
        let mut state = with(vec![pod("a", 1)]);
        state.live.cluster.oldest = Some(state.now.plus_nanos(-3_600_000_000_000));
        let at = state.now.plus_nanos(-ago * 1_000_000_000);
        act(&mut state, Action::Seek(at));
        let effects = act(&mut state, Action::Logs(false));
        let request = logs(&effects).unwrap().clone();
        assert_eq!(request.since, Some(at.plus_nanos(-30_000_000_000)));
        assert_eq!(request.previous, previous);
        receive(&mut state, lines(NOW - ago - 30, 100));
        assert!(
            visible(&state).contains(&format!("line {}", NOW - ago)),
            "{:?}",
            visible(&state)
        );
        assert_ne!(page(&state).place, TextPosition::End);
    }
}

#[test]
fn a_place_in_a_log_stays_while_lines_arrive() {
    let mut state = with(vec![pod("a", 1)]);
    act(&mut state, Action::Logs(false));
    receive(&mut state, lines(1_000, 100));
    assert_eq!(
        visible(&state).last().map(String::as_str),
        Some("line 1099")
    );
    act(&mut state, Action::Page(-1));
    let before = visible(&state);
    receive(&mut state, lines(1_100, 50));
    receive(&mut state, lines(990, 20));
    assert_eq!(visible(&state), before);
    act(&mut state, Action::Last);
    receive(&mut state, lines(1_200, 1));
    assert_eq!(
        visible(&state).last().map(String::as_str),
        Some("line 1200")
    );
    // f stops the lines, and follows again.
    act(&mut state, Action::Text(TextAction::Follow));
    receive(&mut state, lines(1_300, 30));
    assert_eq!(
        visible(&state).last().map(String::as_str),
        Some("line 1200")
    );
    act(&mut state, Action::Text(TextAction::Follow));
    assert_eq!(
        visible(&state).last().map(String::as_str),
        Some("line 1329")
    );
}

#[test]
fn a_search_goes_round_and_names_what_it_does_not_find() {
    let mut state = with(vec![pod("a", 1)]);
    act(&mut state, Action::Logs(false));
    receive(&mut state, lines(1_000, 200));
    act(&mut state, Action::First);
    act(&mut state, Action::Filter);
    assert_eq!(state.mode(), Mode::Filter);
    act(&mut state, Action::Edit(Edit::Insert("LINE".to_owned())));
    act(&mut state, Action::Enter);
    assert_eq!(
        state.notice.as_ref().unwrap().text,
        "\"LINE\" is not on this page"
    );
    act(&mut state, Action::Filter);
    act(&mut state, Action::Edit(Edit::Insert("50".to_owned())));
    act(&mut state, Action::Enter);
    let found = |state: &State| page(state).text(page(state).found.unwrap()).to_owned();
    assert_eq!(found(&state), "line 1050");
    for (forwards, text) in [
        (true, "line 1150"),
        (true, "line 1050"),
        (false, "line 1150"),
    ] {
        act(&mut state, Action::Text(TextAction::Next(forwards)));
        assert_eq!(found(&state), text);
        assert!(visible(&state).contains(&text.to_owned()));
    }
}

#[test]
fn long_lines_are_wrapped_or_scrolled_and_json_is_shown_in_rows() {
    let mut state = with(vec![pod("a", 1)]);
    act(&mut state, Action::Logs(false));
    let line = |text: &str| LogLine {
        text: text.into(),
        ..LogLine::default()
    };
    receive(
        &mut state,
        vec![
            line(&"日".repeat(200)),
            line("at {\"a\":1,\"b\":[2]}"),
            line(""),
        ],
    );
    let width = state.text_size().0 - page(&state).prefix(100);
    let rows = visible(&state);
    assert_eq!(rows.len(), 400_usize.div_ceil(width / 2 * 2) + 2);
    assert!(rows.iter().all(|row| crate::text::width(row) <= width));
    act(&mut state, Action::Text(TextAction::Wrap));
    assert_eq!(visible(&state).len(), 3);
    act(&mut state, Action::Text(TextAction::Pretty));
    assert_eq!(
        visible(&state)[1..7],
        ["at {", "  \"a\": 1,", "  \"b\": [", "    2", "  ]", "}"]
    );
}

#[test]
fn why_there_is_no_log_is_one_line() {
    let mut state = with(vec![pod("a", 2)]);
    act(&mut state, Action::Logs(true));
    let failed = |why: &str| StreamState::Failed {
        why: why.to_owned(),
        retry_at: None,
    };
    let batch = LogBatch {
        id: page(&state).id,
        states: vec![(0, failed("forbidden: no")), (7, failed("no such stream"))],
        ..LogBatch::default()
    };
    apply(&mut state, Message::Logs(Box::new(batch)));
    assert_eq!(
        page(&state).failure().as_deref(),
        Some("1 of 2 logs: forbidden: no")
    );
}

#[test]
fn a_description_arrives_for_its_page_only() {
    let mut state = with(vec![pod("a", 1)]);
    let effects = act(&mut state, Action::Read(Topic::Yaml));
    let Some(Effect::Direct(DirectRequest::Read(request))) = effects.first() else {
        panic!("{effects:?}");
    };
    let document = |text: &str| {
        Box::new(Ok(Document {
            lines: vec![TextLine::plain(text)],
            ..Document::default()
        }))
    };
    apply(
        &mut state,
        Message::Document(request.id + 1, document("other")),
    );
    assert!(page(&state).numbers().is_empty());
    apply(&mut state, Message::Document(request.id, document("this")));
    assert_eq!(page(&state).text(0), "this");
    assert!(matches!(&page(&state).content, Content::Document(page) if page.failure.is_none()));
    assert_eq!(
        act(&mut state, Action::Copy),
        [Effect::Copy("this".to_owned())]
    );
}

/// Opens the list of actions and chooses one.
fn choose(state: &mut State, name: &str) -> Vec<Effect> {
    act(state, Action::Menu);
    act(state, Action::Edit(Edit::Insert(name.to_owned())));
    act(state, Action::Enter)
}

#[test]
fn nothing_is_changed_without_the_flag_in_a_protected_context_or_in_the_past() {
    let mut state = with(vec![pod("a", 1)]);
    for (allowed, protected, why) in [
        (false, "", "not done: needs --allow-actions"),
        (
            true,
            "prod*",
            "not done: context production is protected in the configuration",
        ),
    ] {
        state.settings.allow_actions = allowed;
        state.settings.protected = vec![protected.to_owned()];
        assert_eq!(choose(&mut state, "Delete"), []);
        assert_eq!(
            (state.notice.as_ref().unwrap().text.as_str(), state.mode()),
            (why, Mode::Browse)
        );
    }
    state.settings.protected.clear();
    act(&mut state, Action::Pause);
    choose(&mut state, "Delete");
    assert_eq!(
        state.notice.as_ref().unwrap().text,
        "not done: a past time is shown"
    );
}

#[test]
fn a_change_is_of_the_object_for_which_the_list_was_opened() {
    let mut state = with(vec![pod("b", 1)]);
    state.settings.allow_actions = true;
    act(&mut state, Action::Menu);
    // Another pod takes the first row meanwhile.
    apply(
        &mut state,
        Message::Pods(Batch::All(vec![pod("a", 1), pod("b", 1)])),
    );
    act(&mut state, Action::Edit(Edit::Insert("Delete".to_owned())));
    act(&mut state, Action::Enter);
    let Some(Overlay::Dialog(dialog)) = &state.overlay else {
        panic!("no question");
    };
    assert_eq!(dialog.text[0], "In context production: delete Pod shop/b.");
    let effects = act(&mut state, Action::Enter);
    let [Effect::Direct(DirectRequest::Change(ClusterChange::Delete(object)))] = &*effects else {
        panic!("{effects:?}");
    };
    assert_eq!((object.kind, &*object.name), (Kind::Pod, "b"));
}

#[test]
fn what_stops_everything_asks_for_the_name() {
    let mut state = with(vec![pod("web-a", 1)]);
    state.settings.allow_actions = true;
    act(&mut state, Action::Show(View::Workloads));
    act(&mut state, Action::Change(ChangeAction::Scale));
    let mut type_in = |text: &str| {
        act(&mut state, Action::Edit(Edit::DeleteToStart));
        act(&mut state, Action::Edit(Edit::Insert(text.to_owned())));
        act(&mut state, Action::Enter)
    };
    assert_eq!(type_in("many"), []);
    assert_eq!(type_in("0"), []);
    assert_eq!(type_in("we"), []);
    let effects = type_in("web");
    assert!(
        matches!(
            &*effects,
            [Effect::Direct(DirectRequest::Change(ClusterChange::Scale(
                _,
                0
            )))]
        ),
        "{effects:?}"
    );
}

#[test]
fn a_shell_is_run_after_a_question_that_shows_and_copies_the_command() {
    let mut state = with(vec![pod("a", 2)]);
    act(&mut state, Action::Shell);
    act(&mut state, Action::Edit(Edit::Insert("c1".to_owned())));
    act(&mut state, Action::Enter);
    assert_eq!(state.mode(), Mode::Confirm);
    let copied = act(&mut state, Action::Copy);
    let effects = act(&mut state, Action::Enter);
    let [Effect::Run(command)] = &*effects else {
        panic!("{effects:?}");
    };
    assert_eq!(copied, [Effect::Copy(command.to_string())]);
    assert!(command.to_string().contains(
        "--context=production --namespace=shop exec --stdin --tty --container=c1 pod/a -- sh"
    ));
}

#[test]
fn ports_are_chosen_or_typed() {
    for (typed, ports) in [("8080", "8080:8080"), ("9000:9090", "9000:9090")] {
        let mut state = with(vec![pod("a", 1)]);
        let effects = act(&mut state, Action::Forward);
        let Some(Effect::Direct(DirectRequest::Read(request))) = effects.first() else {
            panic!("{effects:?}");
        };
        let document = Document {
            ports: vec![(8080, "app http".to_owned())],
            ..Document::default()
        };
        apply(
            &mut state,
            Message::Document(request.id, Box::new(Ok(document))),
        );
        act(&mut state, Action::Edit(Edit::Insert(typed.to_owned())));
        act(&mut state, Action::Enter);
        let effects = act(&mut state, Action::Enter);
        assert!(
            matches!(&*effects, [Effect::Run(command)] if command.args.last().map(String::as_str) == Some(ports)),
            "{effects:?}"
        );
    }
}

#[test]
fn a_node_has_no_logs() {
    let mut state = with(vec![pod("a", 1)]);
    let node = crate::model::row::NodeRow {
        name: Name::from("node-1"),
        ..crate::model::row::NodeRow::default()
    };
    apply(&mut state, Message::Nodes(Batch::All(vec![node])));
    act(&mut state, Action::Show(View::Nodes));
    assert_eq!(logs(&act(&mut state, Action::Logs(false))), None);
    assert_eq!(
        state.notice.as_ref().unwrap().text,
        "Node node-1 has no logs: select a pod, a container or a workload with pods"
    );
}

#[test]
fn in_a_view_of_several_clusters_objects_are_read_and_changed_after_enter() {
    let mut state = with(vec![pod("web-1", 1)]);
    state.settings.allow_actions = true;
    for view in [View::Clusters, View::AllIncidents] {
        state.stack.push(Screen::new(view, Scope::All));
        for action in [
            Action::Logs(false),
            Action::Read(Topic::Describe),
            Action::Read(Topic::Yaml),
            Action::Read(Topic::Events),
            Action::Shell,
            Action::Forward,
            Action::Menu,
            Action::Change(ChangeAction::Delete),
        ] {
            state.notice = None;
            assert_eq!(act(&mut state, action), []);
            let notice = state.notice.as_ref().map(|notice| &*notice.text);
            assert_eq!(notice, Some("press enter to open the cluster first"));
        }
    }
}
