//! Which columns the table that is looked at shows in so much room.

use super::column::Column;
use super::columns::{self, Placed, Wanted};
use super::field::Field;
use super::scope::Scope;
use super::state::State;
use super::view::View;
use crate::text;

/// Cells before the first column, for the pointer.
pub const POINTER: u16 = 1;

/// How many rows are measured to find out how wide a column must be.
const SAMPLED: usize = 256;

/// How many rows of a list are between two of the sample.
fn step(rows: usize) -> usize {
    (rows / SAMPLED).max(1)
}

/// Places of rows that stand for all of the list: a sample, and those on the screen, which no width may cut.
pub fn sample(state: &State) -> impl Iterator<Item = u32> {
    let list = &state.screen().list;
    let on_screen = list.order.iter().skip(list.top).take(state.listed());
    let sampled = list.order.iter().step_by(step(list.order.len()));
    sampled.chain(on_screen).copied()
}

/// The columns of the view that is looked at, in a terminal `width` wide.
#[must_use]
pub fn shown(state: &State, width: u16) -> Vec<Placed> {
    let screen = state.screen();
    if screen.view == View::Pod {
        return Vec::new();
    }
    let table = state.world().table(screen.view);
    let now = state.context().now;
    let chosen = state.settings.columns.get(&screen.view).map(Vec::as_slice);
    let sorted = (screen.view != View::Overview).then_some(screen.list.sort.field);
    let sampled: Vec<u32> = sample(state).collect();
    let widest = |field: Field| {
        let texts = sampled.iter().filter_map(|at| table.text(*at, field, now));
        let content = texts.map(|text| text::width(&text)).max().unwrap_or(0);
        let content = u16::try_from(content).unwrap_or(u16::MAX);
        // How long ago something was grows and shrinks by a cell or two as time passes; the columns should not.
        match field {
            Field::Restarts | Field::LastRestart if content > 8 => 28,
            _ => content,
        }
    };
    let one_namespace = state.namespaces.len() == 1 || matches!(screen.scope, Scope::Namespace(_));
    // Where all are of one namespace or node there is no need to say which.
    let says_something = |column: &Column| {
        chosen.is_some()
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
    let wanted = Wanted {
        chosen,
        sorted,
        distinguishing: &screen.list.distinguishing,
    };
    columns::place(&all, wanted, width.saturating_sub(POINTER), widest)
}
