//! Commands of the palette, as a person types them.

use super::rules::with_pods;
use crate::input::KeyMap;
use crate::model::{
    Action, Edit, Effect, Mode, Overlay, Scope, Setting, SourceKind, State, View, act,
};

fn state() -> State {
    let mut state = with_pods(SourceKind::Vitals);
    state.settings.commands = KeyMap::default().commands();
    state.session.context = "prod".to_owned();
    state.session.contexts = vec!["prod".into(), "staging".into()];
    state
}

fn typed(state: &mut State, text: &str) {
    act(state, Action::Palette);
    assert_eq!(state.mode(), Mode::Pick);
    for c in text.chars() {
        let action = match c {
            ' ' => Action::Toggle,
            c => Action::Edit(Edit::Insert(c.to_string())),
        };
        act(state, action);
    }
}

fn run(state: &mut State, text: &str) -> Vec<Effect> {
    typed(state, text);
    act(state, Action::Enter)
}

fn listed(state: &State) -> Vec<String> {
    match &state.overlay {
        Some(Overlay::Picker(picker)) => {
            let names = picker.matches().into_iter();
            names.map(|(item, _)| item.name.to_string()).collect()
        }
        _ => Vec::new(),
    }
}

fn wrong(state: &State) -> Option<&str> {
    match &state.overlay {
        Some(Overlay::Picker(picker)) => picker.wrong.as_deref(),
        _ => None,
    }
}

fn line(state: &State) -> &str {
    match &state.overlay {
        Some(Overlay::Picker(picker)) => picker.line.text(),
        _ => "",
    }
}

#[test]
fn a_command_shows_a_view_with_its_filter() {
    let mut state = state();
    for (text, view, filter) in [
        ("pods", View::Pods, ""),
        ("no", View::Nodes, ""),
        ("deploy", View::Workloads, "kind=Deployment"),
        ("pods web", View::Pods, "web"),
        // The best match.
        ("incid", View::Incidents, ""),
        ("ovw", View::Overview, ""),
    ] {
        run(&mut state, text);
        let screen = state.screen();
        assert_eq!(
            (screen.view, screen.list.line.text()),
            (view, filter),
            "{text}"
        );
        assert!(state.overlay.is_none(), "{text}");
    }
}

#[test]
fn a_command_does_what_its_key_does() {
    let mut state = state();
    assert_eq!(run(&mut state, "q!"), [Effect::Quit]);
    assert_eq!(run(&mut state, "suspend"), [Effect::Suspend]);
    assert_eq!(
        run(&mut state, "ctx staging"),
        [Effect::Connect("staging".into())]
    );
    assert_eq!(run(&mut state, "ctx prod"), [], "it is the current one");
    run(&mut state, "help");
    assert!(matches!(state.overlay, Some(Overlay::Help(..))));
}

#[test]
fn an_object_is_opened_by_its_name() {
    let mut state = state();
    run(&mut state, "node/worker-1 web");
    assert_eq!(state.screen().scope, Scope::Node("worker-1".into()));
    assert_eq!(state.screen().list.line.text(), "web");
    run(&mut state, "pod/web-1 -n shop");
    assert_eq!(state.screen().view, View::Pod);
    act(&mut state, Action::Back);
    assert_eq!(state.screen().scope, Scope::Node("worker-1".into()));
}

#[test]
fn namespaces_are_listed_completed_and_chosen() {
    let mut state = state();
    state.all_namespaces = vec!["payments".into(), "shop".into()];
    typed(&mut state, "ns sho");
    assert_eq!(listed(&state), ["shop"]);
    act(&mut state, Action::Complete);
    assert_eq!(line(&state), "ns shop ");
    act(&mut state, Action::Enter);
    assert_eq!(state.namespaces, ["shop".into()]);
    run(&mut state, "ns all");
    assert_eq!(state.namespaces, []);
    // The best match of a part of a name.
    run(&mut state, "ns paym");
    assert_eq!(state.namespaces, ["payments".into()]);
}

