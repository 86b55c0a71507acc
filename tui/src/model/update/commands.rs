//! Runs commands of the palette, also those of bookmarks.

use super::places::{connect, go, namespaces, select_namespaces};
use super::saved::{store, use_filter};
use super::time;
use crate::model::action::Action;
use crate::model::command::{Catalog, Command, CommandError};
use crate::model::effect::Effect;
use crate::model::name::Name;
use crate::model::setting::Setting;
use crate::model::state::State;
use crate::model::time::Time;

/// Parses a command.
///
/// # Errors
/// There is no such command.
fn parsed(state: &State, text: &str) -> Result<Command, CommandError> {
    catalog(state, &Existing::of(state)).parse(text)
}

/// The names that commands can refer to, which no other part of the state has in this form.
pub(super) struct Existing {
    namespaces: Vec<Name>,
    filters: Vec<Name>,
    bookmarks: Vec<Name>,
}

impl Existing {
    pub(super) fn of(state: &State) -> Self {
        Self {
            namespaces: namespaces(state),
            filters: state.settings.filters.keys().cloned().collect(),
            bookmarks: state.settings.bookmarks.keys().cloned().collect(),
        }
    }
}

/// What commands can refer to.
pub(super) fn catalog<'a>(state: &'a State, existing: &'a Existing) -> Catalog<'a> {
    Catalog {
        bound: &state.settings.commands,
        namespaces: &existing.namespaces,
        filters: &existing.filters,
        bookmarks: &existing.bookmarks,
        chosen: &state.namespaces,
        contexts: &state.session.contexts,
        themes: &state.settings.themes,
    }
}

/// Runs a command, or returns the action that it is.
pub(super) fn run(state: &mut State, command: Command) -> Result<Vec<Effect>, Action> {
    match command {
        Command::Act(action) => Err(action),
        Command::Go(place) => Ok(go(state, place)),
        Command::Namespaces(names) => {
            select_namespaces(state, names);
            Ok(Vec::new())
        }
        Command::Context(context) => Ok(connect(state, &context)),
        Command::Arguments(_) => Err(Action::Palette),
        Command::Theme(theme) => {
            state.preview = Some(Name::clone(&theme));
            Ok(store(state, Setting::Theme(theme)))
        }
        Command::Filter(name) => {
            use_filter(state, &name);
            Ok(Vec::new())
        }
        Command::Bookmark(name) => go_to_bookmark(state, &name),
    }
}

/// Shows the place of a bookmark. A bookmark without a time is of now.
pub(super) fn go_to_bookmark(state: &mut State, name: &Name) -> Result<Vec<Effect>, Action> {
    let Some(text) = state.settings.bookmarks.get(name).cloned() else {
        return Ok(Vec::new());
    };
    match parsed(state, &text) {
        // It would find itself.
        Ok(Command::Bookmark(_)) => Ok(Vec::new()),
        Ok(command) => {
            let mut effects = match &command {
                Command::Go(place) if place.details.at.is_none() && state.time != Time::Live => {
                    time::live(state)
                }
                _ => Vec::new(),
            };
            effects.extend(run(state, command)?);
            Ok(effects)
        }
        Err(error) => {
            state.say(format!("bookmark {name:?}: {error}"), true);
            Ok(Vec::new())
        }
    }
}
