//! The view that is open, as it is exported.

use std::sync::Arc;

use super::export;
use crate::model::columns::Wanted;
use crate::model::{Column, ExportAs, Row, State, Table, View};

/// The view in one of the forms: the rows it shows, in their order, and the columns it would have in a wide terminal.
pub fn of_view(state: &State, form: ExportAs) -> String {
    let world = state.world();
    match state.screen().view {
        View::Overview | View::Pods | View::Pod => written(state, &world.pods, form),
        View::Nodes => written(state, &world.nodes, form),
        View::Containers => written(state, &world.containers, form),
        View::Workloads => written(state, &world.workloads, form),
        View::Namespaces => written(state, &world.namespaces, form),
        View::Hpas => written(state, &world.hpas, form),
        View::Incidents => written(state, &world.incidents, form),
    }
}

fn written<R: Row>(state: &State, table: &Table<R>, form: ExportAs) -> String {
    let screen = state.screen();
    let wanted = Wanted {
        chosen: state.settings.columns.get(&screen.view).map(Vec::as_slice),
        ..Wanted::default()
    };
    let all = R::columns();
    let column = |field| all.iter().find(|column| column.field == field);
    let columns: Vec<Column> = wanted
        .fields(&all)
        .into_iter()
        .filter_map(|field| column(field).copied())
        .collect();
    let rows = screen
        .list
        .order
        .iter()
        .filter_map(|at| table.rows().get(usize::try_from(*at).ok()?));
    export(form, &columns, rows.map(Arc::as_ref), state.told_time())
}
