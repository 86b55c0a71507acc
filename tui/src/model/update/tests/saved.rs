//! Bookmarks, saved filters and the order of columns.

use std::sync::Arc;

use super::rules::with_pods;
use crate::input::KeyMap;
use crate::model::placement;
use crate::model::row::{PodRow, Row as _};
use crate::model::{
    Action, Batch, Edit, Effect, Field, Key, Message, Outcome, Overlay, Part, Scope, Screen,
    Setting, SourceKind, State, Time, View, act, apply, refresh,
};

fn state() -> State {
    let mut state = with_pods(SourceKind::Vitals);
    state.settings.commands = KeyMap::default().commands();
    act(&mut state, Action::Show(View::Pods));
    state
}

fn write(state: &mut State, text: &str) {
    for word in text.split_inclusive(' ') {
        act(
            state,
            Action::Edit(Edit::Insert(word.trim_end().to_owned())),
        );
        if word.ends_with(' ') {
            act(state, Action::Toggle);
        }
    }
}

fn filter(state: &mut State, text: &str) {
    act(state, Action::ClearFilter);
    act(state, Action::Filter);
    act(state, Action::Edit(Edit::Insert(text.to_owned())));
    act(state, Action::Enter);
}

fn persisted(effects: &[Effect]) -> Vec<&Setting> {
    let settings = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(setting) => Some(setting),
        _ => None,
    });
    settings.collect()
}

/// Bookmarks the place on the screen, and returns the command.
fn bookmark(state: &mut State, name: &str) -> String {
    act(state, Action::Bookmark);
    write(state, name);
    let effects = act(state, Action::Enter);
    assert!(state.overlay.is_none(), "{:?}", state.overlay);
    match persisted(&effects)[..] {
        [Setting::Bookmark(_, Some(command))] => command.clone(),
        _ => panic!("{effects:?}"),
    }
}

/// Goes to the only bookmark that a search finds.
fn go(state: &mut State, search: &str) -> Vec<Effect> {
    act(state, Action::Bookmarks);
    act(state, Action::Edit(Edit::Insert(search.to_owned())));
    act(state, Action::Enter)
}

fn notice(state: &State) -> &str {
    state.notice.as_ref().map_or("", |notice| &notice.text)
}

#[test]
fn a_bookmark_leads_back_to_the_view_its_filter_and_the_selected_row() {
    let mut state = state();
    filter(&mut state, "restarts>=0");
    act(&mut state, Action::Move(2));
    let selected = state.current().unwrap();
    let command = bookmark(&mut state, "my pods");
    let key = format!("{}/{}", selected.namespace, selected.name);
    assert_eq!(command, format!("pods -A --select {key} restarts>=0"));
    act(&mut state, Action::First);
    act(&mut state, Action::ClearFilter);
    act(&mut state, Action::Show(View::Nodes));
    go(&mut state, "my pods");
    assert_eq!(state.screen().view, View::Pods);
    assert_eq!(state.screen().list.line.text(), "restarts>=0");
    assert_eq!(state.current(), Some(selected));
}

#[test]
fn a_bookmark_of_an_object_that_is_not_listed_says_so_in_one_line() {
    let mut state = state();
    apply(&mut state, Message::Part(Part::Pods, Outcome::Succeeded));
    act(&mut state, Action::Move(1));
    let selected = state.current().unwrap();
    bookmark(&mut state, "my pod");
    let name = format!("{}/{}", selected.namespace, selected.name);
    let pods = state.live.pods.rows().iter();
    let all: Vec<PodRow> = pods.map(|pod| PodRow::clone(pod)).collect();
    let others = all.iter().filter(|pod| pod.key() != selected);
    let others: Vec<PodRow> = others.cloned().collect();
    apply(&mut state, Message::Pods(Batch::All(others)));
    act(&mut state, Action::Show(View::Nodes));
    go(&mut state, "my pod");
    let expected = format!("{name} does not exist; the first row is selected");
    assert_eq!(notice(&state), expected);
    assert_eq!(state.screen().list.cursor, 0);
    // Once, and not if it exists.
    state.notice = None;
    refresh(&mut state);
    assert_eq!(notice(&state), "");
    apply(&mut state, Message::Pods(Batch::All(all)));
    go(&mut state, "my pod");
    assert_eq!(notice(&state), "");
    assert_eq!(state.current().as_ref(), Some(&selected));
    // It exists, but the filter of the bookmark no longer accepts it.
    let command = format!("pods -A --select {name} name=another");
    let bookmarks = &mut state.settings.bookmarks;
    bookmarks.insert("hidden".into(), command);
    go(&mut state, "hidden");
    let expected = format!("{name} is not listed because of the filter or the namespaces");
    assert_eq!(notice(&state), expected);
}

