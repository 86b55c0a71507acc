//! Which columns a view has, and their order.

use super::saved::store;
use crate::model::columns::{default_fields, insert};
use crate::model::effect::Effect;
use crate::model::field::Field;
use crate::model::placement;
use crate::model::position::moved;
use crate::model::setting::Setting;
use crate::model::state::{Overlay, State};
use crate::model::view::View;

/// Opens the list of columns.
pub(super) fn open(state: &mut State) {
    remember(state);
    state.overlay = Some(Overlay::Columns(0));
}

/// Remembers the columns before they are changed.
fn remember(state: &mut State) {
    let view = state.screen().view;
    let before = state.settings.columns.get(&view).cloned();
    state.columns_before.get_or_insert((view, before));
}

/// Turns the column at a position of the list on or off. It keeps its position. Columns that identify the row stay.
pub(super) fn toggle(state: &mut State, at: usize) {
    let view = state.screen().view;
    let order = placement::in_order(state);
    let Some(field) = order.get(at).copied() else {
        return;
    };
    let columns = view.columns();
    let identity = columns.iter().filter(|column| column.is_identity());
    if let Some(column) = identity.into_iter().find(|column| column.field == field) {
        let text = format!(
            "{} identifies the row and cannot be turned off",
            column.title
        );
        state.say(text, false);
        return;
    }
    let visible = visible(state);
    let is_visible = |other: &Field| visible.contains(other) != (*other == field);
    choose(state, order, is_visible);
}

/// Moves the column at the cursor of the list this many positions to the right; to the left if negative.
pub(super) fn move_by(state: &mut State, by: i32) {
    let mut order = placement::in_order(state);
    let Some(Overlay::Columns(cursor)) = &mut state.overlay else {
        return;
    };
    let to = moved(*cursor, by, order.len());
    if *cursor >= order.len() || to == *cursor {
        return;
    }
    let field = order.remove(*cursor);
    order.insert(to, field);
    *cursor = to;
    let visible = visible(state);
    choose(state, order, |field| visible.contains(field));
}

/// Moves a column to the position of another one.
pub(super) fn drag(state: &mut State, field: Field, onto: Field) {
    let mut order = placement::in_order(state);
    let position = |field| order.iter().position(|other| *other == field);
    let (Some(from), Some(to)) = (position(field), position(onto)) else {
        return;
    };
    remember(state);
    // The mouse moves what is on the screen, also columns that are there for the sort order alone.
    let mut visible = visible(state);
    visible.extend([field, onto]);
    order.remove(from);
    order.insert(to, field);
    choose(state, order, |field| visible.contains(field));
}

/// Lets the width choose the columns again.
pub(super) fn reset(state: &mut State) {
    let view = state.screen().view;
    state.settings.columns.remove(&view);
    state.column_order.remove(&view);
}

/// Persists the columns of the view, if they have changed. Those of several clusters have no place in the configuration.
pub(super) fn keep(state: &mut State) -> Vec<Effect> {
    let Some((view, before)) = state.columns_before.take() else {
        return Vec::new();
    };
    let fields = state.settings.columns.get(&view).cloned();
    if fields == before || !View::SWITCHABLE.contains(&view) {
        return Vec::new();
    }
    store(state, Setting::Columns(view, fields))
}

/// The columns that are turned on.
fn visible(state: &State) -> Vec<Field> {
    let view = state.screen().view;
    let chosen = state.settings.columns.get(&view).cloned();
    let mut visible = chosen.unwrap_or_else(|| default_fields(&view.columns()));
    let columns = view.columns();
    for column in columns.iter().filter(|column| column.is_identity()) {
        insert(&mut visible, &columns, column.field);
    }
    visible
}

fn choose(state: &mut State, order: Vec<Field>, is_visible: impl Fn(&Field) -> bool) {
    let view = state.screen().view;
    let visible = order.iter().copied().filter(is_visible).collect();
    state.settings.columns.insert(view, visible);
    state.column_order.insert(view, order);
}
