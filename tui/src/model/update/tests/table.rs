//! Tables: columns, order and selection.

use kubevitals_proto::time::Timestamp;

use super::super::{act, apply, refresh};
use crate::model::columns::default_fields;
use crate::model::row::PodRow;
use crate::model::{Action, Batch, Edit, Field, Link, Message, SourceKind, State, View, placement};

fn with_pods(names: &[(&str, &str)]) -> State {
    let mut state = State {
        now: Timestamp::from_secs(1_783_521_000),
        ..State::default()
    };
    apply(
        &mut state,
        Message::Source(SourceKind::Vitals, String::new()),
    );
    apply(&mut state, Message::Pods(Batch::All(pods(names))));
    act(&mut state, Action::Show(View::Pods));
    act(&mut state, Action::SortBy(Field::Name));
    state
}

fn pods(names: &[(&str, &str)]) -> Vec<PodRow> {
    let row = |(namespace, name): &(&str, &str)| PodRow {
        namespace: (*namespace).into(),
        name: (*name).into(),
        ..PodRow::default()
    };
    names.iter().map(row).collect()
}

const NAMES: [(&str, &str); 5] = [
    ("shop", "a"),
    ("shop", "b"),
    ("shop", "c"),
    ("payments", "d"),
    ("payments", "e"),
];

fn visible(state: &State) -> Vec<Field> {
    placement::columns(state, state.size.width)
        .iter()
        .map(|placed| placed.column.field)
        .collect()
}

fn write(state: &mut State, filter: &str) {
    act(state, Action::Filter);
    act(state, Action::Edit(Edit::Insert(filter.to_owned())));
    act(state, Action::Enter);
}

