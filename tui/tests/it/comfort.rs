//! What makes the dashboard comfortable: the palette, bookmarks, themes, the tour.

use kubevitals::input::KeyMap;
use kubevitals::model::{Action, Edit, SourceKind, State, View, act};
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

/// Draws an overlay at every size; with styles at 80 columns.
fn at_every_size(name: &str, state: &State) {
    for (columns, rows) in SIZES {
        let drawn = draw(state, &colour(), columns, rows);
        let drawn = match columns {
            80 => text_and_styles(&drawn),
            _ => text(&drawn),
        };
        insta::assert_snapshot!(format!("{name}-{columns}x{rows}"), drawn);
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