#[test]
fn an_unknown_command_stays_in_the_line_with_the_nearest() {
    let mut state = state();
    typed(&mut state, "podz");
    let expected = Some("there is no command \"podz\"; the nearest is pods");
    assert_eq!(wrong(&state), expected);
    assert_eq!(act(&mut state, Action::Enter), []);
    assert_eq!((wrong(&state), line(&state)), (expected, "podz"));
    act(&mut state, Action::Edit(Edit::Backspace));
    assert_eq!(wrong(&state), None);
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().view, View::Pods);
    run(&mut state, "pods cpu>fast");
    assert!(
        wrong(&state)
            .unwrap()
            .starts_with("filter: cpu is compared")
    );
}

#[test]
fn up_in_an_empty_line_recalls_the_last_commands() {
    let mut state = state();
    for text in ["nodes", "pods web", "nodes"] {
        run(&mut state, text);
    }
    act(&mut state, Action::Palette);
    let recalled = [
        (-1, "nodes"),
        (-1, "pods web"),
        (-1, "pods web"),
        (1, "nodes"),
        (1, ""),
    ];
    for (rows, text) in recalled {
        act(&mut state, Action::Move(rows));
        assert_eq!(line(&state), text);
    }
    act(&mut state, Action::Move(-1));
    act(&mut state, Action::Move(-1));
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().list.line.text(), "web");
    for at in 0..200 {
        run(&mut state, &format!("pods {at}"));
    }
    assert_eq!(state.commands_run.len(), 50);
}

#[test]
fn every_view_and_every_binding_is_a_command() {
    let mut state = state();
    act(&mut state, Action::Palette);
    let listed = listed(&state);
    let views = View::SWITCHABLE.map(|view| view.info().id);
    for name in views.iter().chain(&["deployments", "export-csv", "quit"]) {
        assert!(listed.iter().any(|listed| listed == name), "{name}");
    }
    let first = listed.iter().position(|name| name == views[0]).unwrap();
    assert_eq!(
        listed[first..first + views.len()],
        views,
        "views are together"
    );
    assert!(first < 5, "views are first");
}

#[test]
fn a_theme_is_drawn_while_the_cursor_is_on_it_and_chosen_by_enter() {
    let mut state = state();
    state.settings.themes = ["auto", "dark", "nord"].map(Into::into).to_vec();
    state.settings.theme = "dark".into();
    run(&mut state, "theme");
    assert_eq!(line(&state), "theme ");
    assert_eq!(listed(&state), ["auto", "dark", "nord"]);
    let theme = |name: &str| vec![Effect::Theme(name.into())];
    assert_eq!(act(&mut state, Action::Move(2)), theme("nord"));
    assert_eq!(act(&mut state, Action::Move(0)), [], "it is drawn already");
    assert_eq!(
        act(&mut state, Action::Back),
        theme("dark"),
        "it was not chosen"
    );
    let persist = Effect::Persist(Setting::Theme("nord".into()));
    let effects = [vec![persist], theme("nord")].concat();
    assert_eq!(run(&mut state, "theme nord"), effects);
    act(&mut state, Action::Palette);
    assert_eq!(act(&mut state, Action::Back), []);
    assert_eq!(&*state.settings.theme, "nord");
}

#[test]
fn changes_of_the_filter_are_undone_in_their_view() {
    let mut state = state();
    run(&mut state, "pods");
    let filter = |state: &State| state.screen().list.line.text().to_owned();
    run(&mut state, "pods web");
    act(&mut state, Action::Filter);
    act(&mut state, Action::Edit(Edit::Insert(" cpu>1m".to_owned())));
    act(&mut state, Action::Enter);
    act(&mut state, Action::ClearFilter);
    let undone = ["web cpu>1m", "web", "", ""];
    for expected in undone {
        act(&mut state, Action::UndoFilter);
        assert_eq!(filter(&state), expected);
    }
    assert_eq!(
        state.notice.as_ref().map(|notice| notice.text.as_str()),
        Some("there is no earlier filter in this view")
    );
    for at in 0..200 {
        run(&mut state, &format!("pods {at}"));
    }
    assert_eq!(state.screen().filters_before.len(), 50);
}
