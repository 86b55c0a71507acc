//! Opens views, and chooses what they show.

use std::sync::Arc;

use super::requests::requests;
use super::time;
use crate::model::action::Edit;
use crate::model::command::Place;
use crate::model::effect::Effect;
use crate::model::name::Name;
use crate::model::scope::Scope;
use crate::model::screen::Screen;
use crate::model::state::State;
use crate::model::view::View;

/// The largest number of open views. Beyond it the oldest one is closed.
const MAX_OPEN_VIEWS: usize = 32;

/// Opens a view on top of the current one.
pub(super) fn push(state: &mut State, screen: Screen) {
    if state.stack.len() >= MAX_OPEN_VIEWS {
        state.stack.remove(0);
    }
    state.stack.push(screen);
}

/// Switches to a view. If it is open, it moves to the top.
pub(super) fn show(state: &mut State, view: View) -> Vec<Effect> {
    if state.screen().view == view && state.screen().scope == Scope::All {
        return Vec::new();
    }
    state.writing = false;
    let open = state
        .stack
        .iter()
        .position(|screen| screen.view == view && screen.scope == Scope::All);
    match open {
        Some(at) => {
            // The views above it stay open below it.
            let screen = state.stack.remove(at);
            state.stack.push(screen);
        }
        None => push(state, state.settings.opened(view)),
    }
    // Pages and scoped views are closed.
    state.stack.retain(|screen| screen.scope == Scope::All);
    Vec::new()
}

/// Shows a place: a view with its scope, namespaces and filter.
pub(super) fn go(state: &mut State, place: Place) -> Vec<Effect> {
    let details = place.details;
    if let Some(namespaces) = details.namespaces {
        select_namespaces(state, namespaces);
    }
    let mut effects = Vec::new();
    if place.scope == Scope::All {
        effects.extend(show(state, place.view));
    } else if state.screen().scope != place.scope || state.screen().view != place.view {
        push(state, Screen::new(place.view, place.scope));
    }
    if let Some(filter) = details.filter {
        set_filter(state, filter);
    }
    if let Some(key) = details.selected {
        // It is selected when it is listed.
        let list = &mut state.screen_mut().list;
        list.selected = None;
        list.away = Some(key);
        list.is_sought = true;
        list.basis = None;
    }
    effects.extend(match details.at {
        // Several clusters are shown as they are now.
        Some(at) if !place.view.is_of_several_clusters() => time::go(state, at),
        _ => requests(state),
    });
    effects
}

/// The number of changes of a filter that can be undone.
const MAX_UNDO: usize = 50;

/// Stores the filter before a change. While it is being typed it is not stored.
pub(super) fn remember_filter(state: &mut State) {
    let is_typed = state.writing && !state.screen().filters_before.is_empty();
    let screen = state.screen_mut();
    let text = screen.list.line.text();
    let is_last = screen
        .filters_before
        .last()
        .is_some_and(|last| last == text);
    if is_typed || is_last || screen.list.wrong.is_some() {
        return;
    }
    let text = text.to_owned();
    if screen.filters_before.len() >= MAX_UNDO {
        screen.filters_before.remove(0);
    }
    screen.filters_before.push(text);
}

/// Restores the filter before the last change.
pub(super) fn undo_filter(state: &mut State) {
    let screen = state.screen_mut();
    let current = screen.list.line.text().to_owned();
    while let Some(before) = screen.filters_before.pop() {
        if before != current {
            write_filter(state, before);
            return;
        }
    }
    state.say("there is no earlier filter in this view", false);
}

/// Replaces the filter, so that it can be undone.
pub(super) fn set_filter(state: &mut State, filter: String) {
    remember_filter(state);
    write_filter(state, filter);
}

fn write_filter(state: &mut State, filter: String) {
    let list = &mut state.screen_mut().list;
    list.line.edit(&Edit::End);
    list.line.edit(&Edit::DeleteToStart);
    list.line.edit(&Edit::Insert(filter));
    list.read_filter();
}

/// The names of all namespaces. Without permission to list them, they come from the pods.
pub(super) fn namespaces(state: &State) -> Vec<Name> {
    let mut names: Vec<Name> = state.all_namespaces.clone();
    names.extend(state.namespaces.iter().cloned());
    let mut last: Option<&Name> = None;
    for pod in state.live.pods.rows() {
        if last != Some(&pod.namespace) {
            names.push(Arc::clone(&pod.namespace));
            last = Some(&pod.namespace);
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Connects to the cluster of a context, unless it is the current one.
pub(super) fn connect(state: &State, context: &Name) -> Vec<Effect> {
    let is_current = **context == *state.session.context;
    let connect = (!is_current).then(|| Effect::Connect(Arc::clone(context)));
    Vec::from_iter(connect)
}

/// Shows only these namespaces; all if there are none.
pub(super) fn select_namespaces(state: &mut State, selected: Vec<Name>) {
    if let (true, Some(limit)) = (selected.is_empty(), &state.session.namespace) {
        let text = format!("only {limit} is loaded: start without --namespace for others");
        state.say(text, false);
    }
    state.namespaces = selected;
}