#[test]
fn rows_that_are_not_read_yet_are_not_missing() {
    let mut state = state();
    apply(&mut state, Message::Part(Part::Pods, Outcome::Succeeded));
    let command = "pods -A --select shop/gone --at 2020-01-01T00:00:00Z".to_owned();
    state.live.cluster.has_engine = true;
    state.settings.bookmarks.insert("then".into(), command);
    go(&mut state, "then");
    assert!(matches!(state.time, Time::Past { here: false, .. }));
    assert_eq!(notice(&state), "");
}

#[test]
fn a_blank_is_part_of_the_search_of_a_list_of_which_one_entry_is_chosen() {
    let mut state = state();
    for name in ["my pods", "my nodes"] {
        let bookmarks = &mut state.settings.bookmarks;
        bookmarks.insert(name.into(), "pods".to_owned());
    }
    act(&mut state, Action::Bookmarks);
    write(&mut state, "my n");
    let Some(Overlay::Picker(picker)) = &state.overlay else {
        panic!("no list");
    };
    assert_eq!(picker.line.text(), "my n");
    assert_eq!(picker.current().map(|name| &**name), Some("my nodes"));
    assert!(picker.selected.is_empty());
}

#[test]
fn a_bookmark_leads_to_a_page_in_its_namespaces_and_at_its_time() {
    let mut state = state();
    let pod = state.current().unwrap();
    act(&mut state, Action::Enter);
    let page = bookmark(&mut state, "page");
    assert_eq!(page, format!("pod/{} -n {}", pod.name, pod.namespace));
    act(&mut state, Action::Back);
    state.namespaces = vec![pod.namespace.clone()];
    act(&mut state, Action::Pause);
    let Time::Paused(at) = state.time else {
        panic!("{:?}", state.time);
    };
    let then = bookmark(&mut state, "then");
    let time = at.to_rfc3339_seconds();
    assert_eq!(then, format!("pods -n {} --at {time}", pod.namespace));
    // A bookmark without a time is of now.
    go(&mut state, "page");
    assert_eq!((state.screen().pod(), state.time), (Some(&pod), Time::Live));
    state.namespaces.clear();
    state.now = at.plus_nanos(600_000_000_000);
    let effects = go(&mut state, "then");
    assert!(
        matches!(state.time, Time::Past { .. } | Time::Live),
        "{effects:?}"
    );
    assert_eq!(state.namespaces, [pod.namespace]);
}

#[test]
fn lists_without_a_command_are_bookmarked_by_what_they_were_opened_from() {
    let claim = Key::new(&"shop".into(), &"data".into());
    for (scope, expected) in [
        (
            Scope::Claim(claim, Arc::default()),
            "volumes --select shop/data",
        ),
        (Scope::Problem(Arc::default()), "overview"),
        (Scope::Node("worker-1".into()), "node/worker-1 -A web"),
        (Scope::Namespace("shop".into()), "namespace/shop web"),
    ] {
        let mut state = state();
        state.stack.push(Screen::new(View::Pods, scope));
        filter(&mut state, "web");
        assert_eq!(bookmark(&mut state, "x"), expected);
    }
    let mut state = state();
    state.stack.push(Screen::new(View::Clusters, Scope::All));
    act(&mut state, Action::Bookmark);
    assert!(state.overlay.is_none());
    assert_eq!(
        notice(&state),
        "a view of several clusters cannot be bookmarked"
    );
}

#[test]
fn a_name_that_exists_is_replaced_only_by_a_second_enter() {
    let mut state = state();
    let pods = bookmark(&mut state, "a");
    assert_eq!(pods, "pods -A");
    // The same place again replaces nothing.
    bookmark(&mut state, "a");
    act(&mut state, Action::Show(View::Nodes));
    act(&mut state, Action::Bookmark);
    write(&mut state, "a");
    assert_eq!(act(&mut state, Action::Enter), []);
    assert_eq!(state.settings.bookmarks.get("a"), Some(&pods));
    assert_eq!(persisted(&act(&mut state, Action::Enter)).len(), 1);
    assert_eq!(state.settings.bookmarks["a"], "nodes -A");
    // Without a name, the command is the name.
    bookmark(&mut state, "");
    assert!(state.settings.bookmarks.contains_key("nodes -A"));
}

#[test]
fn a_bookmark_is_removed_and_one_that_is_no_command_says_so() {
    let mut state = state();
    act(&mut state, Action::Bookmarks);
    assert_eq!(notice(&state), "there are no bookmarks; B makes one");
    for (name, command) in [("a", "podz"), ("b", "bookmarks b"), ("c", "quit")] {
        state
            .settings
            .bookmarks
            .insert(name.into(), command.to_owned());
    }
    assert_eq!(go(&mut state, "a"), []);
    assert_eq!(
        notice(&state),
        "bookmark \"a\": there is no command \"podz\"; the nearest is pods"
    );
    assert_eq!(go(&mut state, "b"), []);
    assert_eq!(go(&mut state, "c"), [Effect::Quit]);
    act(&mut state, Action::Bookmarks);
    act(&mut state, Action::Move(1));
    let effects = act(&mut state, Action::Remove);
    assert_eq!(persisted(&effects), [&Setting::Bookmark("b".into(), None)]);
    for left in [1, 0] {
        act(&mut state, Action::Remove);
        assert_eq!(state.settings.bookmarks.len(), left);
    }
    assert!(state.overlay.is_none());
}

