//! The order of a table.

use crate::model::column::Sort;
use crate::model::field::Field;
use crate::model::placement;
use crate::model::position::moved_round;
use crate::model::state::State;
use crate::model::view::View;

/// Whether the current view is a table that can be sorted. Explains why the overview is not.
pub(super) fn is_possible(state: &mut State) -> bool {
    match state.screen().view {
        View::Overview => {
            let text = "the overview is sorted by urgency; press 3 for the table of pods";
            state.say(text, false);
            false
        }
        View::Map => {
            let text = "the map is in the order of names; press 3 for the table of pods";
            state.say(text, false);
            false
        }
        view => view != View::Pod,
    }
}

/// Sorts by a field, or reverses the order. Sorting by a hidden column shows it.
pub(super) fn by(state: &mut State, field: Field) {
    if !is_possible(state) {
        return;
    }
    let view = state.screen().view;
    let Some(field) = view.sorts_by(field) else {
        let text = format!("{} cannot be sorted by {}", view.title(), field.name());
        state.say(text, true);
        return;
    };
    let sort = &mut state.screen_mut().list.sort;
    *sort = if sort.field == field {
        sort.reversed()
    } else {
        Sort::by(field)
    };
}

/// The order by the column this many columns after the current one.
pub(super) fn next(state: &State, by: i32) -> Sort {
    let sort = state.screen().list.sort;
    // Trends are sorted by the usage, which has a column of its own.
    let fields: Vec<Field> = placement::columns(state, state.size.width)
        .iter()
        .filter(|placed| !placed.column.is_trend())
        .map(|placed| placed.column.field)
        .collect();
    let at = fields.iter().position(|field| *field == sort.field);
    let next = fields.get(moved_round(at.unwrap_or(0), by, fields.len()));
    next.map_or(sort, |field| Sort::by(*field))
}