#[test]
fn the_selected_row_is_found_again_whatever_hid_it() {
    type Step = (&'static str, fn(&mut State));
    let steps: [Step; 7] = [
        ("a filter that nothing matches", |state| {
            write(state, "nothing");
            act(state, Action::Back);
        }),
        (
            "a filter that others match, and one that nothing does",
            |state| {
                write(state, "ns=payments");
                act(state, Action::ClearFilter);
                write(state, "zzz");
                act(state, Action::Back);
            },
        ),
        ("another order", |state| {
            act(state, Action::SortBy(Field::Namespace));
            act(state, Action::Reverse);
        }),
        ("another view", |state| {
            act(state, Action::Show(View::Nodes));
            act(state, Action::Show(View::Containers));
            act(state, Action::Show(View::Pods));
        }),
        ("other namespaces", |state| {
            state.namespaces = vec!["payments".into()];
            refresh(state);
            state.namespaces.clear();
        }),
        ("a connection that was lost", |state| {
            let lost = Link::Lost {
                since: state.now,
                why: "connection refused".to_owned(),
                again: None,
            };
            apply(state, Message::Link(lost));
            refresh(state);
            apply(state, Message::Pods(Batch::All(Vec::new())));
            refresh(state);
            apply(state, Message::Pods(Batch::All(pods(&NAMES[..2]))));
            refresh(state);
            apply(state, Message::Link(Link::Up));
            apply(state, Message::Pods(Batch::All(pods(&NAMES))));
        }),
        ("a pause", |state| {
            act(state, Action::Pause);
            write(state, "nothing");
            act(state, Action::Back);
            act(state, Action::Pause);
        }),
    ];
    for (what, step) in steps {
        let mut state = with_pods(&NAMES);
        act(&mut state, Action::Move(2));
        let before = state.current().unwrap();
        assert_eq!(&*before.name, "c");
        step(&mut state);
        refresh(&mut state);
        assert_eq!(state.current(), Some(before), "after {what}");
    }
}

#[test]
fn the_row_after_a_deleted_one_is_selected() {
    let mut state = with_pods(&NAMES);
    act(&mut state, Action::Move(2));
    let without: Vec<_> = NAMES.into_iter().filter(|(_, name)| *name != "c").collect();
    apply(&mut state, Message::Pods(Batch::All(pods(&without))));
    refresh(&mut state);
    assert_eq!(&*state.current().unwrap().name, "d");
    // A pod of the same name is another pod.
    apply(&mut state, Message::Pods(Batch::All(pods(&NAMES))));
    refresh(&mut state);
    assert_eq!(&*state.current().unwrap().name, "d");
}

#[test]
fn sort_keys_visit_visible_columns() {
    for view in View::SWITCHABLE {
        for width in [40, 60, 80, 100, 200] {
            let mut state = with_pods(&NAMES);
            act(&mut state, Action::Show(view));
            act(&mut state, Action::Resize(width, 24));
            if view == View::Overview {
                let before = state.screen().list.sort;
                act(&mut state, Action::NextSort(1));
                assert_eq!(state.screen().list.sort, before);
                assert!(state.notice.is_some(), "it says why");
                continue;
            }
            for by in [1, -1] {
                for _ in 0..30 {
                    let could = visible(&state);
                    act(&mut state, Action::NextSort(by));
                    let sort = state.screen().list.sort.field;
                    assert!(could.contains(&sort), "{view:?} at {width}: {sort:?}");
                    assert!(
                        visible(&state).contains(&sort),
                        "{view:?} at {width}: {sort:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn sorting_by_a_hidden_column_shows_it_or_a_notice() {
    for (view, field, sorted) in [
        (View::Pods, Field::Age, Some(Field::Age)),
        (View::Pods, Field::Restarts, Some(Field::Restarts)),
        (View::Nodes, Field::Age, Some(Field::Age)),
        (View::Nodes, Field::Restarts, Some(Field::Recent)),
        (View::Containers, Field::Name, Some(Field::Pod)),
        (View::Workloads, Field::Restarts, Some(Field::Restarts)),
        (View::Incidents, Field::Age, Some(Field::Began)),
        (View::Workloads, Field::Age, None),
        (View::Hpas, Field::Cpu, None),
        (View::Incidents, Field::Memory, None),
    ] {
        for width in [40, 80] {
            let mut state = with_pods(&NAMES);
            act(&mut state, Action::Show(view));
            act(&mut state, Action::Resize(width, 24));
            let before = state.screen().list.sort;
            act(&mut state, Action::SortBy(field));
            let sort = state.screen().list.sort;
            match sorted {
                Some(sorted) => {
                    assert_eq!(sort.field, sorted, "{view:?}");
                    assert!(visible(&state).contains(&sorted), "{view:?} at {width}");
                }
                None => {
                    assert_eq!(sort, before, "{view:?}");
                    let notice = state.notice.as_ref().unwrap();
                    let expected = format!("{} cannot be sorted by {}", view.title(), field.name());
                    assert_eq!(notice.text, expected);
                }
            }
        }
    }
}

/// Turns the column of a field on or off in the list of columns.
fn toggle(state: &mut State, field: Field) {
    let at = placement::in_order(state)
        .iter()
        .position(|it| *it == field);
    act(state, Action::Columns);
    act(state, Action::Choose(at.unwrap()));
    act(state, Action::Back);
}

#[test]
fn a_column_that_is_turned_off_and_on_keeps_its_place() {
    let columns = View::Pods.columns();
    let default = default_fields(&columns);
    // The default and a configuration.
    let configured = vec![
        Field::Age,
        Field::Cpu,
        Field::Status,
        Field::Name,
        Field::Node,
    ];
    for selected in [None, Some(configured)] {
        let mut state = with_pods(&NAMES);
        if let Some(selected) = &selected {
            state.settings.columns.insert(View::Pods, selected.clone());
        }
        let before = selected.unwrap_or_else(|| default.clone());
        let others = before.iter().filter(|field| **field != Field::Name);
        for field in others {
            toggle(&mut state, *field);
            assert!(!state.settings.columns[&View::Pods].contains(field));
            toggle(&mut state, *field);
            assert_eq!(state.settings.columns[&View::Pods], before);
        }
        // Several at once, in another order.
        for field in [Field::Status, Field::Cpu, Field::Status, Field::Cpu] {
            toggle(&mut state, field);
        }
        assert_eq!(state.settings.columns[&View::Pods], before);
    }
}

#[test]
fn turning_a_name_off_shows_a_notice() {
    for (view, field) in [
        (View::Pods, Field::Name),
        (View::Nodes, Field::Name),
        (View::Containers, Field::Pod),
        (View::Containers, Field::Container),
        (View::Incidents, Field::Name),
    ] {
        let mut state = with_pods(&NAMES);
        act(&mut state, Action::Show(view));
        toggle(&mut state, field);
        assert!(visible(&state).contains(&field), "{view:?}");
        let text = &state.notice.as_ref().unwrap().text;
        assert!(text.contains("cannot be turned off"), "{text}");
    }
}

#[test]
fn the_columns_are_reset_by_a_key() {
    let mut state = with_pods(&NAMES);
    let before = visible(&state);
    for field in [Field::Status, Field::Cpu, Field::Swap] {
        toggle(&mut state, field);
    }
    assert_ne!(visible(&state), before);
    act(&mut state, Action::Columns);
    act(&mut state, Action::Reset);
    act(&mut state, Action::Back);
    assert_eq!(visible(&state), before);
    // It does nothing in other lists.
    act(&mut state, Action::Namespaces);
    act(&mut state, Action::Reset);
    assert!(state.overlay.is_some());
}
