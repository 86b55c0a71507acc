//! The columns of the current view, for the width of the terminal.

use super::column::Column;
use super::columns::{self, ColumnChoice, Placed};
use super::field::Field;
use super::scope::Scope;
use super::state::State;
use super::view::View;
use crate::text;

/// Cells before the first column, for the pointer.
pub const POINTER: u16 = 1;

/// The number of rows that are measured to find the width of a column.
const SAMPLED: usize = 256;

/// The distance between two sampled rows.
fn step(rows: usize) -> usize {
    (rows / SAMPLED).max(1)
}

/// The indexes of the rows by which columns are measured: a sample of the list, and all rows on the screen.
pub fn sample(state: &State) -> impl Iterator<Item = u32> {
    let list = &state.screen().list;
    let on_screen = list.order.iter().skip(list.top).take(state.list_height());
    let sampled = list.order.iter().step_by(step(list.order.len()));
    sampled.chain(on_screen).copied()
}

/// The columns of the current view, in a terminal of this width.
#[must_use]
pub fn columns(state: &State, width: u16) -> Vec<Placed> {
    let screen = state.screen();
    if screen.view == View::Pod {
        return Vec::new();
    }
    let table = state.world().table(screen.view);
    let now = state.context().now;
    let selected = state.settings.columns.get(&screen.view).map(Vec::as_slice);
    let sorted = (screen.view != View::Overview).then_some(screen.list.sort.field);
    let sampled: Vec<u32> = sample(state).collect();
    let widest = |field: Field| {
        let texts = sampled.iter().filter_map(|at| table.text(*at, field, now));
        let content = texts.map(|text| text::width(&text)).max().unwrap_or(0);
        let content = u16::try_from(content).unwrap_or(u16::MAX);
        // The length of an age changes as time passes; the width of its column should not.
        match field {
            Field::Restarts | Field::LastRestart if content > 8 => 28,
            _ => content,
        }
    };
    let one_namespace = state.namespaces.len() == 1 || matches!(screen.scope, Scope::Namespace(_));
    // If all rows have the same namespace or node, its column is left out.
    let says_something = |column: &Column| {
        selected.is_some()
            || sorted == Some(column.field)
            || match column.field {
                Field::Namespace => !one_namespace,
                Field::Node => !matches!(screen.scope, Scope::Node(_)),
                field if column.optional => {
                    let mut values = sampled.iter().filter_map(|at| table.value(*at, field));
                    values.any(|value| value.number(now).is_some())
                }
                _ => true,
            }
    };
    let all: Vec<_> = table.columns().into_iter().filter(says_something).collect();
    let choice = ColumnChoice {
        selected,
        sorted,
        distinguishing: &screen.list.distinguishing,
    };
    columns::layout(&all, choice, width.saturating_sub(POINTER), widest)
}

/// All columns of the view, in the order of the list of columns: as in the table, with those that are turned off where
/// they would be.
#[must_use]
pub fn in_order(state: &State) -> Vec<Field> {
    let view = state.screen().view;
    let order = state.column_order.get(&view);
    let order = order.or_else(|| state.settings.columns.get(&view));
    columns::in_order(&view.columns(), order.map(Vec::as_slice))
}