#[test]
fn a_filter_is_saved_used_in_another_view_and_removed() {
    let mut state = state();
    act(&mut state, Action::Filters);
    assert_eq!(
        notice(&state),
        "there are no saved filters; / filters the view, then f saves it"
    );
    filter(&mut state, "restarts>0");
    act(&mut state, Action::Filters);
    act(&mut state, Action::Enter);
    write(&mut state, "it restarts");
    let effects = act(&mut state, Action::Enter);
    let setting = Setting::Filter("it restarts".into(), Some("restarts>0".to_owned()));
    assert_eq!(persisted(&effects), [&setting]);
    act(&mut state, Action::Show(View::Workloads));
    act(&mut state, Action::Filters);
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().list.line.text(), "restarts>0");
    act(&mut state, Action::UndoFilter);
    assert_eq!(state.screen().list.line.text(), "");
    // By a command.
    act(&mut state, Action::Palette);
    write(&mut state, "filter it restarts");
    act(&mut state, Action::Enter);
    assert_eq!(state.screen().list.line.text(), "restarts>0");
    act(&mut state, Action::Filters);
    state
        .settings
        .default_filters
        .insert(View::Hpas, "it restarts".into());
    assert_eq!(act(&mut state, Action::Remove), []);
    assert_eq!(
        notice(&state),
        "\"it restarts\" is the default filter of HPAs in the configuration"
    );
    state.settings.default_filters.clear();
    let effects = act(&mut state, Action::Remove);
    assert_eq!(
        persisted(&effects),
        [&Setting::Filter("it restarts".into(), None)]
    );
}

#[test]
fn a_view_opens_with_its_default_filter() {
    let mut state = state();
    let settings = &mut state.settings;
    settings.filters.insert("big".into(), "cpu>1.0".to_owned());
    for view in [View::Nodes, View::Overview] {
        settings.default_filters.insert(view, "big".into());
    }
    act(&mut state, Action::Show(View::Nodes));
    assert_eq!(state.screen().list.line.text(), "cpu>1.0");
    // A place with a filter of its own has that one.
    act(&mut state, Action::ClearFilter);
    act(&mut state, Action::Show(View::Pods));
    act(&mut state, Action::Show(View::Nodes));
    assert_eq!(state.screen().list.line.text(), "");
    let new = State::new(state.session.clone(), state.settings.clone());
    assert_eq!(new.screen().list.line.text(), "cpu>1.0");
    assert_eq!(new.screen().scope, Scope::All);
}

fn order(state: &State) -> Vec<Field> {
    let chosen = state.settings.columns.get(&state.screen().view);
    chosen.cloned().unwrap_or_default()
}

#[test]
fn columns_are_moved_by_keys_and_by_the_mouse_and_persisted_once() {
    let mut state = state();
    let before = placement::in_order(&state);
    act(&mut state, Action::Columns);
    for action in [
        Action::Move(1),
        Action::MoveEntry(-5),
        Action::MoveEntry(1),
        Action::MoveEntry(1),
    ] {
        assert_eq!(act(&mut state, action), []);
    }
    assert!(matches!(state.overlay, Some(Overlay::Columns(2))));
    let effects = act(&mut state, Action::Back);
    let visible = order(&state);
    assert_eq!(visible[..3], [before[0], before[2], before[1]]);
    let setting = Setting::Columns(View::Pods, Some(visible));
    assert_eq!(persisted(&effects), [&setting]);
    // Nothing has changed since.
    act(&mut state, Action::Columns);
    assert_eq!(act(&mut state, Action::Back), []);
    let (age, first) = (Field::Age, order(&state)[0]);
    assert_eq!(act(&mut state, Action::MoveColumn(age, first)), []);
    assert_eq!(order(&state)[..2], [age, first]);
    act(&mut state, Action::MoveColumn(age, first));
    assert_eq!(order(&state)[..2], [first, age]);
    // Those of another table are not moved.
    act(&mut state, Action::MoveColumn(Field::Period, first));
    assert_eq!(order(&state)[..2], [first, age]);
    assert_eq!(persisted(&act(&mut state, Action::KeepColumns)).len(), 1);
    act(&mut state, Action::Columns);
    act(&mut state, Action::Reset);
    let effects = act(&mut state, Action::Back);
    assert_eq!(persisted(&effects), [&Setting::Columns(View::Pods, None)]);
    assert_eq!(placement::in_order(&state), before);
}

#[test]
fn a_row_that_no_longer_exists_leaves_the_first_one_selected() {
    let mut state = state();
    act(&mut state, Action::Palette);
    write(&mut state, "pods --select gone/with-the-wind");
    act(&mut state, Action::Enter);
    let first = state.current();
    assert!(first.is_some_and(|key| key != Key::new(&"gone".into(), &"with-the-wind".into())));
}
