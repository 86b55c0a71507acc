//! What makes the dashboard comfortable: the palette, bookmarks, themes, the tour.

use kubevitals::config::Settings;
use kubevitals::input::KeyMap;
use kubevitals::model::{Action, Edit, Link, Message, SourceKind, State, View, act, apply};
use kubevitals::view::terminal_title;
use kubevitals::view::theme::{Depth, Ground, Theme};

use crate::picture::{draw, text, text_and_styles};
use crate::views::{SIZES, colour, showing};

/// The view of pods with all commands.
fn pods() -> State {
    let mut state = showing(View::Pods, SourceKind::Vitals);
    state.settings.commands = KeyMap::default().commands();
    state
}

fn write(state: &mut State, text: &str) {
    act(state, Action::Edit(Edit::Insert(text.to_owned())));
}

/// Draws an overlay at every size, with styles at 80 columns; and without colours and Unicode.
fn at_every_size(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let drawn = draw(state, &colour(), columns, rows);
        let drawn = match columns {
            80 => text_and_styles(&drawn),
            _ => text(&drawn),
        };
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), drawn);
    }
    for (look, ascii) in [("no-colour", false), ("ascii", true)] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let drawn = text(&draw(state, &theme, 80, 24));
        insta::assert_snapshot!(format!("{name}-{look}"), drawn);
    }
}

#[test]
fn the_palette_at_every_size() {
    let mut state = pods();
    act(&mut state, Action::Palette);
    at_every_size("palette", &state);
    write(&mut state, "na");
    at_every_size("palette-search", &state);
}

#[test]
fn the_palette_with_an_error_without_colours_and_in_ascii() {
    let mut state = pods();
    act(&mut state, Action::Palette);
    write(&mut state, "pods cpu>fast");
    act(&mut state, Action::Enter);
    for ascii in [false, true] {
        let theme = Theme::new(Depth::None, Ground::Dark, ascii);
        let drawn = text(&draw(&state, &theme, 80, 24));
        let name = if ascii { "ascii" } else { "no-colour" };
        insta::assert_snapshot!(format!("palette-error-{name}"), drawn);
        assert!(!ascii || drawn.replace(|c| "日本語".contains(c), "").is_ascii());
    }
}

/// The themes of the configuration, at the number of colours.
fn themes(colors: kubevitals::config::Colors) -> Vec<(String, Theme)> {
    let usual = Settings {
        colors,
        ascii: Some(false),
        ..Settings::default()
    };
    let theme = |name: String| {
        let settings = usual.with_theme(&name).unwrap();
        (name, settings.theme(|_| None))
    };
    usual.theme_names().into_iter().map(theme).collect()
}

#[test]
fn every_theme_with_its_colours() {
    let state = pods();
    for (name, theme) in themes(kubevitals::config::Colors::True) {
        let drawn = text_and_styles(&draw(&state, &theme, 120, 40));
        insta::assert_snapshot!(format!("theme-{name}"), drawn);
    }
}

#[test]
fn the_list_of_themes_at_every_size() {
    let mut state = pods();
    let names = Settings::default().theme_names().into_iter();
    state.settings.themes = names.map(Into::into).collect();
    act(&mut state, Action::Palette);
    write(&mut state, "theme ");
    at_every_size("themes", &state);
}

/// The view of pods with bookmarks and saved filters.
fn with_saved() -> State {
    let mut state = pods();
    let settings = &mut state.settings;
    for (name, command) in [
        (
            "crashes at night",
            "pods -n shop,payments --at 2026-07-08T02:10:00Z restarts>0",
        ),
        ("node 1", "node/worker-1 -A"),
        ("日本語", "overview -A"),
    ] {
        settings.bookmarks.insert(name.into(), command.to_owned());
    }
    settings
        .filters
        .insert("busy".into(), "cpu>500m".to_owned());
    settings
        .filters
        .insert("near the limit".into(), "mem%>80".to_owned());
    state
}

#[test]
fn the_list_of_bookmarks_at_every_size() {
    let mut state = with_saved();
    act(&mut state, Action::Bookmarks);
    at_every_size("bookmarks", &state);
}

#[test]
fn the_list_of_saved_filters_at_every_size() {
    let mut state = with_saved();
    act(&mut state, Action::Filter);
    write(&mut state, "web");
    act(&mut state, Action::Enter);
    act(&mut state, Action::Filters);
    at_every_size("filters", &state);
}

#[test]
fn the_question_for_a_name_at_every_size() {
    let mut state = with_saved();
    act(&mut state, Action::Bookmark);
    write(&mut state, "node 1");
    act(&mut state, Action::Enter);
    at_every_size("bookmark", &state);
}

#[test]
fn the_list_of_moved_columns_at_every_size() {
    let mut state = pods();
    act(&mut state, Action::Columns);
    act(&mut state, Action::Move(2));
    act(&mut state, Action::MoveEntry(-2));
    at_every_size("moved-columns", &state);
}

#[test]
fn the_tour_at_every_size() {
    let mut state = pods();
    state.is_new = true;
    for (columns, rows) in SIZES {
        let drawn = text(&draw(&state, &colour(), columns, rows));
        assert!(drawn.contains("? new here? a tour"), "{drawn}");
    }
    act(&mut state, Action::Help);
    at_every_size("tour", &state);
    act(&mut state, Action::Back);
    let drawn = text(&draw(&state, &colour(), 120, 40));
    assert!(
        !drawn.contains("new here?"),
        "only until the help is opened"
    );
}

#[test]
fn the_title_of_the_window_has_the_context_and_the_worst_state() {
    let mut state = pods();
    assert!(terminal_title(&state).starts_with("vitals production: "));
    let now = state.now;
    apply(
        &mut state,
        Message::Link(Link::Lost {
            since: now,
            why: "refused".to_owned(),
            again: None,
        }),
    );
    assert_eq!(terminal_title(&state), "vitals production: connection lost");
}
