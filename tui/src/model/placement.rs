//! Which columns the table that is looked at shows in so much room.

use std::sync::Arc;

use super::columns::{self, Placed, Wanted};
use super::field::Field;
use super::row::Row;
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

/// Rows of the list that stand for all of it: a sample, and those on the screen, which no width may cut.
pub fn sample<'a, R: Row>(state: &'a State, rows: &'a [Arc<R>]) -> impl Iterator<Item = &'a R> {
    let list = &state.screen().list;
    let on_screen = list.order.iter().skip(list.top).take(state.listed());
    list.order
        .iter()
        .step_by(step(list.order.len()))
        .chain(on_screen)
        .filter_map(|at| rows.get(usize::try_from(*at).ok()?).map(|row| &**row))
}

/// The columns of the view that is looked at, in a terminal `width` wide.
#[must_use]
pub fn shown(state: &State, width: u16) -> Vec<Placed> {
    let world = state.world();
    match state.screen().view {
        View::Overview | View::Pods => place(state, world.pods.rows(), width),
        View::Nodes => place(state, world.nodes.rows(), width),
        View::Containers => place(state, world.containers.rows(), width),
        View::Workloads => place(state, world.workloads.rows(), width),
        View::Namespaces => place(state, world.namespaces.rows(), width),
        View::Hpas => place(state, world.hpas.rows(), width),
        View::Incidents => place(state, world.incidents.rows(), width),
        View::Pod => Vec::new(),
    }
}

/// The columns of a table of these rows, in a terminal `width` wide.
pub fn place<R: Row>(state: &State, rows: &[Arc<R>], width: u16) -> Vec<Placed> {
    let screen = state.screen();
    let now = state.context().now;
    let chosen = state.settings.columns.get(&screen.view).map(Vec::as_slice);
    let sorted = (screen.view != View::Overview).then_some(screen.list.sort.field);
    let sampled: Vec<&R> = sample(state, rows).collect();
    let widest = |field: Field| {
        let texts = sampled.iter().filter_map(|row| row.text(field, now));
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
    let is_told = |field: Field| {
        chosen.is_some()
            || sorted == Some(field)
            || match field {
                Field::Namespace => !one_namespace,
                Field::Node => !matches!(screen.scope, Scope::Node(_)),
                _ => true,
            }
    };
    let all: Vec<_> = R::columns()
        .into_iter()
        .filter(|column| is_told(column.field))
        .collect();
    let wanted = Wanted {
        chosen,
        sorted,
        distinguishing: &screen.list.distinguishing,
    };
    columns::place(&all, wanted, width.saturating_sub(POINTER), widest)
}
